"""Columns as the SQL of one line of JSON: an object with the row's values by column id.

Numbers and booleans are JSON's own, several values are an array, JSON stands as it is; dates are
text in the date format that was asked for. A missing value is left out.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import assert_never

from outhaul.domain.columns import Column
from outhaul.domain.export import DateFormat, FieldType, Frozen
from outhaul.render.dates import Between, day_sql, instant_sql
from outhaul.render.line import is_ordering, of_types, types_of
from outhaul.render.sql import Sql, identifier, literal
from outhaul.render.values import cell_text_sql, decimal_sql, money_sql


def json_line_sql(
    columns: Sequence[Column],
    *,
    types: Collection[str] = (),
    date_format: DateFormat,
    frozen: Frozen,
    created: Between | None = None,
    stored: bool = True,
) -> str:
    """A scalar expression over a store's table whose value is one finished line of the file.

    `types`, `created` and `stored` are as for `line_sql`.
    """
    members = []
    for column in columns if stored else [replace(one, as_cell=False) for one in columns]:
        holders, shown = types_of(column, types)
        if not shown and column.activity_types is not None:
            continue
        between = created if is_ordering(column) else None
        # A missing value makes the whole member missing, and concat passes it over.
        key = literal(f",{json.dumps(column.id, ensure_ascii=False)}:")
        member = f"{key} || ({_value(column, date_format, frozen, between)})"
        if shown != holders:
            member = of_types(shown, [Sql(member)]).value
        members.append(f"({member})")
    # The first comma has nothing before it. Taking it away costs a tenth of a trim at the end.
    held = f"substr(concat({', '.join(members)}), 2)" if members else "''"
    return f"concat('{{', {held}, {literal(chr(125) + chr(10))})"


def _value(column: Column, date_format: DateFormat, frozen: Frozen, between: Between | None) -> str:
    name = identifier(column.source)
    match column.type:
        case FieldType.INSTANT:
            return instant_sql(name, date_format, frozen, quote='"', between=between)
        case FieldType.DATE:
            return day_sql(name, date_format, frozen, quote='"')
        case FieldType.BOOLEAN | FieldType.INTEGER:
            return f"CAST({name} AS VARCHAR)"
        case FieldType.DECIMAL:
            return decimal_sql(name, quote="", missing="NULL")
        case FieldType.MONEY:
            return money_sql(name, column.digits, quote="", missing="NULL")
        case FieldType.CHECKBOX:
            text = _text(column, name)
            several = _json(f"string_split({text}, '|')")
            return f"CASE WHEN {text} = '' THEN '[]' ELSE {several} END"
        case FieldType.JSON:
            text = _text(column, name)
            return f"CASE WHEN {_is_strict(text)} THEN {text} ELSE {_json(text)} END"
        case FieldType.TEXT | FieldType.EMAIL | FieldType.PHONE | FieldType.RADIO | FieldType.IP:
            return _json_of_cell(column, name) if column.as_cell else _json(name)
        case _:
            assert_never(column.type)


def _text(column: Column, name: str) -> str:
    """The value, out of its finished cell where the store keeps it so."""
    return cell_text_sql(name) if column.as_cell else name


def _json(expression: str) -> str:
    return f"CAST(to_json({expression}) AS VARCHAR)"


def _json_of_cell(column: Column, name: str) -> str:
    """A finished cell is JSON already, unless something in it needs escaping. Escaped as a whole
    it then only gains quotes around it and a backslash before each of its own."""
    plain = f"strlen({_json(name)}) = strlen({name}) + 4"
    return f"CASE WHEN {plain} THEN {name} ELSE {_json(_text(column, name))} END"


def _is_strict(text: str) -> str:
    """Whether a text is JSON that every reader takes: the engine also takes NaN and Infinity."""
    bare = f"""regexp_replace({text}, '"(\\\\.|[^"\\\\])*"', '', 'g')"""
    return f"(json_valid({text}) AND NOT regexp_matches({bare}, '(?i)nan|inf'))"
