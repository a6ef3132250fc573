"""Reading as of a snapshot: count and cut a selection into slices, render a slice's lines."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import duckdb
import nanoarrow
from nanoarrow.c_array import CArray

from outhaul.domain.cancellation import Cancellation, Cancelled
from outhaul.domain.export import RowKey, Selection, SlicePlan
from outhaul.store.engine import Engine
from outhaul.store.report_rows import report_rows
from outhaul.store.segment_reads import rule_as_of
from outhaul.store.selection import Query, query, within

_BATCH_ROWS = 8192
_BUCKETS = 8192
_SMALL_SLICE_ROWS = 50_000
_LEAST_SLICES = 4
_SMALL_REST = 0.1
"""A last slice of less than this part of the others joins the one before it."""


@dataclass(frozen=True, kw_only=True)
class TextBatch:
    """Finished lines: `rows` of them, as one contiguous buffer of UTF-8 text."""

    rows: int
    text: memoryview
    first: RowKey
    """The batch's first row."""
    last: RowKey


@dataclass(frozen=True)
class SmallBatches:
    """A relation's rows as an Arrow stream of small batches.

    Memory of that size is used again for the next batch. With the engine's 131,072 rows at once
    every batch is new memory, which the system clears page by page: a sixth of a slice's time.
    """

    relation: duckdb.DuckDBPyRelation

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        # The engine's own public way to a stream without pyarrow cannot be told a batch size.
        return self.relation._submit("stream", _BATCH_ROWS).arrow_capsule()  # noqa: SLF001


@dataclass(frozen=True, kw_only=True)
class RowStream:
    """Rows on their way from one engine into another."""

    batches: SmallBatches
    """An Arrow stream, to be read once; each batch but the last has the same number of rows."""
    rows: int
    first: RowKey
    last: RowKey


class RowReader(ABC):
    """Cuts selections into slices and renders their lines, wherever the rows lie. Methods may be
    called from many threads at once; `place` tells whose or which rows are meant."""

    @abstractmethod
    def opened(
        self, place: str, selection: Selection, *, between: tuple[RowKey, RowKey] | None = None
    ) -> AbstractContextManager[tuple[duckdb.DuckDBPyConnection, Query]]:
        """A connection and the rows of the selection, at least those with keys `between`."""

    def cut(
        self, place: str, selection: Selection, *, slice_rows: int, cancellation: Cancellation
    ) -> tuple[SlicePlan, ...]:
        """Disjoint slices in the file's order that hold every row of the selection, each with
        its exact count, of at most about `slice_rows` rows. No rows: no slices."""
        with (
            self.opened(place, selection) as (connection, rows),
            interruptible(connection, cancellation),
        ):
            if selection.report is None:
                cuts = _cuts(connection, rows, slice_rows)
            else:
                cuts = _one_cut(connection, rows)
        return tuple(
            SlicePlan(member=selection.kind, index=index, first=first, until=until, rows=count)
            for index, ((first, count), (until, _)) in enumerate(pairwise(cuts))
        )

    def head(
        self, place: str, selection: Selection, slice_plan: SlicePlan, *, rows: int
    ) -> SlicePlan:
        """The slice cut down to about its first `rows` rows; rows of one key stay together. Its
        count of rows stays that of the whole slice."""
        if slice_plan.rows <= rows:
            return slice_plan
        between = (slice_plan.first, slice_plan.until)
        with self.opened(place, selection, between=between) as (connection, found):
            condition, parameters = within(found, *between)
            ends = connection.execute(
                f"SELECT epoch_ms({found.created}), {found.key} FROM {found.keys(condition)}"
                f" ORDER BY {found.created}, {found.key} LIMIT 1 OFFSET {rows}",
                parameters,
            ).fetchall()
        until = RowKey(*ends[0]) if ends else slice_plan.until
        return slice_plan if until == slice_plan.first else replace(slice_plan, until=until)

    def lines(
        self,
        place: str,
        selection: Selection,
        slice_plan: SlicePlan,
        *,
        line_sql: Callable[[frozenset[str]], str],
        cancellation: Cancellation,
    ) -> Iterator[TextBatch]:
        """The slice's lines in order. `line_sql` tells the scalar expression that gives one
        finished line of a table with rows of these activity types. Raises Cancelled."""
        between = (slice_plan.first, slice_plan.until)
        with (
            self.opened(place, selection, between=between) as (connection, rows),
            interruptible(connection, cancellation),
        ):
            if not rows.parts:
                return
            relation = _ordered(connection, rows, line_sql, *within(rows, *between))
            with nanoarrow.c_array_stream(SmallBatches(relation)) as stream:
                for array in stream:
                    cancellation.check()
                    if not array.length:
                        continue
                    yield TextBatch(
                        rows=array.length,
                        text=memoryview(array.child(0).view().buffer(2)),
                        first=_key_at(array, 0),
                        last=_key_at(array, array.length - 1),
                    )

    @contextmanager
    def stream(
        self,
        place: str,
        selection: Selection,
        slice_plan: SlicePlan,
        *,
        line_sql: Callable[[frozenset[str]], str],
        cancellation: Cancellation,
    ) -> Iterator[RowStream | None]:
        """The same lines, of whatever type `line_sql` gives, for another engine to read within the
        block; None where there are none. Errors of the block come out as those of `lines` do."""
        between = (slice_plan.first, slice_plan.until)
        with (
            self.opened(place, selection, between=between) as (connection, rows),
            interruptible(connection, cancellation),
        ):
            if not rows.parts:
                yield None
                return
            condition, parameters = within(rows, *between)
            # In one transaction, so that the keys are those of the very rows.
            connection.begin()
            [(count, first, last)] = connection.execute(
                "SELECT count(*), min(place), max(place) FROM"
                f" (SELECT {{'ms': epoch_ms({rows.created}), 'id': {rows.key}}} AS place"
                f" FROM {rows.keys(condition)})",
                parameters,
            ).fetchall()
            if not count:
                yield None
                return
            relation = _ordered(connection, rows, line_sql, condition, parameters)
            yield RowStream(
                batches=SmallBatches(relation),
                rows=count,
                first=RowKey(first["ms"], first["id"]),
                last=RowKey(last["ms"], last["id"]),
            )


class SnapshotReader(RowReader):
    """Reads accounts' stores, of which it is the `place`; answers for one process-wide engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def segment_rule(self, account_id: str, segment_id: str, snapshot: int) -> str | None:
        """The rule of a dynamic segment in the snapshot, as JSON; None for a static one."""
        with self._engine.session(account_id) as connection:
            return rule_as_of(connection, segment_id, snapshot)

    @contextmanager
    def opened(
        self,
        place: str,
        selection: Selection,
        *,
        between: tuple[RowKey, RowKey] | None = None,  # noqa: ARG002 -- the store finds them
    ) -> Iterator[tuple[duckdb.DuckDBPyConnection, Query]]:
        with self._engine.session(place) as connection:
            yield connection, _query(connection, selection)


def _ordered(
    connection: duckdb.DuckDBPyConnection,
    rows: Query,
    line_sql: Callable[[frozenset[str]], str],
    condition: str,
    parameters: dict[str, Any],
) -> duckdb.DuckDBPyRelation:
    """The lines of the rows that meet the condition, and their keys."""
    # A relation streams; execute() would hold the whole result in memory first.
    return connection.sql(rows.lines(line_sql, condition), params=parameters)


def _key_at(array: CArray, row: int) -> RowKey:
    """The key in the second and third column of a batch: microseconds, and a text."""
    created = memoryview(array.child(1).view().buffer(1))[row]
    _, ends, text = (memoryview(array.child(2).view().buffer(number)) for number in range(3))
    return RowKey(created // 1000, bytes(text[ends[row] : ends[row + 1]]).decode())


@contextmanager
def interruptible(
    connection: duckdb.DuckDBPyConnection,
    cancellation: Cancellation,
    progress: Callable[[], float] | None = None,
) -> Iterator[None]:
    """Let the cancellation interrupt the connection, also in mid-stream; raises Cancelled.
    `progress` is as for `Cancellation.interrupting`."""
    with cancellation.interrupting(connection.interrupt, progress):
        try:
            yield
        except (duckdb.Error, RuntimeError) as error:
            # A stream that is interrupted fails as an error of whoever reads it: nanoarrow's
            # RuntimeError, or that of another engine for a source it cannot read.
            if cancellation.is_set:
                raise Cancelled from error
            raise


def _query(connection: duckdb.DuckDBPyConnection, selection: Selection) -> Query:
    if selection.report is not None:
        return report_rows(selection, selection.report)
    changed = connection.execute(
        "SELECT count(*) > 0 FROM identity_changes WHERE commit <= ?", [selection.snapshot]
    ).fetchall()[0][0]
    return query(selection, identities_changed=changed)


def _cuts(
    connection: duckdb.DuckDBPyConnection, rows: Query, slice_rows: int
) -> list[tuple[RowKey, int]]:
    """First keys of the slices with their row counts, in order, and at last the end with none.

    Rows are counted in equal buckets of time; neighbouring buckets are joined until a slice is
    full, and a bucket that alone is too full is cut at exact keys.
    """
    if not rows.parts:
        return []
    bounds = rows.between_ms or _bounds_ms(connection, rows)
    if bounds is None:
        return []
    low, high = bounds
    width = (high - low) // _BUCKETS + 1
    buckets = connection.execute(
        f"SELECT (epoch_ms({rows.created}) - $low) // $width AS bucket, count(*)"
        f" FROM {rows.keys()} GROUP BY bucket ORDER BY bucket",
        rows.parameters | {"low": low, "width": width},
    ).fetchall()
    total = sum(count for _, count in buckets)
    if total == 0:
        return []
    end = (RowKey(high + 1, ""), 0)
    # A small export is cut finer, so that it too keeps several threads busy to its end. The cut
    # depends on the rows alone, never on the machine: the same rows give the same bytes.
    slice_rows = min(slice_rows, max(total // _LEAST_SLICES, _SMALL_SLICE_ROWS))
    if total <= slice_rows:
        return [(RowKey(low, ""), total), end]
    cuts: list[tuple[RowKey, int]] = []
    start, held = low, 0
    for bucket, count in buckets:
        begin = low + bucket * width
        if held and held + count > slice_rows:
            cuts.append((RowKey(start, ""), held))
            held = 0
        if count > 2 * slice_rows:
            cuts += _exact_cuts(connection, rows, begin, begin + width, slice_rows)
            continue
        if not held:
            start = begin
        held += count
    if held and cuts and held < slice_rows * _SMALL_REST:
        first, rows_before = cuts[-1]
        cuts[-1] = (first, rows_before + held)
    elif held:
        cuts.append((RowKey(start, ""), held))
    return [*cuts, end]


def _one_cut(connection: duckdb.DuckDBPyConnection, rows: Query) -> list[tuple[RowKey, int]]:
    """All rows of a report: every further slice would add up all its activities once more."""
    if not rows.parts:
        return []
    total = connection.execute(f"SELECT count(*) FROM {rows.keys()}", rows.parameters).fetchall()
    count: int = total[0][0]
    return [(RowKey(0, ""), count), (RowKey(count, ""), 0)] if count else []


def _bounds_ms(connection: duckdb.DuckDBPyConnection, rows: Query) -> tuple[int, int] | None:
    """The first and the last creation instant; None when there are no rows."""
    low, high = connection.execute(
        f"SELECT epoch_ms(min({rows.created})), epoch_ms(max({rows.created})) FROM {rows.keys()}",
        rows.parameters,
    ).fetchall()[0]
    return None if low is None else (low, high)


def _exact_cuts(
    connection: duckdb.DuckDBPyConnection, rows: Query, begin: int, end: int, slice_rows: int
) -> list[tuple[RowKey, int]]:
    """Cut one crowded stretch of time (milliseconds, `end` excluded) at exact keys.

    Lines of one activity share a key and stay together, so keys are counted with their lines.
    """
    condition, parameters = within(rows, RowKey(begin, ""), RowKey(end, ""))
    found = connection.execute(
        "WITH keys AS ("
        f" SELECT {rows.created} AS created, {rows.key} AS id, count(*) AS lines"
        f" FROM {rows.keys(condition)} GROUP BY 1, 2"
        "), placed AS ("
        " SELECT created, id, lines,"
        " (sum(lines) OVER (ORDER BY created, id) - lines) // $slice_rows AS part FROM keys"
        ") SELECT epoch_ms(min(created)), arg_min(id, {'created': created, 'id': id}),"
        " sum(lines)::BIGINT FROM placed GROUP BY part ORDER BY part",
        parameters | {"slice_rows": slice_rows},
    ).fetchall()
    return [(RowKey(created_ms, id_), lines) for created_ms, id_, lines in found]
