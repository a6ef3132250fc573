"""Removes files that no export needs."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath

from outhaul.catalog.needed_files import NeededFiles
from outhaul.domain.errors import StorageError
from outhaul.files.object_store import Files

_log = logging.getLogger(__name__)
_PAUSE_S = 10.0
GRACE = timedelta(days=1)
"""A slice or an archive is recorded within moments after it was written, but an object in a bucket
is as old as the beginning of its upload."""


class Cleaning:
    """What the storage refuses to remove is removed later, at the next start at the latest."""

    def __init__(
        self,
        needed: NeededFiles,
        files: Files,
        *,
        claim: Callable[[Files], None] = lambda _files: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`claim` raises where the files are not this catalog's: then none is removed in bulk."""
        self._needed = needed
        self._claim = claim
        self._files = files
        self._clock = clock
        self._lock = threading.Lock()
        self._left: set[str] = set()
        self._next = 0.0

    def at_start(self, *, alone: bool = True) -> None:
        """Remove what no export needs, before work starts: for who is `alone` with the files. Where
        others may be writing, only make sure that they are this catalog's.

        Raises what `claim` raises, unless that is a StorageError.
        """
        try:
            self._claim(self._files)
            if alone:
                self._files.sweep()
                self._delete("exports")
        except StorageError as error:
            # Exports have to end, in `error` if need be: a broken storage is no reason to stay off.
            _log.error("files not swept", extra={"error": type(error).__name__})

    def of_left(self) -> None:
        """Remove what processes that died have left, while others may be writing: of exports that
        have ended or are gone at once, of running ones what has not been needed for a day.

        Raises StorageError, and what `claim` raises.
        """
        before = datetime.now(UTC) - GRACE
        self._claim(self._files)
        uploads = self._files.sweep(before=before, at_once=self._of_no_running)
        files = self._delete("exports", before=before)
        if files or uploads:
            _log.info("files removed", extra={"files": files, "uploads": uploads})

    def if_ended(self, export_id: str) -> None:
        """Remove all files but its archive, if the export has ended or is gone. Whoever wrote for
        it calls this at last, so that the file of a worker that came too late goes as well."""
        if not self._needed.has_ended(export_id):
            return
        try:
            self._delete(f"exports/{export_id}", export_id)
        except StorageError as error:
            _log.error("files left", extra={"export": export_id, "error": type(error).__name__})
            with self._lock:
                self._left.add(export_id)
                self._next = self._clock() + _PAUSE_S

    def again(self) -> None:
        """Try what the storage refused, if that was some time ago."""
        with self._lock:
            if not self._left or self._clock() < self._next:
                return
            left, self._left = self._left, set()
        for export_id in left:
            self.if_ended(export_id)

    def _of_no_running(self, keys: Iterable[str]) -> set[str]:
        """Those of exports for which nothing is to be done any more, so that whoever still writes
        them comes too late. Asked after the keys were found: an export is known before its first
        file is begun."""
        exports = {key: _export_of(key) for key in keys}
        running = self._needed.running() | self._needed.of_newer()
        return {key for key, id_ in exports.items() if id_ is not None and id_ not in running}

    def _delete(
        self, prefix: str, export_id: str | None = None, *, before: datetime | None = None
    ) -> int:
        # Listed before the catalog is asked: what is written and recorded in between stays.
        found = list(self._files.keys(prefix))
        at_once = set(found) if before is None else self._of_no_running(found)
        needed, folders = self._needed.keys(export_id), self._needed.unloads(export_id)
        newer = self._needed.of_newer(export_id)
        doomed = {
            key
            for key in found
            if key not in needed
            and folders.isdisjoint(map(str, PurePosixPath(key).parents))
            and _export_of(key) not in newer
        }
        old: set[str] = set()
        for running in {_export_of(key) for key in doomed - at_once}:
            old.update(self._files.keys(f"exports/{running}", before=before))
        doomed &= at_once | old
        self._files.delete(doomed)
        return len(doomed)


def _export_of(key: str) -> str | None:
    """The id of the export that the file belongs to, if it lies where those of exports do."""
    folder, _, below = key.partition("/")
    return below.partition("/")[0] if folder == "exports" else None
