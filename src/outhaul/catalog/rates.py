"""The request limit: GCRA, one number an account, exact under any number of threads.

A request costs period/limit of time; an account may run ahead of the clock by one period. The
number kept is the moment at which everything used has been earned back. It is kept in memory where
one process answers all requests: a write to disk for every question would make pollers wait for
the disk that exports keep busy (docs/decisions/0006). Several processes count in `shared_rates`.
"""

import threading
import time
from dataclasses import dataclass

ROUNDING_S = 0.001


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
    """Counts requests per account. A restart forgets what was used."""

    def __init__(self, *, limit: int, period_s: int = 60) -> None:
        self._limit = limit
        self._period_s = period_s
        self._lock = threading.Lock()
        self._full: dict[str, float] = {}
        """By account: when all of its requests will have been earned back."""

    def take(self, account_id: str) -> RateVerdict:
        """Count one request, unless the account has none left."""
        cost = self._period_s / self._limit
        with self._lock:
            now = time.monotonic()
            full = max(self._full.get(account_id, now), now)
            allowed = full + cost <= now + self._period_s + ROUNDING_S
            if allowed:
                full += cost
                self._full[account_id] = full
        return verdict(allowed, full - now, limit=self._limit, period_s=self._period_s)


def verdict(allowed: bool, ahead_s: float, *, limit: int, period_s: int) -> RateVerdict:
    """What is to be told of an account that is so far ahead of the clock."""
    cost, left = period_s / limit, period_s - ahead_s
    return RateVerdict(
        allowed=allowed,
        limit=limit,
        remaining=max(0, int((left + ROUNDING_S) / cost)),
        reset_after=ahead_s,
        retry_after=0 if allowed else max(0.0, cost - left),
    )
