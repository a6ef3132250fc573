"""One value of a line as SQL, by the type of its field: quoted, or nothing when it is missing."""

from typing import assert_never

from outhaul.domain.columns import Column
from outhaul.domain.export import DateFormat, FieldType, Frozen
from outhaul.render.dates import Between, day_sql, instant_sql
from outhaul.render.formulas import guarded_cell_sql, runs_sql
from outhaul.render.sql import Piece, Sql, Text, identifier, literal

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
            return (Sql(decimal_sql(name)),)
        case FieldType.MONEY:
            return (Sql(money_sql(name, column.digits)),)
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
                return (Sql(_text(name, formula_guard=True)),)
            plain = stored and column.source in _PLAIN
            return (_QUOTE, Sql(name), _QUOTE) if plain else (Sql(_text(name)),)
        case _:
            assert_never(column.type)


def cell_sql(name: str) -> str:
    """A text as the store keeps it where a column is `as_cell`; NULL stays NULL."""
    return f"""'"' || replace({name}, '"', '""') || '"'"""


def cell_text_sql(name: str) -> str:
    """The text that a finished cell was made of; NULL stays NULL."""
    return f"""replace(array_slice({name}, 2, -2), '""', '"')"""


def cell(text: str | None) -> str | None:
    """The same of a value at hand."""
    return None if text is None else '"' + text.replace('"', '""') + '"'


def text_of(cell: str | None) -> str | None:
    """The text that a cell was made of."""
    return None if cell is None else cell[1:-1].replace('""', '"')


# Doubling quotes only where `contains` finds one, and `concat` instead of ||, measured fastest.


def _text(name: str, *, formula_guard: bool = False) -> str:
    doubled = f"""replace({name}, '"', '""'), '"')"""
    guarded = f"""WHEN {runs_sql(name)} THEN concat('"''', {doubled} """ if formula_guard else ""
    return (
        f"CASE WHEN {name} IS NULL THEN '' {guarded}"
        f"""WHEN contains({name}, '"') THEN concat('"', {doubled}"""
        f""" ELSE concat('"', {name}, '"') END"""
    )


# A cast to fewer decimals writes the common short numbers; trimming zeros is four times slower.
# The remainder tells them apart in half the time that comparing with the cast number takes.


def decimal_sql(name: str, *, quote: str = '"', missing: str = "''") -> str:
    """A decimal without needless zeros, within `quote`; a missing one gives the SQL `missing`."""
    return _number(name, "1", 0, quote, missing)


def money_sql(name: str, width: int = 18, *, quote: str = '"', missing: str = "''") -> str:
    """The same with at least two decimals."""
    return _number(name, "0.01", 2, quote, missing, width)


def _number(name: str, step: str, digits: int, quote: str, missing: str, width: int = 18) -> str:
    """A number with `digits` decimals where it is a multiple of `step`, else as many as it has."""
    quote = literal(quote)
    return (
        f"CASE WHEN {name} IS NULL THEN {missing}"
        f" WHEN {name} % CAST({step} AS DECIMAL(18, 6)) = 0"
        f" THEN concat({quote}, CAST({name} AS DECIMAL({width}, {digits})), {quote})"
        f" ELSE concat({quote}, rtrim(CAST({name} AS VARCHAR), '0'), {quote}) END"
    )
