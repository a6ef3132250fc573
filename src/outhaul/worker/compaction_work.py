"""Compacts the stores of accounts that have been written to."""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from outhaul.catalog.live_snapshots import LiveSnapshots
from outhaul.store.commits import Commits
from outhaul.store.compaction import Compactor

_log = logging.getLogger(__name__)
_EVERY_S = 60.0


class CompactionWork:
    """Looks once a minute at the accounts with commits since the last look. It needs no lease:
    only the owner of the stores does it, and it can be done twice."""

    def __init__(
        self,
        compactor: Compactor,
        commits: Commits,
        live: LiveSnapshots,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._compactor = compactor
        self._commits = commits
        self._live = live
        self._clock = clock
        self._next = clock() + _EVERY_S
        self._waiting: set[str] = set()
        self._stopping = threading.Event()

    def do_one(self, owner: str) -> bool:  # noqa: ARG002 -- the protocol's; there is no lease
        """Look at one account; False when none is to be looked at now."""
        if not self._waiting:
            if self._clock() < self._next:
                return False
            self._next = self._clock() + _EVERY_S
            self._waiting = self._commits.take_written()
        if not self._waiting or self._stopping.is_set():
            return False
        account_id = self._waiting.pop()
        removed = self._compactor.compact(
            account_id, lambda newest: self._live.oldest(account_id, newest)
        )
        if removed:
            _log.info("store compacted", extra={"account": account_id, "versions": removed})
        return True

    def beat(self) -> Sequence[threading.Thread]:
        """Nothing is held."""
        return ()

    def cancel_all(self) -> None:
        """Each takes moments; the worker's stop waits for the one in hand."""
        self._stopping.set()
