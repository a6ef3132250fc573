"""Faults of the real world, made to order inside a server process.

A disk fault is raised where the operating system's own would be, inside the translation of storage
errors, so everything above it is the real thing.
"""

import errno
import math
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from outhaul.files import object_store
from outhaul.files.object_store import Files

_BUSY_MS = 200


def kill(_data: Path, _seconds: float) -> None:
    """The process is gone, as with `kill -9` or a power cut."""
    os.kill(os.getpid(), signal.SIGKILL)


def freeze(_data: Path, _seconds: float) -> None:
    """The whole process stops until somebody sends SIGCONT."""
    os.kill(os.getpid(), signal.SIGSTOP)


def full_disk(_data: Path, seconds: float) -> None:
    """Writing fails for want of room; reading and deleting go on."""
    _disk.break_for(seconds, errno.ENOSPC, ("write",))


def read_only(_data: Path, seconds: float) -> None:
    """Neither writing nor deleting is possible; reading is."""
    _disk.break_for(seconds, errno.EROFS, ("write", "delete"))


def files_fail(_data: Path, seconds: float) -> None:
    """Every call of the object store fails."""
    _disk.break_for(seconds, errno.EIO)


def files_hang(_data: Path, seconds: float) -> None:
    """Every call of the object store hangs, and goes on as if nothing had been."""
    _disk.break_for(seconds, None)


def catalog_locked(data: Path, seconds: float) -> None:
    """Somebody else has the catalog's write lock, longer than a transaction waits for it."""
    locked = threading.Event()

    def hold() -> None:
        connection = sqlite3.connect(data / "catalog.db", isolation_level=None, timeout=30)
        connection.execute("BEGIN IMMEDIATE")
        locked.set()
        time.sleep(seconds)
        connection.rollback()
        connection.close()

    threading.Thread(target=hold, daemon=True).start()
    locked.wait()


def thread_hangs(_data: Path, seconds: float) -> None:
    """Only the thread that came here hangs; the process lives."""
    threading.Event().wait(None if math.isinf(seconds) else seconds)


FAULTS: dict[str, Callable[[Path, float], None]] = {
    "kill": kill,
    "freeze": freeze,
    "full-disk": full_disk,
    "read-only": read_only,
    "files-fail": files_fail,
    "files-hang": files_hang,
    "catalog-locked": catalog_locked,
}


class _Disk:
    """What every call of the object store asks before it goes on."""

    def __init__(self) -> None:
        self._until = 0.0
        self._number: int | None = None
        self._broken: tuple[str, ...] = ()
        self._doing = threading.local()

    def break_for(
        self,
        seconds: float,
        number: int | None,
        broken: tuple[str, ...] = ("write", "delete", "other"),
    ) -> None:
        """Calls of the `broken` kinds raise the OSError of this number; None: they hang."""
        self._number, self._broken = number, broken
        self._until = time.monotonic() + seconds

    @contextmanager
    def doing(self, kind: str) -> Iterator[None]:
        self._doing.now = kind
        try:
            yield
        finally:
            self._doing.now = "other"

    def pass_or_fail(self) -> None:
        kind = getattr(self._doing, "now", "other")
        if time.monotonic() >= self._until or kind not in self._broken:
            return
        if self._number is None:
            left = self._until - time.monotonic()
            threading.Event().wait(None if math.isinf(left) else left)
        else:
            raise OSError(self._number, os.strerror(self._number))


_disk = _Disk()


def prepare() -> None:
    """Let disk and catalog fail on demand; without a fault everything works as ever."""
    translated = object_store._translated

    @contextmanager
    def asking(key: str, **options: Any) -> Iterator[None]:
        with translated(key, **options):
            _disk.pass_or_fail()
            yield

    object_store._translated = asking
    for kind in ("write", "delete"):
        setattr(Files, kind, _marked(kind, getattr(Files, kind)))
    event.listen(Engine, "connect", _wait_briefly)


def _marked(kind: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def marked(*given: Any, **named: Any) -> Any:
        with _disk.doing(kind):
            return call(*given, **named)

    return marked


def _wait_briefly(connection: Any, _record: object) -> None:
    # The driver waits half a minute for a lock; a test cannot.
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
