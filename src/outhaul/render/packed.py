"""Rows on their way into a Parquet file: packed for the sort, then unpacked into typed columns.

A file of all activities has some sixty columns, of which a row fills a few. The engine sorts wide
rows in memory of sixty times the width, so a row is first a list of texts: the number of its
layout, and then the values that rows of such types can have at all. What comes out of the sort is
unpacked, by another engine, into all columns of the file.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from outhaul.domain.columns import Column
from outhaul.domain.export import FieldType
from outhaul.domain.parquet import TYPES, column_names
from outhaul.render.line import is_of_types, types_of
from outhaul.render.sql import identifier, literal
from outhaul.render.values import cell_text_sql

PACKED = "line"
"""The column of the packed rows."""


@dataclass
class Packing:
    """Knows the layout that rows of each choice of activity types are packed in."""

    columns: Sequence[Column]
    stored: bool = True
    """Whether the table is one of Outhaul's own, with finished cells; as for `line_sql`."""
    _layouts: dict[frozenset[str], tuple[int, ...]] = field(default_factory=dict)
    """By types: the columns whose values are in the list, by their places in the file."""

    def line_sql(self, types: frozenset[str]) -> str:
        """A scalar expression that gives one packed row of a table with rows of these types."""
        held, values = [], []
        for place, column in enumerate(self.columns):
            holders, shown = types_of(column, types)
            if column.activity_types is not None and not shown:
                continue
            text = _text(column, stored=self.stored)
            if shown != holders:
                text = f"CASE WHEN {is_of_types(shown)} THEN {text} END"
            held.append(place)
            values.append(text)
        self._layouts.setdefault(types, tuple(held))
        number = list(self._layouts).index(types)
        return f"[{', '.join([literal(str(number)), *values])}]"

    def unpacked(self, rows: str) -> str:
        """The query of the file's columns over a relation of rows packed so far."""
        names = column_names(column.id for column in self.columns)
        values = ", ".join(
            f"{_typed(column, self._packed(place))} AS {identifier(name)}"
            for place, (column, name) in enumerate(zip(self.columns, names, strict=True))
        )
        layout = f"CAST({PACKED}[1] AS UTINYINT) AS layout"
        return f"SELECT {values} FROM (SELECT {PACKED}, {layout} FROM {rows})"

    def no_rows(self) -> str:
        """The query of the file's columns without a row."""
        names = column_names(column.id for column in self.columns)
        values = ", ".join(
            f"CAST(NULL AS {TYPES[column.type]}) AS {identifier(name)}"
            for column, name in zip(self.columns, names, strict=True)
        )
        return f"SELECT {values} LIMIT 0"

    def _packed(self, place: int) -> str:
        """The text of a column's value, NULL for rows that cannot have one."""
        where: dict[int, list[int]] = {}
        for number, held in enumerate(self._layouts.values()):
            if place in held:
                # The first element is the layout, and SQL counts from 1.
                where.setdefault(held.index(place) + 2, []).append(number)
        if not where:
            return "CAST(NULL AS VARCHAR)"
        if [len(self._layouts)] == [len(numbers) for numbers in where.values()]:
            return f"{PACKED}[{next(iter(where))}]"
        branches = " ".join(
            f"WHEN list_contains({numbers}::UTINYINT[], layout) THEN {PACKED}[{at}]"
            for at, numbers in where.items()
        )
        return f"CASE {branches} END"


def _text(column: Column, *, stored: bool) -> str:
    """The value as a text that `_typed` reads back exactly."""
    name = identifier(column.source)
    if column.as_cell and stored:
        return cell_text_sql(name)
    if column.type is FieldType.INSTANT:
        # Of no session's time zone, and faster than a date in words.
        return f"CAST(epoch_us({name}) AS VARCHAR)"
    return name if column.type.is_text else f"CAST({name} AS VARCHAR)"


def _typed(column: Column, text: str) -> str:
    match column.type:
        case FieldType.INSTANT:
            return f"make_timestamptz(CAST({text} AS BIGINT))"
        case FieldType.CHECKBOX:
            none = f"CAST([] AS {TYPES[column.type]})"
            return f"CASE WHEN {text} = '' THEN {none} ELSE string_split({text}, '|') END"
        case _:
            return text if column.type.is_text else f"CAST({text} AS {TYPES[column.type]})"
