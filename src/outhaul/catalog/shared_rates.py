"""The request limit where several processes answer: counted in the catalog, exact over all of them.

The same arithmetic as `rates`, in one statement of PostgreSQL. The table is unlogged: a count costs
no write to the disk, and a crash of the database forgets what was used in the last minute.
"""

from sqlalchemy import Double, cast, func, select
from sqlalchemy.dialects.postgresql import insert

from outhaul.catalog.database import Database
from outhaul.catalog.rates import ROUNDING_S, RateVerdict, verdict
from outhaul.catalog.tables import request_counts

# Not when the statement began: one that had to wait for another's count would be told less than is
# left, or be refused what is still there.
_NOW_MS = cast(func.extract("epoch", func.clock_timestamp()) * 1000, Double)


class SharedRates:
    """Counts requests per account, by the database's clock."""

    def __init__(self, database: Database, *, limit: int, period_s: int = 60) -> None:
        self._database = database
        self._limit = limit
        self._period_s = period_s

    def take(self, account_id: str) -> RateVerdict:
        """Count one request, unless the account has none left. Raises CatalogUnavailable."""
        cost_ms, period_ms = self._period_s * 1000 / self._limit, self._period_s * 1000
        used = func.greatest(request_counts.c.full_ms, _NOW_MS)
        count = (
            insert(request_counts)
            .values(account_id=account_id, full_ms=_NOW_MS + cost_ms)
            .on_conflict_do_update(
                index_elements=[request_counts.c.account_id],
                set_={"full_ms": used + cost_ms},
                where=used + cost_ms <= _NOW_MS + period_ms + ROUNDING_S * 1000,
            )
            .returning(request_counts.c.full_ms - _NOW_MS)
        )
        refused = select(used - _NOW_MS).where(request_counts.c.account_id == account_id)
        with self._database.transaction() as connection:
            counted = connection.execute(count).scalar()
            ahead_ms = connection.execute(refused).scalar_one() if counted is None else counted
        return verdict(
            counted is not None, ahead_ms / 1000, limit=self._limit, period_s=self._period_s
        )
