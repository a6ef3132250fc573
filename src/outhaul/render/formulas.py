"""Text that a spreadsheet would run when it opens a file, and how it is escaped.

A spreadsheet takes a cell for a formula that begins with one of = + - @, also in their full-width
forms and behind white space. Numbers and phones begin with + or - too: they stay as they are, and
so does text that is nothing but signs. Whatever else begins so gets an apostrophe in front, which
makes it text.
"""

import re

from outhaul.render.sql import literal

_SPACE = " \\t\\r\\n\\f\\v\u00a0\u3000"


def _runs(quote: str) -> str:
    """A pattern for texts to escape, as they are or as cells in quotes. Python and the engine,
    which has no lookahead, read it alike."""
    # Behind + or -, what is part of no number and no phone: another sign (an apostrophe stands
    # for a quote in a cell), a + that begins no exponent, an e that is not within a number.
    odd = f"[^0-9().,/%eE+{_SPACE}{quote}-]"
    doubled = f"|{quote}{quote}" if quote else ""
    no_exponent = "[^0-9][eE]|[eE](?:[^0-9+-]|$)|[eE][+-](?:[^0-9]|$)"
    return (
        f"^{quote}[{_SPACE}]*(?:[=@＝＋－＠]|[+-][eE+]"
        f"|[+-](?s:.*)(?:{odd}{doubled}|[^eE][+]|{no_exponent}))"
    )


_TEXT = re.compile(_runs(""))
_PLAIN_CELLS = f"BETWEEN {literal(chr(34) + 'A')} AND {literal(chr(34) + '~')}"
"""Most cells begin with a letter; comparing tells them at a tenth of a pattern's price."""


def guarded(text: str) -> str:
    """The text, with an apostrophe in front where a spreadsheet would run it."""
    return f"'{text}" if _TEXT.match(text) else text


def runs_sql(name: str) -> str:
    """Whether a spreadsheet would run a text."""
    return f"regexp_matches({name}, {literal(_TEXT.pattern)})"


def guarded_cell_sql(name: str) -> str:
    """A text that the store keeps as its finished cell, guarded."""
    runs = f"regexp_matches({name}, {literal(_runs(chr(34)))})"
    opened = f"concat({literal(chr(34) + chr(39))}, substr({name}, 2))"
    return f"CASE WHEN {name} {_PLAIN_CELLS} THEN {name} WHEN {runs} THEN {opened} ELSE {name} END"
