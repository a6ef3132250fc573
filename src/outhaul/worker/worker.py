"""The threads: some for steps of exports, one for imports, one that beats."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from outhaul.domain.errors import CatalogUnavailable
from outhaul.domain.ids import new_id
from outhaul.domain.priority import stand_back
from outhaul.worker.bell import Bell

_log = logging.getLogger(__name__)
_POLL_S = 1.0
_BEAT_S = 0.5
_PAUSE_AFTER_FAULT_S = 1.0


class Work(Protocol):
    """Something that is due in the catalog again and again."""

    def do_one(self, owner: str) -> bool:
        """Do one piece; False when none was due."""

    def beat(self) -> Sequence[threading.Thread]:
        """Keep the leases of the pieces in hand. Threads that turned out to hang, whose pieces
        others may do by now, are returned."""

    def cancel_all(self) -> None:
        """Stop the pieces in hand."""


class Worker:
    """Runs pieces of work until stopped."""

    def __init__(
        self, work: Sequence[tuple[Work, int]], bell: Bell, *, id_: str | None = None
    ) -> None:
        """`work` says how many threads each kind gets; leases are held under the name `id_`."""
        self.id = id_ or new_id()
        self._work = [kind for kind, _ in work]
        self._bell = bell
        self._draining = threading.Event()
        self._stopping = threading.Event()
        self._doing = {self._thread(kind) for kind, threads in work for _ in range(threads)}
        self._beating = threading.Thread(target=self._beat, name="worker-beat")

    def start(self) -> None:
        for thread in (*self._doing, self._beating):
            thread.start()

    def stop(self) -> None:
        """Stop within moments: work in hand is interrupted and its leases are given back."""
        self._stopping.set()
        for kind in self._work:
            kind.cancel_all()
        self._bell.ring()
        # Threads that hang are not waited for once their work is taken from them.
        while alive := [thread for thread in self._doing if thread.is_alive()]:
            alive[0].join(_BEAT_S)
        self._beating.join()

    def drain(self, until: Callable[[], bool]) -> None:
        """Begin nothing more, and wait for the work in hand; no longer than till it is `until`."""
        self._draining.set()
        self._bell.ring()
        while not until() and any(thread.is_alive() for thread in self._doing):
            time.sleep(_BEAT_S / 10)

    def alive(self) -> bool:
        """Whether every thread still runs."""
        return all(thread.is_alive() for thread in (*self._doing, self._beating))

    def _thread(self, kind: Work) -> threading.Thread:
        # A thread that hangs must not keep the process from ending.
        return threading.Thread(target=self._do, args=(kind,), name="worker", daemon=True)

    def _do(self, kind: Work) -> None:
        stand_back()
        while not self._leaving() and threading.current_thread() in self._doing:
            heard = self._bell.rings
            if not self._survive(lambda: kind.do_one(self.id)):
                self._bell.wait(heard, _POLL_S)

    def _leaving(self) -> bool:
        return self._stopping.is_set() or self._draining.is_set()

    def _beat(self) -> None:
        # While work is being stopped its leases are kept too, so this thread ends last.
        while any(thread.is_alive() for thread in self._doing):
            for kind in self._work:
                if self._stopping.is_set():
                    kind.cancel_all()
                self._survive(partial(self._keep, kind))
            self._stopping.wait(_BEAT_S) if not self._stopping.is_set() else self._bell.wait(
                self._bell.rings, _BEAT_S / 10
            )

    def _keep(self, kind: Work) -> None:
        """Beat; another thread takes the place of each that hangs, which ends when it wakes."""
        for hung in kind.beat():
            other = self._thread(kind)
            # A new set, because others are walking through the present one.
            self._doing = self._doing - {hung} | {other}
            other.start()

    def _survive(self, action: Callable[[], object]) -> bool:
        """A fault of the catalog must not end the thread: it may be back in a moment."""
        try:
            return bool(action())
        except CatalogUnavailable:
            _log.warning("catalog unavailable")
            self._stopping.wait(_PAUSE_AFTER_FAULT_S)
            return False
        except Exception as error:  # noqa: BLE001 -- see the docstring
            _log.error("worker fault", extra={"error": type(error).__name__}, exc_info=error)
            self._stopping.wait(_PAUSE_AFTER_FAULT_S)
            return False
