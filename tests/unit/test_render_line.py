"""Lines written by the engine, held against a plain rendering of the same rows."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outhaul.domain.account import Language
from outhaul.domain.activity_types import ACTIVITY_TYPES
from outhaul.domain.columns import Column
from outhaul.domain.dates import format_day, format_instant
from outhaul.domain.export import (
    CustomField,
    DateFormat,
    Delimiter,
    FieldType,
    Frozen,
    MemberKind,
    Version,
)
from outhaul.domain.versions import columns
from outhaul.render.line import header, line_sql

FROZEN = Frozen(
    timezone="Europe/Madrid",
    language=Language.ES,
    mobile_push=True,
    custom_fields=tuple(
        CustomField(id=f"c{ordinal}", name=f'{type_} "{ordinal}"', type=type_, ordinal=ordinal)
        for ordinal, type_ in enumerate(FieldType, start=1)
    ),
)
PLAIN = {"id", "contactId", "activityId"}
NEVER_MISSING = {*PLAIN, "type", "createdAt"}
SQL_TYPES = {
    FieldType.INTEGER: "BIGINT",
    FieldType.DECIMAL: "DECIMAL(18,6)",
    FieldType.MONEY: "DECIMAL(18,6)",
    FieldType.BOOLEAN: "BOOLEAN",
    FieldType.DATE: "DATE",
    FieldType.INSTANT: "TIMESTAMP",
}

texts = st.one_of(
    st.text(alphabet="\",;\n\r'~%\\ aé€😀", max_size=12),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
)
numbers = st.decimals(
    Decimal(-999999999999), Decimal(999999999999), places=6, allow_nan=False, allow_infinity=False
) | st.decimals(-1000, 1000, places=2, allow_nan=False, allow_infinity=False)
VALUES: dict[FieldType, st.SearchStrategy] = {
    FieldType.INTEGER: st.integers(-(2**63), 2**63 - 1),
    FieldType.DECIMAL: numbers,
    FieldType.MONEY: numbers,
    FieldType.BOOLEAN: st.booleans(),
    FieldType.DATE: st.dates(date(1900, 1, 1), date(2100, 12, 31)),
    FieldType.INSTANT: st.datetimes(datetime(1900, 1, 2), datetime(2100, 12, 30)).map(  # noqa: DTZ001
        lambda one: one.replace(microsecond=one.microsecond // 1000 * 1000)
    ),
}


def plain_value(value, type_: FieldType, date_format: DateFormat) -> str:
    """The value as text, without the help of the engine."""
    match type_:
        case FieldType.BOOLEAN:
            return "true" if value else "false"
        case FieldType.DECIMAL:
            return f"{value:f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"
        case FieldType.MONEY:
            whole, _, fraction = f"{value:.6f}".partition(".")
            return f"{whole}.{fraction[:2]}{fraction[2:].rstrip('0')}"
        case FieldType.DATE:
            return format_day(value, date_format, FROZEN.language)
        case FieldType.INSTANT:
            instant = value.replace(tzinfo=UTC)
            return format_instant(instant, date_format, FROZEN.language, FROZEN.timezone)
        case _:
            return str(value)


def plain_line(row: dict, found: tuple[Column, ...], delimiter: str, form: DateFormat) -> str:
    values = (
        row[column.source]
        if column.activity_types is None or row["type"] in column.activity_types
        else None
        for column in found
    )
    return (
        delimiter.join(
            ""
            if value is None
            else '"' + plain_value(value, column.type, form).replace('"', '""') + '"'
            for value, column in zip(values, found, strict=True)
        )
        + "\n"
    )


@cache
def engine() -> duckdb.DuckDBPyConnection:
    """One engine for all tests of this module: starting one takes longer than asking it."""
    return duckdb.connect(config={"threads": 1})


def stored(value, as_cell: bool):
    """The value as the store keeps it."""
    return '"' + value.replace('"', '""') + '"' if as_cell and value is not None else value


def engine_lines(rows: list[dict], found: tuple[Column, ...], sql: str) -> list[str]:
    types = {column.source: SQL_TYPES.get(column.type, "VARCHAR") for column in found}
    names = ", ".join(f'"{name}" {type_}' for name, type_ in types.items())
    marks = ", ".join("?" for _ in range(len(types) + 1))
    cells = {column.source for column in found if column.as_cell}
    connection = engine()
    connection.execute(f"CREATE OR REPLACE TABLE t (n_ INTEGER, {names})")
    for number, row in enumerate(rows):
        connection.execute(
            f"INSERT INTO t VALUES ({marks})",
            [number, *(stored(row[name], name in cells) for name in types)],
        )
    return [row[0] for row in connection.execute(f"SELECT {sql} FROM t ORDER BY n_").fetchall()]


def rows_of(found: tuple[Column, ...], activity_type: str | None = None) -> st.SearchStrategy:
    def values(column: Column) -> st.SearchStrategy:
        if column.source == "type" and activity_type is not None:
            return st.just(activity_type)
        if (
            activity_type is not None
            and column.activity_types is not None
            and column.source not in ACTIVITY_TYPES[activity_type].fields
        ):
            return st.none()
        if column.source in PLAIN:
            return st.from_regex(r"[A-Za-z0-9._:-]{1,64}", fullmatch=True)
        some = VALUES.get(column.type, texts)
        return some if column.source in NEVER_MISSING else st.none() | some

    return st.fixed_dictionaries({column.source: values(column) for column in found})


def columns_of(member: MemberKind, version: Version) -> tuple[Column, ...]:
    return columns(member, version, FROZEN, None)


@cache
def line(member: MemberKind, version: Version, delimiter: Delimiter, form: DateFormat) -> str:
    found = columns_of(member, version)
    return line_sql(
        found, types=ACTIVITY_TYPES, delimiter=delimiter, date_format=form, frozen=FROZEN
    )


def check(
    rows: list[dict],
    member: MemberKind,
    version: Version,
    delimiter: Delimiter,
    form: DateFormat,
) -> None:
    """The engine's lines are the plain ones, and Python's csv reader finds as many values."""
    found = columns_of(member, version)
    got = engine_lines(rows, found, line(member, version, delimiter, form))
    assert got == [plain_line(row, found, delimiter, form) for row in rows]
    read = list(csv.reader(io.StringIO("".join(got), newline=""), delimiter=delimiter.value))
    assert [len(values) for values in read] == [len(found)] * len(rows)


forms = {"delimiter": st.sampled_from(Delimiter), "form": st.sampled_from(DateFormat)}


@pytest.mark.parametrize("version", list(Version))
@settings(max_examples=6, deadline=None)
@given(data=st.data(), **forms)
def test_any_contact_reads_like_the_plain_rendering(version, data, delimiter, form):
    """All field types, custom ones too, with nasty text and missing values."""
    rows = data.draw(st.lists(rows_of(columns_of(MemberKind.CONTACTS, version)), max_size=2))
    check(rows, MemberKind.CONTACTS, version, delimiter, form)


@pytest.mark.parametrize("version", list(Version))
@settings(max_examples=6, deadline=None)
@given(data=st.data(), **forms)
def test_any_activity_shows_the_columns_of_its_own_type(version, data, delimiter, form):
    """A field that the type has only in a later version is not written."""
    types = data.draw(st.lists(st.sampled_from(sorted(ACTIVITY_TYPES)), max_size=3))
    found = columns_of(MemberKind.ACTIVITIES, version)
    rows = [data.draw(rows_of(found, type_)) for type_ in types]
    check(rows, MemberKind.ACTIVITIES, version, delimiter, form)


@settings(max_examples=12, deadline=None)
@given(data=st.data(), version=st.sampled_from(Version), **forms)
def test_any_product_line_reads_like_the_plain_rendering(data, version, delimiter, form):
    """Product lines are written like the rest."""
    found = columns_of(MemberKind.PRODUCTS, version)
    rows = data.draw(st.lists(rows_of(found, "purchase"), max_size=3))
    check(rows, MemberKind.PRODUCTS, version, delimiter, form)


@pytest.mark.parametrize("version", list(Version))
def test_every_activity_type_has_a_template_that_fills_its_columns(version):
    """One full row of each type: exactly the type's own fields are there."""
    found = columns_of(MemberKind.ACTIVITIES, version)
    samples = {
        FieldType.INTEGER: 3,
        FieldType.MONEY: Decimal("4.5"),
        FieldType.INSTANT: datetime(2026, 3, 5, 14, 7, 9),  # noqa: DTZ001
    }
    rows = [
        {
            column.source: samples.get(column.type, column.id)
            if column.activity_types is None or column.source in type_.fields
            else None
            for column in found
        }
        | {"type": type_.id}
        for type_ in ACTIVITY_TYPES.values()
    ]
    sql = line(MemberKind.ACTIVITIES, version, Delimiter.SEMICOLON, DateFormat.ISO)
    got = engine_lines(rows, found, sql)
    assert got == [plain_line(row, found, ";", DateFormat.ISO) for row in rows]
    for text, type_ in zip(got, ACTIVITY_TYPES.values(), strict=True):
        assert text.count('"') == 2 * (5 + len(type_.fields_in(version)))


def test_a_whole_line_of_a_search():
    """The only own column of a search follows the five that all activities have."""
    found = columns(MemberKind.ACTIVITIES, Version.V1, FROZEN, ("search", "coupon-assigned"))
    row = {column.source: None for column in found} | {
        "type": "search",
        "createdAt": datetime(2026, 3, 5, 14, 7, 9),  # noqa: DTZ001
        "contactId": "5f00000000000000000000aa",
        "id": "5f00000000000000000000bb",
        "searchText": 'a 19" rack, please',
    }
    sql = line_sql(
        found,
        types=["search"],
        delimiter=Delimiter.COMMA,
        date_format=DateFormat.LLL,
        frozen=FROZEN,
        created=(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)),
    )
    assert engine_lines([row], found, sql) == [
        '"search","5 de marzo de 2026 15:07",,"5f00000000000000000000aa",'
        '"5f00000000000000000000bb","a 19"" rack, please",,\n'
    ]


def test_empty_text_and_a_missing_value_differ():
    """Missing is nothing at all, empty text is a pair of quotes."""
    found = (
        Column(id="a", label="A", type=FieldType.TEXT, source="a"),
        Column(id="b", label="B", type=FieldType.TEXT, source="b"),
    )
    sql = line_sql(found, delimiter=Delimiter.COMMA, date_format=DateFormat.ISO, frozen=FROZEN)
    assert engine_lines([{"a": "", "b": None}, {"a": None, "b": ""}], found, sql) == [
        '"",\n',
        ',""\n',
    ]


@pytest.mark.parametrize(
    ("type_", "number", "text"),
    [
        (FieldType.DECIMAL, "12.5", "12.5"),
        (FieldType.DECIMAL, "469", "469"),
        (FieldType.DECIMAL, "100", "100"),
        (FieldType.DECIMAL, "0", "0"),
        (FieldType.DECIMAL, "-0.000001", "-0.000001"),
        (FieldType.DECIMAL, "999999999999.999999", "999999999999.999999"),
        (FieldType.MONEY, "469", "469.00"),
        (FieldType.MONEY, "0.0125", "0.0125"),
        (FieldType.MONEY, "-0.001", "-0.001"),
        (FieldType.MONEY, "19.9", "19.90"),
        (FieldType.MONEY, "0", "0.00"),
        (FieldType.MONEY, "999999999999.999999", "999999999999.999999"),
    ],
)
def test_numbers_have_no_needless_zeros_and_money_has_two_decimals(type_, number, text):
    """No digit that the store holds is lost."""
    found = (Column(id="n", label="N", type=type_, source="n"),)
    sql = line_sql(found, delimiter=Delimiter.COMMA, date_format=DateFormat.ISO, frozen=FROZEN)
    assert engine_lines([{"n": Decimal(number)}], found, sql) == [f'"{text}"\n']


def test_the_header_is_quoted_throughout():
    """Every label is quoted, a quote in it doubled, in UTF-8 without a byte order mark."""
    found = (
        Column(id="a", label='Talla "EU"', type=FieldType.TEXT, source="x1"),
        Column(id="b", label="Teléfono; otro", type=FieldType.TEXT, source="x2"),
    )
    assert header(found, Delimiter.SEMICOLON) == '"Talla ""EU""";"Teléfono; otro"\n'.encode()


def test_a_column_s_name_is_never_taken_for_sql():
    """Quotes in the name of a store column stay part of the name."""
    found = (Column(id="a", label="A", type=FieldType.TEXT, source="it's"),)
    sql = line_sql(found, delimiter=Delimiter.COMMA, date_format=DateFormat.ISO, frozen=FROZEN)
    assert engine_lines([{"it's": "x"}], found, sql) == ['"x"\n']
