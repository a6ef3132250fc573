"""What a slice becomes in the file to download: a run of a text, or a Parquet file of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, TypeVar

from outhaul.domain.cancellation import Cancellation
from outhaul.domain.errors import ExportFailed, FailureCause
from outhaul.domain.export import ExportRequest, Frozen, SlicePlan
from outhaul.domain.extras import FileFormat
from outhaul.domain.instants import from_epoch_ms
from outhaul.domain.parquet import part_name
from outhaul.pipeline.layout import MemberLayout
from outhaul.pipeline.lines import row_sql, title
from outhaul.render.packed import Packing
from outhaul.store.parquet import ParquetWriter
from outhaul.store.reader import RowReader, TextBatch

_CHUNK_BYTES = 1 << 20

S = TypeVar("S")


@dataclass(frozen=True, kw_only=True)
class SliceSource:
    """Where a slice's rows are, and what they are to become."""

    reader: RowReader
    place: str
    member: MemberLayout
    slice_plan: SlicePlan
    request: ExportRequest
    frozen: Frozen
    stored: bool
    """Whether the rows are those of a store of Outhaul's own."""


def rendered(
    source: SliceSource, writer: ParquetWriter, cancellation: Cancellation
) -> Iterator[TextBatch]:
    """The finished bytes of a slice, in order. Raises Cancelled, and ExportFailed where rows get
    lost on the way."""
    if source.request.extras.format is FileFormat.PARQUET:
        return _parquet(source, writer, cancellation)
    part = source.slice_plan
    created = (from_epoch_ms(part.first.created_ms), from_epoch_ms(part.until.created_ms + 1))
    return source.reader.lines(
        source.place,
        source.member.selection,
        part,
        line_sql=partial(
            row_sql,
            source.member,
            source.request,
            source.frozen,
            created,
            stored=source.stored,
        ),
        cancellation=cancellation,
    )


def members_of(
    member: MemberLayout, request: ExportRequest, slices: Sequence[S], writer: ParquetWriter
) -> Iterator[tuple[str, bytes, Sequence[S]]]:
    """The files that a member is made of: name, what stands before the first row, and its slices.

    Text is one file. Parquet is one for each slice, and one without rows where there is none.
    """
    if request.extras.format is not FileFormat.PARQUET:
        yield member.name, title(member, request), slices
        return
    for number, part in enumerate(slices):
        yield part_name(member.name, number), b"", [part]
    if not slices:
        yield part_name(member.name, 0), writer.empty(Packing(member.columns).no_rows()), []


def _parquet(
    source: SliceSource, writer: ParquetWriter, cancellation: Cancellation
) -> Iterator[TextBatch]:
    """The slice's file, in chunks; the first of them tells its rows."""
    columns = source.member.columns
    packing = Packing(columns, stored=source.stored)
    with source.reader.stream(
        source.place,
        source.member.selection,
        source.slice_plan,
        line_sql=packing.line_sql,
        cancellation=cancellation,
    ) as stream:
        if stream is None:
            return
        count, file = writer.write(
            stream, packing.unpacked("rows"), columns=len(columns), cancellation=cancellation
        )
    with file:
        if count != stream.rows:
            raise ExportFailed(
                FailureCause.PARITY_BROKEN, f"{count} rows written, {stream.rows} read"
            )
        for number, chunk in enumerate(_chunks(file)):
            cancellation.check()
            rows = 0 if number else count
            yield TextBatch(rows=rows, text=chunk, first=stream.first, last=stream.last)


def _chunks(file: BinaryIO) -> Iterator[memoryview]:
    while chunk := file.read(_CHUNK_BYTES):
        yield memoryview(chunk)
