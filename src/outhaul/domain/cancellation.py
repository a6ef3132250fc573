"""A wish to stop, handed down to work that may be in the middle of a long call."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Cancelled(Exception):
    """The work was told to stop and has stopped."""


class Cancellation:
    """Set once, by any thread; work either asks or leaves a call that interrupts it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._set = False
        self._interrupts: list[Callable[[], None]] = []
        self._progress: list[Callable[[], float]] = []
        self._seen: list[float] = []
        self._asked = time.monotonic()

    @property
    def idle_s(self) -> float:
        """Seconds since the work was last seen to get a bit further: since it asked, or since a
        long call of it showed other progress than when this was read before."""
        with self._lock:
            seen = [progress() for progress in self._progress]
            if seen != self._seen:
                self._seen, self._asked = seen, time.monotonic()
        return time.monotonic() - self._asked

    @property
    def is_set(self) -> bool:
        return self._set

    def cancel(self) -> None:
        """Ask the work to stop; runs the interrupts that it has left. Safe to call twice."""
        with self._lock:
            self._set = True
            interrupts = tuple(self._interrupts)
        for interrupt in interrupts:
            interrupt()

    def check(self) -> None:
        """Raise Cancelled when the work should stop."""
        self._asked = time.monotonic()
        if self._set:
            raise Cancelled

    @contextmanager
    def interrupting(
        self, interrupt: Callable[[], None], progress: Callable[[], float] | None = None
    ) -> Iterator[None]:
        """While the block runs, `cancel` also calls `interrupt`, and `progress` tells how far the
        call is that the block is in. Raises Cancelled when set."""
        self.check()
        with self._lock:
            if self._set:
                raise Cancelled
            self._interrupts.append(interrupt)
            self._progress += [progress] if progress else []
        try:
            yield
        finally:
            with self._lock:
                self._interrupts.remove(interrupt)
                if progress:
                    self._progress.remove(progress)
