"""How much an account has: contacts, and activities by type and calendar day."""

from dataclasses import dataclass
from datetime import date, timedelta

from outhaul.store.engine import Engine
from outhaul.store.families import FAMILIES, RETRACTABLE
from outhaul.store.schema import OPEN

_STANDING = dict.fromkeys(RETRACTABLE, " AND retracted IS NULL")


@dataclass(frozen=True, kw_only=True)
class DayCount:
    """Activities of one type on one day."""

    day: date
    type: str
    count: int


class Counts:
    """Counts what is there now."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def contacts(self, account_id: str) -> int:
        """Contacts, anonymous ones included."""
        with self._engine.session(account_id) as connection:
            found = connection.execute(
                f"SELECT count(*) FROM contacts WHERE commit_to = {OPEN}"
            ).fetchall()
        return int(found[0][0])

    def activities_by_day(
        self, account_id: str, *, timezone: str, most_days: int
    ) -> tuple[DayCount, ...]:
        """Activities a day in the zone, by day, then type, for the last `most_days` days that
        lead up to the newest activity; days and types without any are left out."""
        local = "(\"createdAt\" AT TIME ZONE 'UTC' AT TIME ZONE $zone)::DATE"
        each = " UNION ALL ".join(
            f"SELECT {local} AS day, type, count(*) AS held FROM {family.table}"
            f' WHERE "createdAt" > $after{_STANDING.get(family.table, "")} GROUP BY ALL'
            for family in FAMILIES
        )
        with self._engine.session(account_id) as connection:
            newest = connection.execute('SELECT max("createdAt") FROM activities').fetchall()[0][0]
            if newest is None:
                return ()
            rows = connection.execute(
                f"SELECT day, type, held FROM ({each})"
                " WHERE day > ($newest AT TIME ZONE 'UTC' AT TIME ZONE $zone)::DATE - $days"
                " ORDER BY day, type",
                {
                    "zone": timezone,
                    "newest": newest,
                    # A day more, because the zone may be ahead.
                    "after": newest - timedelta(days=most_days + 1),
                    "days": most_days,
                },
            ).fetchall()
        return tuple(DayCount(day=day, type=type_, count=held) for day, type_, held in rows)
