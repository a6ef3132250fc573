"""The engine writes instants and days exactly as the plain reference does."""

import json
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outhaul.domain.account import Language
from outhaul.domain.dates import format_day, format_instant, zone_transitions
from outhaul.domain.export import DateFormat, Frozen
from outhaul.render.dates import day_sql, instant_sql

MOMENT = json.loads((Path(__file__).parents[1] / "data" / "moment.json").read_text("utf-8"))

LOCAL = [DateFormat.L, DateFormat.LL, DateFormat.LLL]
ZONES = [
    "UTC",
    "Europe/Madrid",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "America/New_York",
    "Pacific/Auckland",
    "Africa/Casablanca",
    "Africa/Monrovia",
    "Australia/Lord_Howe",
    "America/Caracas",
]


@cache
def engine() -> duckdb.DuckDBPyConnection:
    """One engine for all tests of this module: starting one takes longer than asking it."""
    return duckdb.connect(config={"threads": 1})


def frozen(zone: str, language: Language = Language.EN) -> Frozen:
    return Frozen(timezone=zone, language=language, mobile_push=False)


def written(sql: str, values: list, sql_type: str = "TIMESTAMP") -> list[str | None]:
    """What the engine makes of the values of a column named "at"."""
    connection = engine()
    connection.execute(f'CREATE OR REPLACE TABLE t (n INTEGER, "at" {sql_type})')
    naive = [one.isoformat().removesuffix("+00:00") if one else None for one in values]
    connection.execute(
        f"INSERT INTO t SELECT i - 1, $1[i]::{sql_type} FROM range(1, len($1) + 1) r(i)", [naive]
    )
    return [row[0] for row in connection.execute(f"SELECT {sql} FROM t ORDER BY n").fetchall()]


@pytest.mark.parametrize("date_format", LOCAL)
def test_every_answer_of_moment_is_the_engine_s(date_format):
    """All languages and zones, around changes of the clocks, years, noon and midnight."""
    for zone, language in {(answer["zone"], answer["language"]) for answer in MOMENT}:
        asked = [a for a in MOMENT if (a["zone"], a["language"]) == (zone, language)]
        sql = instant_sql('"at"', date_format, frozen(zone, Language(language)))
        instants = [datetime.fromisoformat(answer["instant"]) for answer in asked]
        assert written(sql, instants) == [answer[date_format] for answer in asked]


@pytest.mark.parametrize("zone", ZONES)
def test_both_sides_of_every_change_from_1900_to_2100(zone):
    """At each transition and in the millisecond before it, clocks show what zoneinfo says."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    changes = [epoch + timedelta(seconds=one.at) for one in zone_transitions(zone, 1900, 2100)]
    last = datetime(2100, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)
    before = [change - timedelta(milliseconds=1) for change in changes[1:]]
    instants = [*changes, *before, last]
    sql = instant_sql('"at"', DateFormat.LLL, frozen(zone))
    assert written(sql, instants) == [
        format_instant(one, DateFormat.LLL, Language.EN, zone) for one in instants
    ]


@settings(max_examples=40, deadline=None)
@given(
    instants=st.lists(
        st.datetimes(datetime(1900, 1, 1), datetime(2100, 12, 31, 23), timezones=st.just(UTC)),  # noqa: DTZ001
        min_size=1,
        max_size=50,
    ),
    zone=st.sampled_from(ZONES),
    language=st.sampled_from(Language),
    date_format=st.sampled_from(DateFormat),
)
def test_any_instant_reads_like_the_reference(instants, zone, language, date_format):
    """Whatever the format, the language and the zone."""
    whole = [one.replace(microsecond=one.microsecond // 1000 * 1000) for one in instants]
    sql = instant_sql('"at"', date_format, frozen(zone, language))
    assert written(sql, whole) == [
        format_instant(one, date_format, language, zone) for one in whole
    ]


@settings(max_examples=30, deadline=None)
@given(
    days=st.lists(st.dates(date(1000, 1, 1), date(2999, 12, 31)), min_size=1, max_size=50),
    language=st.sampled_from(Language),
    date_format=st.sampled_from(DateFormat),
)
def test_any_day_reads_like_the_reference(days, language, date_format):
    """A day is written as it is, even for an account on the other side of the world."""
    sql = day_sql('"at"', date_format, frozen("Pacific/Auckland", language))
    assert written(sql, days, "DATE") == [format_day(one, date_format, language) for one in days]


@pytest.mark.parametrize("date_format", list(DateFormat))
def test_a_missing_date_stays_missing(date_format):
    """NULL gives NULL and not an empty pair of quotes."""
    spanish = frozen("Europe/Madrid", Language.ES)
    assert written(instant_sql('"at"', date_format, spanish, quote='"'), [None]) == [None]
    assert written(day_sql('"at"', date_format, spanish, quote='"'), [None], "DATE") == [None]


def test_beyond_the_exact_years_the_nearest_offset_goes_on():
    """In 1850 Madrid shows its offset of 1900, and in 2150 the one at the end of 2100."""
    sql = instant_sql('"at"', DateFormat.LLL, frozen("Europe/Madrid"))
    far = [datetime(1850, 7, 1, 12, tzinfo=UTC), datetime(2150, 7, 1, 12, tzinfo=UTC)]
    start = datetime(1900, 1, 1, tzinfo=UTC).astimezone(ZoneInfo("Europe/Madrid")).utcoffset()
    assert start == -timedelta(minutes=14, seconds=44)
    assert written(sql, far) == ["July 1, 1850 11:45 AM", "July 1, 2150 1:00 PM"]


@settings(max_examples=40, deadline=None)
@given(
    first=st.datetimes(datetime(1901, 1, 1), datetime(2098, 1, 1)),  # noqa: DTZ001
    days=st.floats(0.01, 250),
    fractions=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=6),
    zone=st.sampled_from(sorted(ZONES)),
    language=st.sampled_from(Language),
    date_format=st.sampled_from(DateFormat),
)
def test_knowing_the_bounds_changes_no_text(first, days, fractions, zone, language, date_format):
    """The short way for instants that lie close together writes what the long one writes."""
    between = first.replace(tzinfo=UTC), first.replace(tzinfo=UTC) + timedelta(days=days)
    instants = [first, *(first + timedelta(days=days * fraction) for fraction in fractions)]
    bounded = instant_sql('"at"', date_format, frozen(zone, language), between=between)
    plain = instant_sql('"at"', date_format, frozen(zone, language))
    assert written(bounded, instants) == written(plain, instants)
