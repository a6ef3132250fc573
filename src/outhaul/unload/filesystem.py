"""The files of Outhaul as a file system that DuckDB reads Parquet from.

DuckDB asks for the byte ranges of the columns and row groups that it needs, wherever the files
lie. It takes file systems of fsspec's type only.
"""

import io
import itertools
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fsspec import AbstractFileSystem

from outhaul.domain.errors import StorageError
from outhaul.files.object_store import Files

if TYPE_CHECKING:
    from typing_extensions import Buffer  # the checker's stand-in for 3.12's collections.abc.Buffer

_numbers = itertools.count()
_UNCHANGED = datetime(2000, 1, 1, tzinfo=UTC)


class FilesSystem(AbstractFileSystem):  # type: ignore[misc]  # fsspec ships no types
    """Reads files by their URL."""

    cachable = False

    def __init__(self, files: Files) -> None:
        super().__init__()
        # An engine knows a file system by its protocol; another one needs another name.
        self.protocol = f"outhaul-{next(_numbers)}"
        self._files = files
        # DuckDB asks ten times for each file of each query; over a network that adds up.
        self._size = lru_cache(maxsize=4096)(files.size)
        self._faults: dict[str, StorageError] = {}
        self._lock = threading.Lock()

    def url(self, key: str) -> str:
        """What the engine reads the file by."""
        return f"{self.protocol}://{key}"

    def take_fault(self, keys: Collection[str]) -> StorageError | None:
        """What went wrong with one of these files, once: DuckDB passes on no more than a text."""
        with self._lock:
            found = [self._faults.pop(key) for key in keys if key in self._faults]
        return found[0] if found else None

    def open(self, path: str, mode: str = "rb", **_: Any) -> io.RawIOBase:
        """The file, for reading only."""
        if mode != "rb":
            raise io.UnsupportedOperation(mode)
        return _OpenFile(self, path, self.size(path))

    def glob(self, path: str, **_: Any) -> list[str]:
        """Keys are words without wildcards."""
        return [path]

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """What fsspec tells of a file."""
        return {"name": path, "size": self.size(path), "type": "file"}

    def size(self, path: str) -> int:
        """The file's bytes; asked for once, since a file never changes under its key."""
        with self._noted(key := self._key(path)):
            return self._size(key)

    def modified(self, path: str) -> datetime:  # noqa: ARG002 -- fsspec's signature
        """A file never changes under its key."""
        return _UNCHANGED

    def piece(self, path: str, start: int, end: int) -> bytes:
        """The bytes from `start` up to `end` (excluded)."""
        with self._noted(key := self._key(path)):
            return self._files.piece(key, start, end)

    def _key(self, path: str) -> str:
        return path.removeprefix(self.url(""))

    @contextmanager
    def _noted(self, key: str) -> Iterator[None]:
        try:
            yield
        except StorageError as fault:
            with self._lock:
                self._faults[key] = fault
            raise


class _OpenFile(io.RawIOBase):
    def __init__(self, system: FilesSystem, path: str, size: int) -> None:
        self._system = system
        self._path = path
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = base + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self._size if size < 0 else min(self._size, self._at + size)
        if end <= self._at:
            return b""
        read = self._system.piece(self._path, self._at, end)
        self._at = end
        return read

    def readinto(self, buffer: "Buffer") -> int:
        view = memoryview(buffer)
        read = self.read(len(view))
        view[: len(read)] = read
        return len(read)
