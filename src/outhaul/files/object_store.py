"""Slices, archives and manifests as files with a key, in a directory or an object store.

A key is a path of plain words with slashes, such as `exports/<id>/archive.zip`. A file appears
whole or not at all, and is never changed under the same key while somebody may be reading it.
"""

import errno
import re
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import AzureStore, GCSStore, LocalStore, MemoryStore, S3Store

from outhaul.domain.errors import (
    FileMissing,
    StorageError,
    StorageFull,
    StorageRefused,
    StorageUnavailable,
    UnsafeSettings,
)
from outhaul.domain.file_names import content_disposition, media_type
from outhaul.files import local
from outhaul.files.buckets import open_bucket
from outhaul.files.uploads import abort_dangling

if TYPE_CHECKING:
    from obstore.store import ObjectStore  # exists for the type checker only

_CHUNK_BYTES = 1 << 20
_REMOTE_WINDOW_BYTES = 8 << 20
# An upload has at most 10,000 parts on S3: this part length allows files of 160 GB. Four parts on
# their way at once hold 64 MB, whatever the length of the file.
_PART_BYTES = 16 << 20
_PARTS_AT_ONCE = 4
_CHECK_KEY = ".check"
_CLOCK_SLACK = timedelta(minutes=15)
_OS_ERROR = re.compile(r"\(os error (\d+)\)")
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

Doomed = Callable[[Iterable[str]], Container[str]]
"""Picks from among keys those that nobody needs."""


def _none(_keys: Iterable[str]) -> Container[str]:
    return ()


def open_files(location: str, *, public_endpoint: str | None = None) -> "Files":
    """The files at `location`: a directory (made when missing), `memory://`, or a URL of a bucket.

    `s3://`, `gs://` and `az://` URLs may end in a folder; keys and endpoints come from the usual
    variables of these services (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL` and so on). A bucket is
    first contacted by the first call. `public_endpoint` is where others reach a bucket of S3, if
    that is another address than ours. Raises StorageUnavailable where a directory cannot be made,
    and UnsafeSettings where a bucket cannot be opened as told.
    """
    if location.startswith("memory://"):
        return Files(MemoryStore())
    if "://" in location:
        bucket = open_bucket(location)
        if public_endpoint is None:
            return Files(bucket)
        return Files(bucket, seen_from_outside=open_bucket(location, endpoint=public_endpoint))
    with _translated(location):
        local.create(root := Path(location).absolute())
        return Files(LocalStore(root, automatic_cleanup=True))


class Files:
    """Files by key. All methods may be called from any thread.

    Every method raises StorageUnavailable when the object store fails; other errors are named.
    """

    def __init__(
        self, store: "ObjectStore", *, seen_from_outside: "ObjectStore | None" = None
    ) -> None:
        """`seen_from_outside` is the same store at the address that others use."""
        self._store = store
        self._outside = seen_from_outside or store
        self._root = store.prefix if isinstance(store, LocalStore) else None
        # A bucket has every folder; one where a file has no place is not there itself.
        self._nowhere = StorageUnavailable if self._root else StorageRefused
        # A directory answers at once; over a network every request costs a way there and back.
        self._window_bytes = _CHUNK_BYTES if self._root else _REMOTE_WINDOW_BYTES
        self._part_bytes = _CHUNK_BYTES if self._root else _PART_BYTES

    def write(
        self,
        key: str,
        chunks: Iterable[bytes],
        *,
        durable: bool = True,
        save_as: str | None = None,
    ) -> int:
        """Store the joined chunks as the file `key`, replacing it; returns its bytes.

        When it returns, the file is durable; without `durable`, one in a directory outlives this
        process but not a loss of power. When `chunks` raises, there is no new file; after a
        StorageError there may be one, on which nobody can rely. Holds 100 MB at most. A bucket
        that is asked for the file by itself offers it as `save_as`. Raises StorageFull.
        """
        written = 0
        attributes = None
        if save_as is not None and self._root is None:
            attributes = {
                "Content-Type": media_type(save_as),
                "Content-Disposition": content_disposition(save_as),
            }
        # `put` would take the chunks itself, but pulls them inside obstore's own event loop, where
        # a source that reads another file (an archive reads its slices) cannot run.
        with (
            _translated(key, missing=self._nowhere),
            obstore.open_writer(
                self._store,
                key,
                attributes=attributes,
                buffer_size=self._part_bytes,
                max_concurrency=_PARTS_AT_ONCE,
            ) as writer,
        ):
            for chunk in chunks:
                written += writer.write(chunk)
        if self._root and durable:
            with _translated(key):
                local.keep(self._root, key)
        return written

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to `end` (excluded; None or too large: the end of the file).

        Chunks have at most 1 MiB. Raises FileMissing at once, before the first chunk is asked for.
        """
        size = self.size(key)
        return self._windows(key, start, size if end is None else min(end, size))

    def _windows(self, key: str, start: int, end: int) -> Iterator[bytes]:
        # One long response would be cut off by the time limit of a request when a slow caller
        # takes its time; and obstore streams a local file in steps of 8 KiB, 20 times slower.
        while start < end:
            with _translated(key, missing=FileMissing):
                window = memoryview(
                    self._store.get_range(
                        key, start=start, end=min(end, start + self._window_bytes)
                    )
                )
            if not window:
                raise StorageUnavailable(key)
            for offset in range(0, len(window), _CHUNK_BYTES):
                yield bytes(window[offset : offset + _CHUNK_BYTES])
            start += len(window)

    def piece(self, key: str, start: int, end: int) -> bytes:
        """The bytes from `start` up to `end` (excluded, not beyond the file's end) at once.

        Raises FileMissing.
        """
        with _translated(key, missing=FileMissing):
            return bytes(memoryview(self._store.get_range(key, start=start, end=end)))

    def size(self, key: str) -> int:
        """The file's bytes. Raises FileMissing."""
        with _translated(key, missing=FileMissing):
            return self._store.head(key)["size"]

    def holds(self, key: str, size: int) -> bool:
        """Whether the file is there, with so many bytes."""
        try:
            return self.size(key) == size
        except FileMissing:
            return False

    def link(self, key: str, good_for: timedelta) -> str:
        """A URL under which anybody can fetch the file from the object store itself.

        Only made, not tried: whether there is such a file shows when it is followed. Raises
        UnsafeSettings where this store can sign nothing.
        """
        if not isinstance(self._outside, S3Store | GCSStore | AzureStore):
            raise UnsafeSettings("only files in a bucket have links of their own")
        try:
            return obstore.sign(self._outside, "GET", key, good_for)
        except BaseError as error:
            raise UnsafeSettings(
                "the keys of the object store cannot sign links: set OUTHAUL_DOWNLOADS=server, or"
                " give it keys that can (docs/operating.md)"
            ) from error

    def delete(self, keys: Iterable[str]) -> None:
        """Delete these files, durably; those that are missing already are fine.

        An error names the first key: any of the files may be gone by then, and asking again is
        right.
        """
        doomed = list(keys)
        if not doomed:
            return
        with _translated(doomed[0]):
            try:
                self._store.delete(doomed)
            except FileNotFoundError:
                # Some stores stop at a missing file, and leave open which others they deleted.
                for key in doomed:
                    with suppress(FileNotFoundError):
                        self._store.delete(key)
            if self._root:
                local.forget(self._root, doomed)

    def delete_prefix(self, prefix: str) -> None:
        """Delete every file below the folder `prefix`."""
        self.delete(list(self.keys(prefix)))

    def keys(self, prefix: str, *, before: datetime | None = None) -> Iterator[str]:
        """The keys below the folder `prefix`, in no particular order; "" means all. With `before`
        only those of files that were written earlier, by the object store's clock.

        `a` is a prefix of `a/b` but not of `ab`.
        """
        with _translated(prefix):
            for batch in self._store.list(prefix or None, chunk_size=1000):
                yield from (
                    meta["path"]
                    for meta in batch
                    if before is None or meta["last_modified"] < before
                )

    def check(self) -> None:
        """Write a tiny file and delete it: returns when files can be written.

        Raises StorageFull.
        """
        with _translated(_CHECK_KEY, missing=self._nowhere):
            self._store.put(_CHECK_KEY, b"outhaul")
        self.delete([_CHECK_KEY])

    def sweep(self, *, before: datetime | None = None, at_once: Doomed = _none) -> int:
        """Clear what writes that never ended left: temporary files, empty folders, dangling
        uploads; how many uploads. With `before` only what is older, because somebody may be
        writing, and those whose keys `at_once` picks from among the keys that were found.

        Without it only for the process that owns the files, at its start.
        """
        if self._root:
            with _translated(""):
                local.sweep(self._root, before=before, at_once=at_once)
        if isinstance(self._store, S3Store):
            until = before or datetime.now(UTC) + _CLOCK_SLACK
            return abort_dangling(self._store, before=until, at_once=at_once)
        return 0


@contextmanager
def _translated(key: str, *, missing: type[StorageError] = StorageUnavailable) -> Iterator[None]:
    """Turn what obstore and the operating system raise into our errors; `missing` for a 404."""
    try:
        yield
    except FileNotFoundError as error:
        raise missing(key) from error
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise StorageRefused(key) from error
    except (OSError, BaseError) as error:
        raise (StorageFull if _errno(error) in _NO_ROOM else StorageUnavailable)(key) from error


def _errno(error: Exception) -> int | None:
    """The operating system's number for the error, which obstore gives in its message only."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    told = _OS_ERROR.search(str(error))
    return int(told[1]) if told else None
