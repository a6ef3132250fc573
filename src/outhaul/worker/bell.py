"""Wakes idle threads when there is new work, so that small exports need not wait for a poll."""

import threading


class Bell:
    """Rung by whoever leaves work; a ring between two waits is not missed."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rings = 0

    def ring(self) -> None:
        with self._condition:
            self._rings += 1
            self._condition.notify_all()

    @property
    def rings(self) -> int:
        """Count of rings so far; hand it to `wait`."""
        return self._rings

    def wait(self, heard: int, timeout_s: float) -> None:
        """Return at a ring later than number `heard`, or after the timeout."""
        with self._condition:
            self._condition.wait_for(lambda: self._rings != heard, timeout_s)
