"""Text that a spreadsheet would run is escaped, by the engine and by Python alike; no other is."""

import re
from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outhaul.render.formulas import guarded, guarded_cell_sql, runs_sql
from outhaul.render.values import cell, text_of


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def by_engine(engine: duckdb.DuckDBPyConnection, text: str) -> tuple[str, str | None]:
    """The text as it is guarded in contacts, and in activities, where it is stored as a cell."""
    [(plain, finished)] = engine.execute(
        f"SELECT CASE WHEN {runs_sql('text')} THEN concat('''', text) ELSE text END,"
        f" {guarded_cell_sql('cell')}"
        " FROM (SELECT ?::VARCHAR AS text, ?::VARCHAR AS cell)",
        [text, cell(text)],
    ).fetchall()
    return plain, text_of(finished)


def runs(text: str) -> bool:
    """Whether a spreadsheet takes the text for a formula, and it is neither number nor phone."""
    space = " \t\r\n\u00a0"
    bare = text.lstrip(space)
    if bare[:1] in {"=", "@", "＝", "＋", "－", "＠"}:
        return True
    if bare[:1] not in {"+", "-"}:
        return False
    rest = re.sub(r"(?<=[0-9])[eE][+-]?(?=[0-9])", "", bare[1:])
    return not set(rest) <= set(space + "-0123456789.,()/%")


@settings(max_examples=600, deadline=None)
@given(text=st.text(st.sampled_from("=+-@＝＋－＠ \t\r\n\u00a0019.,()eE%/aA'\";"), max_size=7))
def test_exactly_what_a_spreadsheet_would_run_is_escaped(
    engine: duckdb.DuckDBPyConnection, text: str
) -> None:
    """The same in contacts, in activities and in headers."""
    expected = f"'{text}" if runs(text) else text
    assert by_engine(engine, text) == (expected, expected)
    assert guarded(text) == expected


@pytest.mark.parametrize(
    "text",
    ["=1+1", " =cmd|' /C calc'!A0", "@SUM(A1)", "+A1", "-2+3+cmd", "\t=1", "＝1+1", "-e5", "+1*2"],
)
def test_formulas_are_escaped(engine: duckdb.DuckDBPyConnection, text: str) -> None:
    """What people are known to have tried."""
    assert by_engine(engine, text) == (f"'{text}", f"'{text}")


@pytest.mark.parametrize(
    "text",
    [
        *("+34 600 111 222", "+34-600-111-222", "+49/89/123456", "+1 (202) 555.0100", "-12.5"),
        *("-1,234.50", "+1.5e-3", "-5%", "--", "-", "a=b", "'=1", '"=1"', ""),
    ],
)
def test_numbers_phones_and_plain_text_stay(engine: duckdb.DuckDBPyConnection, text: str) -> None:
    """Also signs alone, which stand for a missing value in many lists."""
    assert by_engine(engine, text) == (text, text)
