"""From the facts of plan, slices and archive to the manifest."""

from collections.abc import Sequence

from outhaul import __version__
from outhaul.archive.codecs import LEVEL, compressor_of
from outhaul.archive.container import Member, combined_crc32, compressed_bytes
from outhaul.archive.manifest import (
    ArchiveProof,
    ColumnEntry,
    CompressorEntry,
    ExtrasEntry,
    FiltersEntry,
    HeaderProof,
    Manifest,
    ManifestContent,
    MemberProof,
    RowPlace,
    SliceProof,
    SnapshotEntry,
    TableEntry,
    WarehouseEntry,
    columns_digest,
    sealed,
)
from outhaul.domain.export import ArchiveFacts, Export, ExportRequest, RowKey, SliceFacts
from outhaul.domain.extras import Compression, FileFormat
from outhaul.domain.instants import from_epoch_ms, to_text
from outhaul.domain.plan import ExportPlan, WarehouseState
from outhaul.pipeline.layout import MemberLayout
from outhaul.store.parquet import WRITER


def manifest_of(
    export: Export,
    plan: ExportPlan,
    archive: ArchiveFacts,
    members: Sequence[tuple[MemberLayout, Member, Sequence[SliceFacts]]],
) -> Manifest:
    """The manifest of a finished archive; `members` in their order in it."""
    request = export.request
    before = [None, *(layout for layout, _, _ in members)]
    return sealed(
        ManifestContent(
            outhaul=__version__,
            export_id=export.id,
            export_type=request.export_type.value,
            version=request.version.value,
            date_format=request.date_format.value,
            delimiter=request.delimiter.value,
            filters=_filters(request),
            extras=ExtrasEntry(**asked) if (asked := request.extras.asked) else None,
            timezone=plan.frozen.timezone,
            language=plan.frozen.language.value,
            created_at=to_text(export.created_at),
            snapshot=SnapshotEntry(
                number=plan.snapshot,
                at=to_text(plan.snapshot_at) if plan.snapshot_at else None,
                warehouse=_warehouse(plan.warehouse) if plan.warehouse else None,
            ),
            compressor=CompressorEntry(name=_compressor(request), level=LEVEL),
            replans=plan.replans or None,
            rows=sum(part.rows for _, _, slices in members for part in slices),
            archive=ArchiveProof(
                file_name=export.file_name, bytes=archive.bytes, sha256=archive.sha256
            ),
            members=tuple(
                # The columns of a data set of thousands of files stand at its first one.
                _member(*one, request.extras.compression, named=one[0] is not former)
                for former, one in zip(before, members, strict=False)
            ),
        )
    )


def _member(
    layout: MemberLayout,
    member: Member,
    slices: Sequence[SliceFacts],
    compression: Compression,
    *,
    named: bool,
) -> MemberProof:
    columns = tuple(
        ColumnEntry(id=column.id, label=column.label, type=column.type.value)
        for column in layout.columns
    )
    header = member.parts[0]
    return MemberProof(
        name=member.name,
        rows=sum(part.rows for part in slices),
        bytes=sum(part.text_bytes for part in member.parts),
        crc32=f"{combined_crc32(member):08x}",
        compressed_bytes=compressed_bytes(member)
        if compression is Compression.ZIP
        else sum(part.compressed_bytes for part in member.parts),
        columns=columns if named else None,
        columns_sha256=columns_digest(columns),
        header=HeaderProof(bytes=header.text_bytes, compressed_bytes=header.compressed_bytes),
        slices=tuple(
            SliceProof(
                rows=part.rows,
                bytes=part.text_bytes,
                crc32=f"{part.crc32:08x}",
                compressed_bytes=part.compressed_bytes,
                sha256=part.sha256,
                first=_place(layout, part.first),
                last=_place(layout, part.last),
                attempt=part.attempt,
            )
            for part in slices
        ),
    )


def _compressor(request: ExportRequest) -> str:
    name = compressor_of(request.extras.compression)
    return f"{WRITER}, {name}" if request.extras.format is FileFormat.PARQUET else name


def _warehouse(state: WarehouseState) -> WarehouseEntry:
    return WarehouseEntry(
        engine=state.engine,
        tables=tuple(
            TableEntry(role=table.role, name=table.name, version=table.version)
            for table in state.tables
        ),
        guarantee="versions" if state.pinned else "asFound",
    )


def _place(layout: MemberLayout, key: RowKey) -> RowPlace | None:
    if layout.selection.report is not None:
        return None
    return RowPlace(created_at=to_text(from_epoch_ms(key.created_ms)), id=key.id)


def _filters(request: ExportRequest) -> FiltersEntry:
    filters, report = request.filters, request.report
    return FiltersEntry(
        activity_types=report.activity_types if report else filters.activity_types,
        from_date=to_text(filters.from_date) if filters.from_date else None,
        to_date=to_text(filters.to_date) if filters.to_date else None,
        segment_id=filters.segment_id,
        report_id=filters.report_id,
    )
