"""Rows of a selection out of a store, as batches for others to keep."""

from collections.abc import Callable, Collection

from outhaul.domain.cancellation import Cancellation
from outhaul.domain.export import Selection, SlicePlan
from outhaul.store.reader import SmallBatches, SnapshotReader, interruptible
from outhaul.store.selection import within


def unload_slice(
    reader: SnapshotReader,
    account_id: str,
    selection: Selection,
    slice_plan: SlicePlan,
    columns: Collection[tuple[str, frozenset[str] | None]],
    *,
    keep: Callable[[frozenset[str], SmallBatches], None],
    cancellation: Cancellation,
) -> None:
    """Call `keep` with the slice's rows of each table, and the activity types that these may have.
    They are in no order: whoever renders the slice sorts it.

    `columns` are the store's columns that are wanted, with the activity types that carry them
    (None: all). Raises Cancelled.
    """
    with (
        reader.opened(account_id, selection) as (connection, rows),
        interruptible(connection, cancellation),
    ):
        condition, parameters = within(rows, slice_plan.first, slice_plan.until)
        for part in rows.parts:
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
            found = connection.sql(
                f"SELECT {named}{rows.tie} FROM {rows.source(part, condition)}", params=parameters
            )
            keep(part.types, SmallBatches(found))
