"""The owner of an account's store unloads slices of a snapshot, so that others can render them."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from outhaul.domain.cancellation import Cancellation
from outhaul.domain.columns import Column
from outhaul.domain.export import Selection, SlicePlan
from outhaul.files.object_store import Files
from outhaul.store.reader import SnapshotReader
from outhaul.store.unload import unload_slice
from outhaul.unload.index import UnloadedFile, UnloadIndex, write_index

_CHUNK_BYTES = 1 << 20


class UnloadedMember(Protocol):
    """One file of an export: its rows, and which of their columns it shows."""

    @property
    def selection(self) -> Selection: ...

    @property
    def columns(self) -> Sequence[Column]: ...


class StoreUnload:
    """Writes unloads of accounts' stores; methods may be called from any thread."""

    def __init__(self, reader: SnapshotReader, files: Files, *, scratch: Path) -> None:
        """The Parquet files of a slice lie in the folder `scratch` until they are among the
        files."""
        self._reader = reader
        self._files = files
        self._scratch = scratch

    def unload(
        self,
        account_id: str,
        member: UnloadedMember,
        part: SlicePlan,
        *,
        folder: str,
        cancellation: Cancellation,
    ) -> None:
        """Write a complete unload of the slice to `folder`, a prefix of keys that nobody has used
        before.

        Raises Cancelled and StorageError; what is in the folder then is no unload.
        """
        with tempfile.TemporaryDirectory(dir=self._scratch) as scratch:
            written = tuple(
                self._files_of(account_id, member, part, folder, Path(scratch), cancellation)
            )
        write_index(self._files, folder, UnloadIndex(members={part.member: written}))

    def _files_of(
        self,
        account_id: str,
        member: UnloadedMember,
        part: SlicePlan,
        folder: str,
        scratch: Path,
        cancellation: Cancellation,
    ) -> Iterator[UnloadedFile]:
        columns = [(column.source, column.activity_types) for column in member.columns]
        for written in unload_slice(
            self._reader,
            account_id,
            member.selection,
            part,
            columns,
            folder=scratch,
            cancellation=cancellation,
        ):
            self._files.write(f"{folder}/{written.path.name}", _chunks(written.path))
            written.path.unlink()
            yield UnloadedFile(
                name=written.path.name,
                rows=written.rows,
                first_ms=part.first.created_ms,
                last_ms=part.until.created_ms,
                types=tuple(sorted(written.types)),
            )


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
