"""The request limit: GCRA, one number an account, exact under any number of threads.

A request costs period/limit of time; an account may run ahead of the clock by one period. The
number kept is the moment at which everything used has been earned back.
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from outhaul.catalog.database import Database, now_ms
from outhaul.catalog.tables import rates


@dataclass(frozen=True, kw_only=True)
class RateVerdict:
    """Whether a request may pass, and what its rate headers say. Times in seconds."""

    allowed: bool
    limit: int
    remaining: int
    reset_after: float
    """Until the whole limit is there again."""
    retry_after: float
    """Until one request is; 0 when allowed."""


class Rates:
    """Counts requests per account."""

    def __init__(self, database: Database, *, limit: int, period_s: int = 60) -> None:
        self._database = database
        self._limit = limit
        self._period_ms = period_s * 1000

    def take(self, account_id: str) -> RateVerdict:
        """Count one request, unless the account has none left."""
        now = now_ms()
        cost = self._period_ms / self._limit
        with self._database.transaction() as connection:
            found = select(rates.c.full_ms).where(rates.c.account_id == account_id)
            held = connection.execute(found).scalar()
            # A clock that was set back must not lock the account out for longer than a period.
            full = min(max(held or now, now), now + self._period_ms)
            allowed = full + cost <= now + self._period_ms + 1
            if allowed:
                full = round(full + cost)
                statement = insert(rates).values(account_id=account_id, full_ms=full)
                connection.execute(
                    statement.on_conflict_do_update(
                        index_elements=[rates.c.account_id], set_={"full_ms": full}
                    )
                )
        left = now + self._period_ms - full
        return RateVerdict(
            allowed=allowed,
            limit=self._limit,
            remaining=max(0, int((left + 1) / cost)),
            reset_after=(full - now) / 1000,
            retry_after=0 if allowed else (cost - left) / 1000,
        )
