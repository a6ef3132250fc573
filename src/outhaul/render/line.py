"""Columns as the header of a CSV file and as the SQL of one of its lines."""

import codecs
import re
from collections.abc import Collection, Iterator, Sequence

from outhaul.domain.activity_types import ACTIVITY_TYPES
from outhaul.domain.columns import Column
from outhaul.domain.export import DateFormat, Delimiter, Frozen
from outhaul.render.dates import Between
from outhaul.render.formulas import guarded
from outhaul.render.sql import Piece, Sql, Text, concat, identifier, literal
from outhaul.render.values import value

_ORDERING = frozenset({"createdAt", "_createdAt", "erasedAt"})


def header(
    columns: Sequence[Column],
    delimiter: Delimiter,
    *,
    bom: bool = False,
    formula_guard: bool = False,
) -> bytes:
    """The first line of the file in UTF-8, behind a byte order mark with `bom`: every label
    quoted."""
    labels = [column.label.replace('"', '""') for column in columns]
    if formula_guard:
        labels = [guarded(label) for label in labels]
    line = delimiter.value.join(f'"{label}"' for label in labels) + "\n"
    return (codecs.BOM_UTF8 if bom else b"") + line.encode()


def values_in(text: str, delimiter: Delimiter) -> Iterator[str | None]:
    """The values in finished lines, one line after another; None where one is missing."""
    for found in re.finditer(rf'(?:"((?:[^"]|"")*)")?[{delimiter.value}\n]', text):
        yield None if found[1] is None else found[1].replace('""', '"')


def line_sql(
    columns: Sequence[Column],
    *,
    types: Collection[str] = (),
    delimiter: Delimiter,
    date_format: DateFormat,
    frozen: Frozen,
    created: Between | None = None,
    formula_guard: bool = False,
    stored: bool = True,
) -> str:
    """A scalar expression over a store's table whose value is one finished line of the file.

    Every value is quoted; a missing one (NULL) is empty and not quoted. `types` are the activity
    types among the rows: the table need not have the columns that none of them carries, which are
    constant runs of delimiters. `created` bounds the rows' creation instants, if it is known.
    A table that is not `stored` by Outhaul has plain text instead of finished cells.
    """
    pieces: list[Piece] = []
    for column in columns:
        between = created if is_ordering(column) else None
        holders, shown = types_of(column, types)
        if shown or column.activity_types is None:
            written = value(
                column, date_format, frozen, between, formula_guard=formula_guard, stored=stored
            )
            pieces += written if shown == holders else [of_types(shown, written)]
        pieces.append(Text(delimiter.value))
    return concat([*pieces[:-1], Text("\n")])


def is_ordering(column: Column) -> bool:
    """Whether the file is ordered by the column, so that a slice bounds its values."""
    return column.source in _ORDERING


def types_of(column: Column, types: Collection[str]) -> tuple[set[str], set[str]]:
    """Which of the types may hold the column's field, and which of those show it: a later
    version may show more."""
    if column.activity_types is None:
        return set(), set()
    holders = {type_ for type_ in types if column.source in ACTIVITY_TYPES[type_].fields}
    return holders, holders & column.activity_types


def of_types(shown: Collection[str], written: Sequence[Piece]) -> Piece:
    """The pieces, written for rows of these types only."""
    return Sql(f"CASE WHEN {is_of_types(shown)} THEN {concat(written)} END")


def is_of_types(shown: Collection[str]) -> str:
    """The condition for rows of these types."""
    # Not IN: from five constants on the engine makes that a join.
    types_sql = f"[{', '.join(map(literal, sorted(shown)))}]"
    return f"list_contains({types_sql}, {identifier('type')})"
