"""The owner of an account's store unloads a snapshot of it, so that others can render slices."""

import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from outhaul.domain.cancellation import Cancellation
from outhaul.domain.columns import Column
from outhaul.domain.export import Selection, SlicePlan
from outhaul.domain.members import rows_of_slice
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

    def __init__(
        self, reader: SnapshotReader, files: Files, *, scratch: Path, slice_rows: int
    ) -> None:
        """A Parquet file holds about `slice_rows` rows at most; a few lie in the folder `scratch`
        until they are among the files."""
        self._reader = reader
        self._files = files
        self._scratch = scratch
        self._slice_rows = slice_rows

    def unload(
        self,
        account_id: str,
        members: Collection[UnloadedMember],
        *,
        folder: str,
        cancellation: Cancellation,
    ) -> None:
        """Write a complete unload to `folder`, a prefix of keys that nobody has used before.

        Raises Cancelled and StorageError; what is in the folder then is no unload.
        """
        with tempfile.TemporaryDirectory(dir=self._scratch) as scratch:
            written = {
                member.selection.kind: tuple(
                    file
                    for part in self._reader.cut(
                        account_id,
                        member.selection,
                        slice_rows=rows_of_slice(
                            member.selection.kind, member.columns, self._slice_rows
                        ),
                        cancellation=cancellation,
                    )
                    for file in self._slice(
                        account_id, member, part, folder, Path(scratch), cancellation
                    )
                )
                for member in members
            }
        write_index(self._files, folder, UnloadIndex(members=written))

    def _slice(
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
