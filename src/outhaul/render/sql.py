"""Pieces of SQL text."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """Constant text of a line."""

    value: str


@dataclass(frozen=True)
class Sql:
    """An expression whose value is text of a line; NULL writes nothing."""

    value: str


Piece = Text | Sql


def literal(text: str) -> str:
    """A text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A column's name as a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def concat(pieces: Iterable[Piece]) -> str:
    """An expression that writes the pieces one after another; neighbouring constants are one."""
    arguments: list[str] = []
    constant = ""
    for piece in pieces:
        if isinstance(piece, Text):
            constant += piece.value
            continue
        if constant:
            arguments.append(literal(constant))
            constant = ""
        arguments.append(piece.value)
    if constant or not arguments:
        arguments.append(literal(constant))
    return f"concat({', '.join(arguments)})"
