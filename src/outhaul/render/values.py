"""One value of a line as SQL, by the type of its field: quoted, or nothing when it is missing."""

from typing import assert_never

from outhaul.domain.columns import Column
from outhaul.domain.export import DateFormat, FieldType, Frozen
from outhaul.render.dates import Between, day_sql, instant_sql
from outhaul.render.formulas import guard_sql, guarded_cell_sql
from outhaul.render.sql import Piece, Sql, Text, identifier

_PLAIN = frozenset({"id", "type", "contactId", "activityId"})
"""Store columns that are NOT NULL and hold no quotes: ids are letters, digits and . _ : -"""

_QUOTE = Text('"')


def value(
    column: Column,
    date_format: DateFormat,
    frozen: Frozen,
    between: Between | None = None,
    *,
    formula_guard: bool = False,
    stored: bool = True,
) -> tuple[Piece, ...]:
    """The pieces that write the column's value with its quotes.

    `between` holds the column's instants, if they are known to lie close together. With
    `formula_guard` text that a spreadsheet would run is escaped.
    The store's columns are TIMESTAMP (UTC) for instants, DATE for days, DECIMAL(18,6) for
    decimals and money (sums have more digits), BIGINT, BOOLEAN, and VARCHAR for all else. A table
    that is not `stored` by Outhaul has the same types, but no finished cells, and any text for ids.
    """
    name = identifier(column.source)
    if column.as_cell and stored:
        return (Sql(guarded_cell_sql(name) if formula_guard else name),)
    match column.type:
        case FieldType.INSTANT:
            return (Sql(instant_sql(name, date_format, frozen, quote='"', between=between)),)
        case FieldType.DATE:
            return (Sql(day_sql(name, date_format, frozen, quote='"')),)
        case FieldType.BOOLEAN:
            return (Sql(f"""CASE {name} WHEN true THEN '"true"' WHEN false THEN '"false"' END"""),)
        case FieldType.INTEGER:
            return (Sql(f"""CASE WHEN {name} IS NOT NULL THEN concat('"', {name}, '"') END"""),)
        case FieldType.DECIMAL:
            return (Sql(_number(name, step="1", digits=0)),)
        case FieldType.MONEY:
            return (Sql(_number(name, step="0.01", digits=2, width=column.digits)),)
        case (
            FieldType.TEXT
            | FieldType.EMAIL
            | FieldType.PHONE
            | FieldType.RADIO
            | FieldType.IP
            | FieldType.CHECKBOX
            | FieldType.JSON
        ):
            if formula_guard:
                return (Sql(_text(name, guard_sql(name))),)
            plain = stored and column.source in _PLAIN
            return (_QUOTE, Sql(name), _QUOTE) if plain else (Sql(_text(name)),)
        case _:
            assert_never(column.type)


def cell_sql(name: str) -> str:
    """A text as the store keeps it where a column is `as_cell`; NULL stays NULL."""
    return f"""'"' || replace({name}, '"', '""') || '"'"""


def cell(text: str | None) -> str | None:
    """The same of a value at hand."""
    return None if text is None else '"' + text.replace('"', '""') + '"'


def text_of(cell: str | None) -> str | None:
    """The text that a cell was made of."""
    return None if cell is None else cell[1:-1].replace('""', '"')


# Doubling quotes only where `contains` finds one, and `concat` instead of ||, measured fastest.


def _text(name: str, before: str | None = None) -> str:
    """`before` is an expression for what stands in front of the text."""
    opened = """'"'""" if before is None else f"""'"', {before}"""
    return (
        f"CASE WHEN {name} IS NULL THEN ''"
        f""" WHEN contains({name}, '"') THEN concat({opened}, replace({name}, '"', '""'), '"')"""
        f""" ELSE concat({opened}, {name}, '"') END"""
    )


# A cast to fewer decimals writes the common short numbers; trimming zeros is four times slower.
# The remainder tells them apart in half the time that comparing with the cast number takes.


def _number(name: str, *, step: str, digits: int, width: int = 18) -> str:
    """A number with `digits` decimals where it is a multiple of `step`, else as many as it has."""
    return (
        f"CASE WHEN {name} IS NULL THEN ''"
        f" WHEN {name} % CAST({step} AS DECIMAL(18, 6)) = 0"
        f""" THEN concat('"', CAST({name} AS DECIMAL({width}, {digits})), '"')"""
        f""" ELSE concat('"', rtrim(CAST({name} AS VARCHAR), '0'), '"') END"""
    )
