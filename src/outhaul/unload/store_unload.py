"""The owner of an account's store unloads slices of a snapshot, so that others can render them."""

import itertools
from collections.abc import Sequence
from typing import Protocol

from outhaul.domain.cancellation import Cancellation
from outhaul.domain.columns import Column
from outhaul.domain.errors import ExportFailed, FailureCause
from outhaul.domain.export import Selection, SlicePlan
from outhaul.files.object_store import Files
from outhaul.store.reader import SmallBatches, SnapshotReader
from outhaul.store.unload import unload_slice
from outhaul.unload.arrow_file import ArrowEncoder
from outhaul.unload.index import UnloadedFile, UnloadIndex, write_index


class UnloadedMember(Protocol):
    """One file of an export: its rows, and which of their columns it shows."""

    @property
    def selection(self) -> Selection: ...

    @property
    def columns(self) -> Sequence[Column]: ...


class StoreUnload:
    """Writes unloads of accounts' stores; methods may be called from any thread."""

    def __init__(self, reader: SnapshotReader, files: Files) -> None:
        self._reader = reader
        self._files = files

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

        Raises Cancelled, StorageError, and ExportFailed unless it has the rows that were planned;
        what is in the folder then is no unload.
        """
        written: list[UnloadedFile] = []

        def keep(types: frozenset[str], batches: SmallBatches) -> None:
            encoder = ArrowEncoder()
            pieces = encoder.pieces(batches, cancellation)
            first = next(pieces, None)
            if first is None:
                return
            name = f"{part.member}-{len(written)}.arrows.gz"
            self._files.write(f"{folder}/{name}", itertools.chain([first], pieces))
            written.append(
                UnloadedFile(
                    name=name,
                    rows=encoder.rows,
                    first_ms=part.first.created_ms,
                    last_ms=part.until.created_ms,
                    types=tuple(sorted(types)),
                    arrow=True,
                )
            )

        unload_slice(
            self._reader,
            account_id,
            member.selection,
            part,
            [(column.source, column.activity_types) for column in member.columns],
            keep=keep,
            cancellation=cancellation,
        )
        found = sum(file.rows for file in written)
        if found != part.rows:
            raise ExportFailed(
                FailureCause.PARITY_BROKEN, f"{found} rows unloaded, {part.rows} planned"
            )
        write_index(self._files, folder, UnloadIndex(members={part.member: tuple(written)}))
