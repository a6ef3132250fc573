"""Columns as the header of a CSV file and as the SQL of one of its lines.

The engine writes whole lines. A row of activities fills only the few columns of its own type, so
each type has a template of its own, in which the absent columns are constant runs of delimiters.
"""

from collections.abc import Sequence

from outhaul.domain.activity_types import ACTIVITY_TYPES
from outhaul.domain.columns import Column
from outhaul.domain.export import DateFormat, Delimiter, Frozen
from outhaul.render.sql import Piece, Sql, Text, concat, identifier, literal
from outhaul.render.values import value

_TYPE = identifier("type")


def header(columns: Sequence[Column], delimiter: Delimiter) -> bytes:
    """The first line of the file in UTF-8: every label quoted."""
    labels = ('"' + column.label.replace('"', '""') + '"' for column in columns)
    return (delimiter.value.join(labels) + "\n").encode()


def line_sql(
    columns: Sequence[Column],
    *,
    delimiter: Delimiter,
    date_format: DateFormat,
    frozen: Frozen,
) -> str:
    """A scalar expression over the store's columns whose value is one finished line of the file.

    Every value is quoted; a missing one (NULL) is empty and not quoted. When columns belong to
    activity types, a row whose type is none of the registry's makes the query fail.
    """

    def written(run: Sequence[Column], activity_type: str) -> list[Piece]:
        pieces: list[Piece] = []
        for column in run:
            if column.activity_types is None or activity_type in column.activity_types:
                pieces += value(column, date_format, frozen)
            pieces.append(Text(delimiter.value))
        return pieces

    # What every row has stands before the choice of a template. A date's expression is long, and
    # once per template it would cost more to plan than its slice to render.
    common = next(
        (place for place, column in enumerate(columns) if column.activity_types is not None),
        len(columns),
    )
    first = written(columns[:common], "")
    if common == len(columns):
        return concat(_ended(first))
    templates = {
        type_: concat(_ended(written(columns[common:], type_))) for type_ in ACTIVITY_TYPES
    }
    return concat([*first, Sql(_choice(templates))])


def _ended(pieces: list[Piece]) -> list[Piece]:
    """The pieces with the delimiter after the last column replaced by the line's end."""
    return [*pieces[:-1], Text("\n")]


def _choice(templates: dict[str, str]) -> str:
    """The row's template by its type; types that write alike share one."""
    types_of: dict[str, list[str]] = {}
    for type_, template in templates.items():
        types_of.setdefault(template, []).append(type_)
    branches = " ".join(
        f"WHEN {_TYPE} IN ({', '.join(map(literal, types))}) THEN {template}"
        for template, types in types_of.items()
    )
    return f"CASE {branches} ELSE error(concat('no activity type ', {_TYPE})) END"
