"""How the cells of an imported file are read, value by value."""

from datetime import date
from decimal import Decimal

import duckdb
import pytest

from outhaul.domain.export import FieldType
from outhaul.ingest.sources import Cell
from outhaul.ingest.values import parse
from tests.integration.ingest_shop import instant


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as opened:
        opened.execute("SET TimeZone = 'UTC'")
        yield opened


def _read(
    connection: duckdb.DuckDBPyConnection,
    type_: FieldType,
    text: str,
    options: tuple[str, ...] | None = None,
) -> object:
    value = parse("field", type_, Cell(text="raw"), raw="raw", options=options)
    return connection.execute(f"SELECT {value.sql} FROM (SELECT ? AS raw)", [text]).fetchall()[0][0]


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        (FieldType.TEXT, "  as is\n", "  as is\n"),
        (FieldType.EMAIL, " Ana@B.example ", "ana@b.example"),
        (FieldType.IP, "10.0.0.1", "10.0.0.1"),
        (FieldType.IP, "2001:db8::1", "2001:db8::1"),
        (FieldType.INTEGER, "-12", -12),
        (FieldType.INTEGER, "9223372036854775807", 2**63 - 1),
        (FieldType.INTEGER, "5.0", 5),
        (FieldType.DECIMAL, "999999999999.999999", Decimal("999999999999.999999")),
        (FieldType.DECIMAL, "0.1234565", Decimal("0.123457")),
        (FieldType.MONEY, "1e3", Decimal(1000)),
        (FieldType.BOOLEAN, "TRUE", True),
        (FieldType.DATE, "2024-02-29", date(2024, 2, 29)),
        (FieldType.INSTANT, "2026-03-05", instant(2026, 3, 5)),
        (FieldType.INSTANT, "2026-03-05T14:07", instant(2026, 3, 5, 14, 7)),
        (FieldType.INSTANT, "2026-03-05 14:07:09", instant(2026, 3, 5, 14, 7, 9)),
        (FieldType.INSTANT, "2026-03-05T14:07:09.0009Z", instant(2026, 3, 5, 14, 7, 9)),
        (FieldType.INSTANT, "2026-03-05T14:07:09-0530", instant(2026, 3, 5, 19, 37, 9)),
        (FieldType.INSTANT, "1900-01-01T00:00:00.0019Z", instant(1900, 1, 1, 0, 0, 0, 1000)),
        (FieldType.CHECKBOX, "a|b", "a|b"),
        (FieldType.CHECKBOX, '["a", "b c"]', "a|b c"),
        (FieldType.CHECKBOX, "[]", ""),
        (FieldType.CHECKBOX, "", ""),
        (FieldType.JSON, '{ "a" : [1, 2] }', '{"a":[1,2]}'),
    ],
)
def test_right_values_are_read(connection, type_, text, value):
    """The typed value stands for what the text says."""
    assert _read(connection, type_, text) == value


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        (FieldType.TEXT, "a\x00b"),
        (FieldType.EMAIL, "ana@b"),
        (FieldType.EMAIL, "ana b@c.example"),
        (FieldType.EMAIL, "a" * 250 + "@b.example"),
        (FieldType.IP, "localhost"),
        (FieldType.INTEGER, "1.5"),
        (FieldType.INTEGER, " 1"),
        (FieldType.INTEGER, "9223372036854775808"),
        (FieldType.INTEGER, "1_000"),
        (FieldType.DECIMAL, "1000000000000"),
        (FieldType.DECIMAL, "1,5"),
        (FieldType.DECIMAL, "nan"),
        (FieldType.BOOLEAN, "1"),
        (FieldType.DATE, "2023-02-29"),
        (FieldType.DATE, "05/03/2026"),
        (FieldType.INSTANT, "epoch"),
        (FieldType.INSTANT, "2026-3-5"),
        (FieldType.INSTANT, "2026-03-05T25:00:00Z"),
        (FieldType.INSTANT, "1899-12-31T23:59:59Z"),
        (FieldType.INSTANT, "2201-01-01"),
        (FieldType.CHECKBOX, '["a|b"]'),
        (FieldType.CHECKBOX, '["a", null]'),
        (FieldType.CHECKBOX, '["a", ["b"]]'),
        (FieldType.CHECKBOX, '["a"'),
        (FieldType.CHECKBOX, '{"a": 1}'),
        (FieldType.JSON, "{a}"),
        (FieldType.JSON, ""),
    ],
)
def test_wrong_values_are_not_read(connection, type_, text):
    """What cannot be kept without guessing gives no value."""
    assert _read(connection, type_, text) is None


def test_only_options_are_read(connection):
    """A field with options takes nothing else, not even in another case."""
    options = ("active", "it's")
    assert _read(connection, FieldType.RADIO, "it's", options) == "it's"
    assert _read(connection, FieldType.RADIO, "Active", options) is None


def test_a_reason_names_the_field_and_what_is_right():
    """The reason never repeats the value."""
    assert (
        parse("_points", FieldType.INTEGER, Cell(text="raw"), raw="raw").reason
        == "_points must be a whole number"
    )
