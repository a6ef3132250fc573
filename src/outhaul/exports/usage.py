"""What an account's exports amounted to, day by day."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from outhaul.catalog.tally import Tallies
from outhaul.domain.account import Account


@dataclass(frozen=True, kw_only=True)
class DayOfExports:
    """The exports that were finished on one day of the account's zone, also those that have been
    deleted since."""

    day: date
    exports: int = field(default=0)
    rows: int = field(default=0)
    bytes: int = field(default=0)
    seconds: float = field(default=0.0)
    """All together, each from its create to its file."""


class Usage:
    """Adds up; methods may be called from any thread."""

    def __init__(self, tallies: Tallies) -> None:
        self._tallies = tallies

    def by_day(self, account: Account, *, until: datetime, days: int) -> list[DayOfExports]:
        """So many days that end with that of `until`, oldest first, also those without exports."""
        zone = ZoneInfo(account.timezone)
        last = until.astimezone(zone).date()
        first = last - timedelta(days=days - 1)
        found = {
            day: DayOfExports(day=day)
            for day in (first + timedelta(days=number) for number in range(days))
        }
        for one in self._tallies.since(account.id, datetime.combine(first, time(), zone)):
            day = one.begins_at.astimezone(zone).date()
            if day in found:
                held = found[day]
                found[day] = replace(
                    held,
                    exports=held.exports + one.exports,
                    rows=held.rows + one.rows,
                    bytes=held.bytes + one.bytes,
                    seconds=held.seconds + one.seconds,
                )
        return list(found.values())
