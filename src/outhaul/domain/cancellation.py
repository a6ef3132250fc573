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
        self._asked = time.monotonic()

    @property
    def idle_s(self) -> float:
        """Seconds since the work last asked, which it does whenever it has got a bit further."""
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
    def interrupting(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """While the block runs, `cancel` also calls `interrupt`. Raises Cancelled when set."""
        self.check()
        with self._lock:
            if self._set:
                raise Cancelled
            self._interrupts.append(interrupt)
        try:
            yield
        finally:
            with self._lock:
                self._interrupts.remove(interrupt)
