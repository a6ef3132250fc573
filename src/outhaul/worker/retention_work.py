"""Deletes exports whose time is over, with their files, as their owner could have done."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta

from outhaul.catalog import exports as catalog
from outhaul.domain.errors import NotFound
from outhaul.exports.service import Exports

_log = logging.getLogger(__name__)
_EVERY_S = 60.0
_AT_ONCE = 100


class RetentionWork:
    """Looks once a minute. It needs no lease: what is deleted twice is gone all the same."""

    def __init__(
        self,
        listed: catalog.Exports,
        exports: Exports,
        *,
        keep: timedelta,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """An export that ended longer ago than `keep` is deleted."""
        self._listed = listed
        self._exports = exports
        self._keep = keep
        self._clock = clock
        self._next = clock()

    def do_one(self, owner: str) -> bool:  # noqa: ARG002 -- the protocol's; there is no lease
        """Delete some; False when no more are due for now."""
        if self._clock() < self._next:
            return False
        expired = self._listed.ended_before(self._keep, most=_AT_ONCE)
        for account_id, export_id in expired:
            with suppress(NotFound):
                self._exports.delete(account_id, export_id)
        if expired:
            _log.info("exports expired", extra={"exports": len(expired)})
        if len(expired) == _AT_ONCE:
            return True
        self._next = self._clock() + _EVERY_S
        return False

    def beat(self) -> Sequence[threading.Thread]:
        """Nothing is held."""
        return ()

    def cancel_all(self) -> None:
        """A hundred take moments; the worker's stop waits for them."""
