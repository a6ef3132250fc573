"""Removes files that no export needs."""

import logging
import threading
import time
from collections.abc import Callable, Collection

from outhaul.catalog.leases import Leases
from outhaul.domain.errors import StorageError
from outhaul.files.object_store import Files

_log = logging.getLogger(__name__)
_PAUSE_S = 10.0


class Cleaning:
    """What the storage refuses to remove is removed later, at the next start at the latest."""

    def __init__(
        self, leases: Leases, files: Files, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._leases = leases
        self._files = files
        self._clock = clock
        self._lock = threading.Lock()
        self._left: set[str] = set()
        self._next = 0.0

    def at_start(self) -> None:
        """Remove what no export needs, before work starts: for the owner of the files."""
        try:
            self._files.sweep()
            self._delete("exports", self._leases.needed_files(), self._leases.needed_unloads())
        except StorageError as error:
            # Exports have to end, in `error` if need be: a broken storage is no reason to stay off.
            _log.error("files not swept error=%s", type(error).__name__)

    def if_ended(self, export_id: str) -> None:
        """Remove all files but its archive, if the export has ended or is gone. Whoever wrote for
        it calls this at last, so that the file of a worker that came too late goes as well."""
        if not self._leases.has_ended(export_id):
            return
        try:
            self._delete(f"exports/{export_id}", self._leases.needed_files(export_id))
        except StorageError as error:
            _log.error("files left export=%s error=%s", export_id, type(error).__name__)
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

    def _delete(self, prefix: str, needed: set[str], folders: Collection[str] = ()) -> None:
        self._files.delete(
            [
                key
                for key in self._files.keys(prefix)
                if key not in needed and key.rpartition("/")[0] not in folders
            ]
        )
