"""The whole path of an export, on one screen.

Each step takes what the step before has recorded and gives what is to be recorded next; none of
them changes the catalog. A step that is done again from the same plan gives the same bytes.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from outhaul.archive.container import Member, Part
from outhaul.archive.deflate import SliceCompressor
from outhaul.archive.manifest import Manifest
from outhaul.archive.stream import file_bytes, text_part
from outhaul.domain.account import Account
from outhaul.domain.cancellation import Cancellation
from outhaul.domain.errors import Conflict, ExportFailed, FailureCause, FileMissing, OuthaulError
from outhaul.domain.export import (
    ArchiveFacts,
    CustomField,
    Export,
    Frozen,
    RowKey,
    SliceFacts,
    SlicePlan,
)
from outhaul.domain.ids import new_id
from outhaul.domain.instants import now
from outhaul.domain.members import file_extension, rows_of_slice
from outhaul.domain.plan import ExportPlan
from outhaul.files.object_store import Files
from outhaul.pipeline.hashing import SideHash
from outhaul.pipeline.layout import MemberLayout, layout
from outhaul.pipeline.manifest import manifest_of
from outhaul.pipeline.parts import SliceSource, members_of, rendered
from outhaul.store.commits import Commits
from outhaul.store.parquet import ParquetWriter
from outhaul.store.reader import RowReader, SnapshotReader, TextBatch
from outhaul.unload.reader import UnloadReader
from outhaul.unload.store_unload import StoreUnload

if TYPE_CHECKING:
    from outhaul.warehouse.warehouse import Warehouse  # stands on packages of extras


class FieldsAsOf(Protocol):
    """Tells the custom fields of an account in a snapshot, in creation order."""

    def as_of(self, account_id: str, snapshot: int) -> tuple[CustomField, ...]: ...


class Pipeline:
    """Plans, renders and assembles exports of any account."""

    def __init__(
        self,
        commits: Commits,
        fields: FieldsAsOf,
        reader: SnapshotReader,
        files: Files,
        *,
        slice_rows: int,
        unloads: UnloadReader,
        parquet: ParquetWriter,
        unload: StoreUnload | None = None,
        warehouse: "Warehouse | None" = None,
    ) -> None:
        """`unload` takes slices out of the accounts' stores for processes without these, which
        need `unloads` alone. Accounts that the `warehouse` holds are always unloaded, by it."""
        self._commits = commits
        self._fields = fields
        self._reader = reader
        self._files = files
        self._slice_rows = slice_rows
        self._unloads = unloads
        self._parquet = parquet
        self._unload = unload
        self._warehouse = warehouse

    def plan(
        self, account: Account, export: Export, cancellation: Cancellation, *, draft: bool = False
    ) -> tuple[ExportPlan, tuple[SlicePlan, ...]]:
        """Fix the snapshot and all that shapes the file, and cut the rows into slices. A `draft`
        is for looking at and never unloaded; of a warehouse there is none: Conflict."""
        snapshot = self._commits.snapshot(account.id)
        segment_id = export.request.filters.segment_id
        plan = ExportPlan(
            snapshot=snapshot.number,
            snapshot_at=snapshot.at,
            frozen=Frozen.of(account, self._fields.as_of(account.id, snapshot.number)),
            now=now(),
            segment_rule=self._reader.segment_rule(account.id, segment_id, snapshot.number)
            if segment_id is not None
            else None,
            replans=export.replans,
        )
        members = layout(export, plan)
        if self._warehouse is None or not self._warehouse.holds(account.id):
            return plan, self._cut(self._reader, account.id, members, cancellation)
        if draft:
            raise Conflict("An export out of a warehouse cannot be estimated; create it.")
        state, place = self._warehouse.state(), f"{round_folder(export)}/unload-{new_id()}"
        self._warehouse.unload(account.id, state, members, folder=place, cancellation=cancellation)
        plan = replace(plan, unload=place, warehouse=state)
        return plan, self._cut(self._unloads, place, members, cancellation)

    def _cut(
        self,
        reader: RowReader,
        place: str,
        members: Sequence[MemberLayout],
        cancellation: Cancellation,
    ) -> tuple[SlicePlan, ...]:
        return tuple(
            part
            for member in members
            for part in reader.cut(
                place,
                member.selection,
                slice_rows=rows_of_slice(member.selection.kind, member.columns, self._slice_rows),
                cancellation=cancellation,
            )
        )

    def unload(
        self,
        export: Export,
        plan: ExportPlan,
        slice_plan: SlicePlan,
        *,
        attempt: int,
        cancellation: Cancellation,
    ) -> str:
        """Unload one slice out of the account's store; the folder of it. Every `attempt` writes
        one of its own. Raises Cancelled and StorageError."""
        assert self._unload is not None, "only who has the store is told to"
        part = f"{slice_plan.member}-{slice_plan.index}-{attempt}"
        place = f"{round_folder(export)}/unload-{part}"
        member = _member(layout(export, plan), slice_plan)
        self._unload.unload(
            export.account_id, member, slice_plan, folder=place, cancellation=cancellation
        )
        return place

    def render(
        self,
        export: Export,
        plan: ExportPlan,
        slice_plan: SlicePlan,
        *,
        attempt: int,
        cancellation: Cancellation,
        show_rows: Callable[[int], None],
    ) -> SliceFacts:
        """Render, compress and store one slice; `show_rows` hears how far it is. Every `attempt`
        writes a file of its own.

        Raises ExportFailed when the slice does not hold the rows that the plan counted.
        """
        compressor = SliceCompressor(export.request.extras.compression)
        rows = 0
        ends: list[RowKey] = []

        def compressed() -> Iterator[bytes]:
            nonlocal rows
            for batch in self.batches(export, plan, slice_plan, cancellation):
                yield compressor.write(batch.text)
                rows += batch.rows
                ends[:] = [*ends[:1], batch.last] if ends else [batch.first, batch.last]
                show_rows(rows)
            yield compressor.finish()

        key = f"{round_folder(export)}/slices/{slice_plan.member}-{slice_plan.index}-{attempt}"
        # Assembly checks every slice against its digest and has a lost one rendered again.
        self._files.write(key, compressed(), durable=False)
        if rows != slice_plan.rows:
            raise ExportFailed(
                FailureCause.PARITY_BROKEN, f"{rows} rows rendered, {slice_plan.rows} planned"
            )
        return SliceFacts(
            rows=rows,
            text_bytes=compressor.text_bytes,
            crc32=compressor.crc32,
            compressed_bytes=compressor.compressed_bytes,
            sha256=compressor.sha256,
            key=key,
            first=ends[0],
            last=ends[1],
            attempt=attempt,
        )

    def batches(
        self,
        export: Export,
        plan: ExportPlan,
        slice_plan: SlicePlan,
        cancellation: Cancellation,
    ) -> Iterator[TextBatch]:
        """The finished bytes of a slice, in order. Raises as `rendered` does."""
        reader, place = self._rows(export, plan, slice_plan)
        source = SliceSource(
            reader=reader,
            place=place,
            member=_member(layout(export, plan), slice_plan),
            slice_plan=slice_plan,
            request=export.request,
            frozen=plan.frozen,
            stored=plan.warehouse is None,
        )
        return rendered(source, self._parquet, cancellation)

    def heading(self, export: Export, member: MemberLayout, slices: Sequence[SlicePlan]) -> bytes:
        """What stands before the first row of a member with these slices."""
        _, first, _ = next(members_of(member, export.request, slices, self._parquet))
        return first

    def assemble(
        self,
        export: Export,
        plan: ExportPlan,
        slices: Sequence[tuple[SlicePlan, SliceFacts]],
        *,
        attempt: int,
        cancellation: Cancellation,
    ) -> tuple[ArchiveFacts, Manifest]:
        """Stitch the slices into the archive, durable when this returns. Every `attempt` writes
        a file of its own.

        Raises ExportFailed unless exactly the planned rows are there, and LostSlice where the
        bytes of a slice are not those that were recorded.
        """
        rows = sum(facts.rows for _, facts in slices)
        if rows != export.total:
            raise ExportFailed(FailureCause.PARITY_BROKEN, f"{rows} rows, {export.total} planned")
        compression = export.request.extras.compression
        with ThreadPoolExecutor(2) as executor:
            made: list[tuple[MemberLayout, Member, list[SliceFacts]]] = []
            for member in layout(export, plan):
                held = [part for part in slices if part[0].member is member.selection.kind]
                for name, first, parts in members_of(member, export.request, held, self._parquet):
                    file = Member(
                        name=name,
                        modified=export.created_at,
                        parts=[
                            text_part(first, compression),
                            *(self._part(*part, executor) for part in parts),
                        ],
                    )
                    made.append((member, file, [facts for _, facts in parts]))
            digest = SideHash(executor)

            def hashed() -> Iterator[bytes]:
                for chunk in file_bytes([file for _, file, _ in made], compression):
                    cancellation.check()
                    digest.take(chunk)
                    yield chunk

            key = f"{round_folder(export)}/archive-{attempt}.{file_extension(export.request)}"
            size = self._files.write(key, hashed(), save_as=export.file_name)
            archive = ArchiveFacts(key=key, bytes=size, sha256=digest.hexdigest())
        return archive, manifest_of(export, plan, archive, made)

    def _rows(
        self, export: Export, plan: ExportPlan, slice_plan: SlicePlan
    ) -> tuple[RowReader, str]:
        """Who reads the rows of the slice, and the place that they are at."""
        unload = slice_plan.unload or plan.unload
        return (self._reader, export.account_id) if unload is None else (self._unloads, unload)

    def _part(self, slice_plan: SlicePlan, facts: SliceFacts, executor: Executor) -> Part:
        return Part(
            text_bytes=facts.text_bytes,
            crc32=facts.crc32,
            compressed_bytes=facts.compressed_bytes,
            read=lambda: self._recorded_bytes(slice_plan, facts, executor),
        )

    def _recorded_bytes(
        self, slice_plan: SlicePlan, facts: SliceFacts, executor: Executor
    ) -> Iterator[bytes]:
        """The slice as it was recorded; a disk may have lost or changed it since."""
        digest, length = SideHash(executor), 0
        try:
            for chunk in self._files.read(facts.key):
                digest.take(chunk)
                length += len(chunk)
                # More than was recorded: not this slice, and the archive has no room for it.
                if length > facts.compressed_bytes:
                    break
                yield chunk
        except FileMissing as error:
            raise LostSlice(slice_plan) from error
        if length != facts.compressed_bytes or digest.hexdigest() != facts.sha256:
            raise LostSlice(slice_plan)


class LostSlice(OuthaulError):
    """The stored bytes of a recorded slice are missing, or are not those that were recorded."""

    def __init__(self, slice_plan: SlicePlan) -> None:
        super().__init__(f"{slice_plan.member} {slice_plan.index}")
        self.slice_plan = slice_plan


def folder(export: Export) -> str:
    """Prefix of the keys of all files of an export."""
    return f"exports/{export.id}"


def round_folder(export: Export) -> str:
    """Prefix of the keys of the files that belong to the export's present plan. What an earlier
    plan left may hold an erased contact and is deleted as a whole."""
    return f"{folder(export)}/{export.replans}"


def _member(members: Sequence[MemberLayout], slice_plan: SlicePlan) -> MemberLayout:
    return next(member for member in members if member.selection.kind is slice_plan.member)
