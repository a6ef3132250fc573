"""What an export would be: counted, and rendered in a few places; nothing is written."""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from outhaul.archive.deflate import SliceCompressor
from outhaul.catalog.past_runs import PastRuns
from outhaul.domain.account import Account
from outhaul.domain.cancellation import Cancellation
from outhaul.domain.columns import Column
from outhaul.domain.estimate import Estimate, MemberEstimate, expected_seconds
from outhaul.domain.export import Export, ExportRequest, ExportStatus, Origin, SlicePlan
from outhaul.domain.extras import FileFormat
from outhaul.domain.ids import new_id
from outhaul.domain.instants import now
from outhaul.domain.plan import ExportPlan
from outhaul.pipeline.layout import MemberLayout, layout
from outhaul.pipeline.pipeline import Pipeline
from outhaul.render.line import values_in
from outhaul.store.reader import SnapshotReader

_PLACES = 4
_ROWS_A_PLACE = 500
_ROWS_OF_PARQUET = (1000, 4000)
_SAMPLE_ROWS = 10


class Estimates:
    """Estimates exports; safe to use from many threads at once."""

    def __init__(self, pipeline: Pipeline, reader: SnapshotReader, past_runs: PastRuns) -> None:
        self._pipeline = pipeline
        self._reader = reader
        self._past_runs = past_runs

    def estimate(self, account: Account, request: ExportRequest) -> Estimate:
        """The export that this request would give now. Rows are counted as a plan counts them;
        bytes follow from rows rendered and compressed at the start of a few slices."""
        draft = _draft(account, request)
        plan, parts = self._pipeline.plan(account, draft, Cancellation(), draft=True)
        members = [
            self._member(
                draft,
                plan,
                member,
                [part for part in parts if part.member is member.selection.kind],
            )
            for member in layout(draft, plan)
        ]
        file_format = request.extras.format
        runs = self._past_runs.recent(file_format)
        all_bytes = sum(member.bytes for member, _ in members)
        return Estimate(
            snapshot=plan.snapshot,
            rows=sum(member.rows for member, _ in members),
            bytes=all_bytes,
            compressed_bytes=round(sum(member.bytes * ratio for member, ratio in members)),
            seconds=expected_seconds(all_bytes, runs, file_format),
            learned_from=len(runs),
            members=tuple(member for member, _ in members),
        )

    def _member(
        self, draft: Export, plan: ExportPlan, member: MemberLayout, parts: Sequence[SlicePlan]
    ) -> tuple[MemberEstimate, float]:
        """A file, and how much shorter compression makes it."""
        first = self._pipeline.heading(draft, member, parts)
        compressor = SliceCompressor(draft.request.extras.compression)
        compressor.write(first)
        rows = sum(part.rows for part in parts)
        if draft.request.extras.format is FileFormat.PARQUET:
            as_text = _as_json_lines(draft)
            size = len(first) + self._parquet_bytes(draft, plan, member, parts, compressor)
            heads = [self._head(as_text, plan, member, part, _SAMPLE_ROWS) for part in parts[:1]]
        else:
            as_text = draft
            heads = [
                self._head(draft, plan, member, part, _ROWS_A_PLACE) for part in _spread(parts)
            ]
            for _, text in heads:
                compressor.write(text)
            rows_read = sum(count for count, _ in heads)
            text_bytes = compressor.text_bytes - len(first)
            size = len(first) + (round(text_bytes * rows / rows_read) if rows_read else 0)
        compressor.finish()
        return MemberEstimate(
            kind=member.selection.kind,
            rows=rows,
            bytes=size,
            columns=member.columns,
            sample=_sample(heads[0][1].decode(), as_text.request, member.columns) if heads else (),
        ), compressor.compressed_bytes / max(compressor.text_bytes, 1)

    def _parquet_bytes(
        self,
        draft: Export,
        plan: ExportPlan,
        member: MemberLayout,
        parts: Sequence[SlicePlan],
        compressor: SliceCompressor,
    ) -> int:
        """Length of the files of a data set, about; `compressor` gets what was rendered of them.

        What a file says once, such as its dictionaries, is told from what each row adds by two
        heads of the same slice.
        """
        found, rows_of_found = 0.0, 0
        for part in _spread(parts):
            (few, short), (many, long) = (
                self._head(draft, plan, member, part, count) for count in _ROWS_OF_PARQUET
            )
            compressor.write(long)
            a_row = max(len(long) - len(short), 0) / (many - few) if many > few else 0
            found += len(long) + a_row * (part.rows - many)
            rows_of_found += part.rows
        return round(found * sum(part.rows for part in parts) / max(rows_of_found, 1))

    def _head(
        self, draft: Export, plan: ExportPlan, member: MemberLayout, part: SlicePlan, rows: int
    ) -> tuple[int, bytes]:
        """The first rows of a slice: how many, and their bytes."""
        head = self._reader.head(draft.account_id, member.selection, part, rows=rows)
        batches = [
            (batch.rows, bytes(batch.text))
            for batch in self._pipeline.batches(draft, plan, head, Cancellation())
        ]
        return sum(rows for rows, _ in batches), b"".join(text for _, text in batches)


def _as_json_lines(draft: Export) -> Export:
    extras = replace(draft.request.extras, format=FileFormat.JSONL)
    return replace(draft, request=replace(draft.request, extras=extras))


def _draft(account: Account, request: ExportRequest) -> Export:
    """An export as it would be created; nobody stores it."""
    id_ = new_id()
    return Export(
        id=id_,
        account_id=account.id,
        request=request,
        origin=Origin.API,
        status=ExportStatus.QUEUED,
        progress=0,
        total=0,
        created_at=now(),
        file_name=f"export-{request.export_type.value}-{id_}.zip",
    )


def _spread(parts: Sequence[SlicePlan]) -> list[SlicePlan]:
    """A few slices, evenly spaced, the first one among them."""
    count = min(_PLACES, len(parts))
    return [parts[number * len(parts) // count] for number in range(count)]


def _sample(
    text: str, request: ExportRequest, columns: Sequence[Column]
) -> tuple[tuple[str | None, ...], ...]:
    """The first rows of finished lines."""
    if request.extras.format is FileFormat.JSONL:
        rows = [json.loads(line) for line in text.split("\n", _SAMPLE_ROWS)[:_SAMPLE_ROWS] if line]
        return tuple(tuple(_written(row.get(column.id)) for column in columns) for row in rows)
    width = len(columns)
    values = tuple(islice(values_in(text, request.delimiter), _SAMPLE_ROWS * width))
    return tuple(values[at : at + width] for at in range(0, len(values), width))


def _written(value: Any) -> str | None:
    """A value of JSON as text."""
    return value if value is None or isinstance(value, str) else json.dumps(value)
