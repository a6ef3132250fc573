"""What an export would be: counted, and rendered in a few places; nothing is written."""

import json
from collections.abc import Sequence
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
from outhaul.pipeline.lines import title
from outhaul.pipeline.pipeline import Pipeline
from outhaul.render.line import values_in
from outhaul.store.reader import SnapshotReader

_PLACES = 4
_ROWS_A_PLACE = 500
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
        runs = self._past_runs.recent()
        text_bytes = sum(member.bytes for member, _ in members)
        return Estimate(
            snapshot=plan.snapshot,
            rows=sum(member.rows for member, _ in members),
            bytes=text_bytes,
            compressed_bytes=round(sum(member.bytes * ratio for member, ratio in members)),
            seconds=expected_seconds(text_bytes, runs),
            learned_from=len(runs),
            members=tuple(member for member, _ in members),
        )

    def _member(
        self, draft: Export, plan: ExportPlan, member: MemberLayout, parts: Sequence[SlicePlan]
    ) -> tuple[MemberEstimate, float]:
        """A file, and how much shorter compression makes it."""
        heads = [self._head(draft, plan, member, part) for part in _spread(parts)]
        first = title(member, draft.request)
        compressor = SliceCompressor(draft.request.extras.compression)
        compressed = len(compressor.write(first))
        compressed += sum(len(compressor.write(text)) for _, text in heads)
        compressed += len(compressor.finish())
        rows = sum(part.rows for part in parts)
        rows_read = sum(count for count, _ in heads)
        text_bytes = compressor.text_bytes - len(first)
        return MemberEstimate(
            kind=member.selection.kind,
            rows=rows,
            bytes=len(first) + (round(text_bytes * rows / rows_read) if rows_read else 0),
            columns=member.columns,
            sample=_sample(heads[0][1].decode(), draft.request, member.columns) if heads else (),
        ), compressed / max(compressor.text_bytes, 1)

    def _head(
        self, draft: Export, plan: ExportPlan, member: MemberLayout, part: SlicePlan
    ) -> tuple[int, bytes]:
        """The first rows of a slice: how many, and their text."""
        head = self._reader.head(draft.account_id, member.selection, part, rows=_ROWS_A_PLACE)
        batches = [
            (batch.rows, bytes(batch.text))
            for batch in self._pipeline.lines(draft, plan, head, Cancellation())
        ]
        return sum(rows for rows, _ in batches), b"".join(text for _, text in batches)


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
