"""Rows of a selection out of a store into Parquet files on the local disk."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from outhaul.domain.cancellation import Cancellation
from outhaul.domain.export import Selection, SlicePlan
from outhaul.store.engine import quoted
from outhaul.store.reader import SnapshotReader, interruptible
from outhaul.store.selection import within


@dataclass(frozen=True, kw_only=True)
class WrittenPart:
    """A Parquet file with rows of one of the store's tables."""

    path: Path
    rows: int
    types: frozenset[str]
    """The activity types that the rows may have."""


def unload_slice(
    reader: SnapshotReader,
    account_id: str,
    selection: Selection,
    slice_plan: SlicePlan,
    columns: Collection[tuple[str, frozenset[str] | None]],
    *,
    folder: Path,
    cancellation: Cancellation,
) -> Iterator[WrittenPart]:
    """Write the slice's rows to new files in `folder`, one for each table that has any. They are in
    no order: whoever renders the slice sorts it.

    `columns` are the store's columns that are wanted, with the activity types that carry them
    (None: all). Raises Cancelled.
    """
    with (
        reader.opened(account_id, selection) as (connection, rows),
        interruptible(connection, cancellation),
    ):
        condition, parameters = within(rows, slice_plan.first, slice_plan.until)
        for number, part in enumerate(rows.parts):
            cancellation.check()
            shown = [
                f'"{source}"'
                for source, carriers in columns
                if carriers is None or not carriers.isdisjoint(part.types)
            ]
            # What slices are found by is there, whether the file shows it or not.
            key = '"' + rows.key.strip('"') + '"'
            kept = [rows.created, key, *(['"type"'] if part.types else [])]
            named = ", ".join(dict.fromkeys([*kept, *shown]))
            path = folder / f"{selection.kind}-{slice_plan.index}-{number}.parquet"
            [(count,)] = connection.execute(
                f"COPY (SELECT {named}{rows.tie} FROM {rows.source(part, condition)})"
                f" TO {quoted(path)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)",
                parameters,
            ).fetchall()
            if count:
                yield WrittenPart(path=path, rows=count, types=part.types)
            else:
                path.unlink()
