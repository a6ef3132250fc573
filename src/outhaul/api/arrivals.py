"""Answers of other threads, brought to the event loop many at once."""

import asyncio
from collections import deque
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Arrivals:
    """Lets one event loop wait for futures of threads. A commit answers many callers at the same
    time; asyncio's own bridge would wake the loop for each of them."""

    def __init__(self) -> None:
        self._arrived: deque[tuple[asyncio.Future[Any], Future[Any]]] = deque()
        self._is_called = False

    async def of(self, future: "Future[T]") -> T:
        """What the future gives or raises. Giving up the waiting does not cancel it."""
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[T] = loop.create_future()

        def done(answered: "Future[T]") -> None:
            self._arrived.append((mine, answered))
            if not self._is_called:
                self._is_called = True
                loop.call_soon_threadsafe(self._deliver)

        future.add_done_callback(done)
        return await mine

    def _deliver(self) -> None:
        # Before the first is looked at: who comes after the last one calls again.
        self._is_called = False
        while self._arrived:
            mine, answered = self._arrived.popleft()
            if mine.cancelled():
                continue
            fault = answered.exception()
            if fault is None:
                mine.set_result(answered.result())
            else:
                mine.set_exception(fault)
