"""Has the files cleaned while the server runs: for what crashes and lost races leave meanwhile."""

import threading
import time
from collections.abc import Callable, Sequence

from outhaul.worker.cleaning import Cleaning

_EVERY_S = 3600.0


class FileWork:
    """Looks once an hour. It needs no lease: it can be done twice, and side by side."""

    def __init__(
        self,
        cleaning: Cleaning,
        *,
        at_once: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """The first look is `at_once` or in an hour."""
        self._cleaning = cleaning
        self._clock = clock
        self._next = clock() + (0 if at_once else _EVERY_S)

    def do_one(self, owner: str) -> bool:  # noqa: ARG002 -- the protocol's; there is no lease
        """Clean when it is time to; never more is due."""
        if self._clock() >= self._next:
            self._next = self._clock() + _EVERY_S
            self._cleaning.of_left()
        return False

    def beat(self) -> Sequence[threading.Thread]:
        """Nothing is held."""
        return ()

    def cancel_all(self) -> None:
        """Each takes moments; the worker's stop waits for the one in hand."""
