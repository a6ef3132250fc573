"""The whole path of an export, on one screen.

Each step takes what the step before has recorded and gives what is to be recorded next; none of
them changes the catalog. A step that is done again from the same plan gives the same bytes.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

from outhaul.archive.container import Member, Part, archive_bytes
from outhaul.archive.deflate import SliceCompressor
from outhaul.domain.account import Account
from outhaul.domain.cancellation import Cancellation
from outhaul.domain.errors import ExportFailed, FailureCause
from outhaul.domain.export import ArchiveFacts, Export, Frozen, SliceFacts, SlicePlan
from outhaul.domain.instants import from_epoch_ms
from outhaul.domain.plan import ExportPlan
from outhaul.files.object_store import Files
from outhaul.pipeline.layout import MemberLayout, layout
from outhaul.render.line import header, line_sql
from outhaul.store.commits import Commits
from outhaul.store.contact_fields import ContactFields
from outhaul.store.reader import SnapshotReader


class Pipeline:
    """Plans, renders and assembles exports of any account."""

    def __init__(
        self,
        commits: Commits,
        fields: ContactFields,
        reader: SnapshotReader,
        files: Files,
        *,
        slice_rows: int,
    ) -> None:
        self._commits = commits
        self._fields = fields
        self._reader = reader
        self._files = files
        self._slice_rows = slice_rows

    def plan(
        self, account: Account, export: Export, cancellation: Cancellation
    ) -> tuple[ExportPlan, tuple[SlicePlan, ...]]:
        """Fix the snapshot and all that shapes the file, and cut the rows into slices."""
        snapshot = self._commits.snapshot(account.id)
        plan = ExportPlan(
            snapshot=snapshot.number,
            snapshot_at=snapshot.at,
            frozen=Frozen(
                timezone=account.timezone,
                language=account.language,
                mobile_push=account.mobile_push,
                custom_fields=self._fields.as_of(account.id, snapshot.number),
            ),
        )
        parts = [
            part
            for member in layout(export, plan)
            for part in self._reader.cut(
                account.id,
                member.selection,
                slice_rows=self._slice_rows,
                cancellation=cancellation,
            )
        ]
        return plan, tuple(parts)

    def render(
        self,
        export: Export,
        plan: ExportPlan,
        slice_plan: SlicePlan,
        *,
        key: str,
        cancellation: Cancellation,
        show_rows: Callable[[int], None],
    ) -> SliceFacts:
        """Render, compress and store one slice under `key`; `show_rows` hears how far it is.

        Raises ExportFailed when the slice does not hold the rows that the plan counted.
        """
        member = _member(layout(export, plan), slice_plan)
        created = (
            from_epoch_ms(slice_plan.first.created_ms),
            from_epoch_ms(slice_plan.until.created_ms + 1),
        )
        compressor = SliceCompressor()
        rows = 0

        def compressed() -> Iterator[bytes]:
            nonlocal rows
            for batch in self._reader.lines(
                export.account_id,
                member.selection,
                slice_plan,
                line_sql=lambda types: line_sql(
                    member.columns,
                    types=types,
                    delimiter=export.request.delimiter,
                    date_format=export.request.date_format,
                    frozen=plan.frozen,
                    created=created,
                ),
                cancellation=cancellation,
            ):
                yield compressor.write(batch.text)
                rows += batch.rows
                show_rows(rows)
            yield compressor.finish()

        self._files.write(key, compressed())
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
        )

    def assemble(
        self,
        export: Export,
        plan: ExportPlan,
        slices: Sequence[tuple[SlicePlan, SliceFacts | None]],
        *,
        key: str,
        cancellation: Cancellation,
    ) -> ArchiveFacts:
        """Stitch the slices into the archive, durable under `key` when this returns.

        Raises ExportFailed unless exactly the planned rows are there.
        """
        rows = sum(facts.rows for _, facts in slices if facts is not None)
        if rows != export.total:
            raise ExportFailed(FailureCause.PARITY_BROKEN, f"{rows} rows, {export.total} planned")
        members = [
            Member(
                name=member.name,
                modified=export.created_at,
                parts=[
                    _header_part(header(member.columns, export.request.delimiter)),
                    *(
                        self._part(facts)
                        for slice_plan, facts in slices
                        if facts is not None and slice_plan.member is member.selection.kind
                    ),
                ],
            )
            for member in layout(export, plan)
        ]
        digest = hashlib.sha256()

        def hashed(hasher: Executor) -> Iterator[bytes]:
            # Hashing takes as long as copying, and neither needs the GIL: they go side by side,
            # one chunk apart.
            before = hasher.submit(lambda: None)
            for chunk in archive_bytes(members):
                cancellation.check()
                before.result()
                before = hasher.submit(digest.update, chunk)
                yield chunk
            before.result()

        with ThreadPoolExecutor(1) as hasher:
            size = self._files.write(key, hashed(hasher))
        return ArchiveFacts(key=key, bytes=size, sha256=digest.hexdigest())

    def _part(self, facts: SliceFacts) -> Part:
        return Part(
            text_bytes=facts.text_bytes,
            crc32=facts.crc32,
            compressed_bytes=facts.compressed_bytes,
            read=lambda: self._files.read(facts.key),
        )


def _member(members: Sequence[MemberLayout], slice_plan: SlicePlan) -> MemberLayout:
    return next(member for member in members if member.selection.kind is slice_plan.member)


def _header_part(text: bytes) -> Part:
    compressor = SliceCompressor()
    compressed = compressor.write(text) + compressor.finish()
    return Part(
        text_bytes=compressor.text_bytes,
        crc32=compressor.crc32,
        compressed_bytes=len(compressed),
        read=lambda: iter([compressed]),
    )
