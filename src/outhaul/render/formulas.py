"""Text that a spreadsheet would run when it opens a file, and how it is escaped.

A spreadsheet takes a cell for a formula that begins with one of = + - @, also in their full-width
forms and behind white space. Numbers and phones begin with + or - too: they stay as they are, and
so does text that is nothing but signs. Whatever else begins so gets an apostrophe in front, which
makes it text.
"""

import re

from outhaul.render.sql import literal

_SPACE = "[ \\t\\r\\n\\f\\v\u00a0\u3000]*"
_RUNS = f"{_SPACE}[=+@\uff1d\uff0b\uff0d\uff20-]"
_HARMLESS = f"{_SPACE}[+-](?:[0-9 \u00a0().,/-]*|[0-9.,]+[eE][+-]?[0-9]+)%?{_SPACE}"
# Python and the engine read these patterns alike; neither has anything that the other lacks.


def guarded(text: str) -> str:
    """The text, with an apostrophe in front where a spreadsheet would run it."""
    runs = re.match(_RUNS, text) is not None and re.fullmatch(_HARMLESS, text) is None
    return f"'{text}" if runs else text


def guard_sql(name: str) -> str:
    """The apostrophe that has to stand in front of a text, or NULL."""
    return _case(name, f"^{_RUNS}", f"^{_HARMLESS}$", literal("'"))


def guarded_cell_sql(name: str) -> str:
    """A text that the store keeps as its finished cell, guarded."""
    opened = f"concat({literal(chr(34) + chr(39))}, substr({name}, 2))"
    return _case(name, f'^"{_RUNS}', f'^"{_HARMLESS}"$', opened, otherwise=f" ELSE {name}")


def _case(name: str, runs: str, harmless: str, then: str, *, otherwise: str = "") -> str:
    return (
        f"CASE WHEN regexp_matches({name}, {literal(runs)})"
        f" AND NOT regexp_matches({name}, {literal(harmless)}) THEN {then}{otherwise} END"
    )
