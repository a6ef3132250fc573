"""Dates as the file shows them, held against moment's own answers."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outhaul.domain.account import Language
from outhaul.domain.dates import (
    Token,
    format_day,
    format_instant,
    instant_pattern,
    parse,
    zone_transitions,
)
from outhaul.domain.export import DateFormat

MOMENT = json.loads((Path(__file__).parents[1] / "data" / "moment.json").read_text("utf-8"))

MARCH_5 = datetime(2026, 3, 5, 14, 7, 9, tzinfo=UTC)

IN_THE_CONTRACT = [
    ("en", "03/05/2026", "March 5, 2026", "March 5, 2026 3:07 PM"),
    ("es", "05/03/2026", "5 de marzo de 2026", "5 de marzo de 2026 15:07"),
    ("fr", "05/03/2026", "5 mars 2026", "5 mars 2026 15:07"),
    ("it", "05/03/2026", "5 marzo 2026", "5 marzo 2026 15:07"),
    ("nl", "05-03-2026", "5 maart 2026", "5 maart 2026 15:07"),
    ("pt-BR", "05/03/2026", "5 de março de 2026", "5 de março de 2026 às 15:07"),
]


@pytest.mark.parametrize("date_format", [DateFormat.L, DateFormat.LL, DateFormat.LLL])
def test_every_answer_of_moment_is_ours(date_format):
    """All languages and zones, around changes of the clocks, years, noon and midnight."""
    ours = [
        format_instant(
            datetime.fromisoformat(answer["instant"]),
            date_format,
            Language(answer["language"]),
            answer["zone"],
        )
        for answer in MOMENT
    ]
    assert ours == [answer[date_format] for answer in MOMENT]


def test_moment_was_asked_in_every_language():
    """The committed answers cover six languages and several hundred cases."""
    assert {answer["language"] for answer in MOMENT} == set(Language)
    assert len(MOMENT) == 276


@pytest.mark.parametrize(("language", "numeric", "written", "with_time"), IN_THE_CONTRACT)
def test_the_contract_s_own_table(language, numeric, written, with_time):
    """The afternoon of 5 March in Madrid reads as the contract prints it."""
    got = [
        format_instant(MARCH_5, date_format, Language(language), "Europe/Madrid")
        for date_format in (DateFormat.L, DateFormat.LL, DateFormat.LLL)
    ]
    assert got == [numeric, written, with_time]


def test_iso_is_utc_with_milliseconds_whatever_the_zone():
    """ISO ignores the account's zone and language, and the offset the instant came with."""
    elsewhere = MARCH_5.astimezone(timezone(timedelta(hours=5)))
    text = format_instant(elsewhere, DateFormat.ISO, Language.ES, "Pacific/Auckland")
    assert text == "2026-03-05T14:07:09.000Z"


def test_the_last_half_hour_of_the_year_is_next_year_in_madrid():
    """The day is the one on the account's clocks."""
    instant = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    got = [
        format_instant(instant, date_format, Language.ES, "Europe/Madrid")
        for date_format in (DateFormat.L, DateFormat.LLL)
    ]
    assert got == ["01/01/2027", "1 de enero de 2027 0:30"]


@pytest.mark.parametrize(
    ("date_format", "text"),
    [
        (DateFormat.ISO, "1984-02-09"),
        (DateFormat.L, "09/02/1984"),
        (DateFormat.LL, "9 de febrero de 1984"),
        (DateFormat.LLL, "9 de febrero de 1984"),
    ],
)
def test_a_calendar_day_has_no_time(date_format, text):
    """LLL writes a day like LL, since a birthday has no hour."""
    assert format_day(date(1984, 2, 9), date_format, Language.ES) == text


def test_the_months_of_every_language_are_twelve_and_distinct():
    """Each month of each language is written differently."""
    for language in Language:
        texts = {format_day(date(2026, m, 1), DateFormat.LL, language) for m in range(1, 13)}
        assert len(texts) == 12


def test_text_in_brackets_is_not_read_as_tokens():
    """`[de]` is plain text, although D and e would mean something outside the brackets."""
    pattern = instant_pattern(DateFormat.LL, Language.ES)
    assert parse(pattern) == (Token.DAY, " ", "de", " ", Token.MONTH_NAME, " ", "de", " ", "YYYY")


@pytest.mark.parametrize("date_format", list(DateFormat))
def test_a_naive_instant_is_refused(date_format):
    """Without an offset nobody knows which instant is meant."""
    with pytest.raises(ValueError, match="needs a UTC offset"):
        format_instant(datetime(2026, 3, 5), date_format, Language.EN, "UTC")  # noqa: DTZ001


def test_iso_has_no_pattern():
    """Only L, LL and LLL depend on a language."""
    with pytest.raises(ValueError, match="ISO"):
        instant_pattern(DateFormat.ISO, Language.EN)


def test_a_zone_that_does_not_exist_is_refused():
    """A misspelt zone is an error, not UTC."""
    with pytest.raises(ZoneInfoNotFoundError):
        zone_transitions("Europe/Madird", 2020, 2021)


def test_the_transitions_of_madrid_in_2026():
    """The start of the time asked for, then the second at which each offset begins."""
    got = [
        (datetime.fromtimestamp(one.at, UTC).isoformat(), one.offset)
        for one in zone_transitions("Europe/Madrid", 2026, 2026)
    ]
    assert got == [
        ("2026-01-01T00:00:00+00:00", 3600),
        ("2026-03-29T01:00:00+00:00", 7200),
        ("2026-10-25T01:00:00+00:00", 3600),
    ]


def test_two_changes_within_four_days_are_both_found():
    """Freetown in 1939 has the shortest time between two changes in the whole database."""
    got = [one.offset for one in zone_transitions("Africa/Freetown", 1939, 1939)]
    zone = ZoneInfo("Africa/Freetown")
    hours = (datetime(1939, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(365 * 24))
    offsets = [hour.astimezone(zone).utcoffset() for hour in hours]
    assert [timedelta(seconds=offset) for offset in got] == [
        offset for offset, _ in groupby(offsets)
    ]


@settings(max_examples=200, deadline=None)
@given(
    zone=st.sampled_from(
        ["Europe/Madrid", "America/Sao_Paulo", "Asia/Gaza", "Africa/Casablanca", "Asia/Kolkata"]
    ),
    at=st.integers(-2208988800, 4133980799),
)
def test_transitions_say_what_zoneinfo_says(zone, at):
    """From 1900 to 2100 the last transition before an instant holds the instant's offset."""
    before = [one.offset for one in zone_transitions(zone, 1900, 2100) if one.at <= at]
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at)
    assert instant.astimezone(ZoneInfo(zone)).utcoffset() == timedelta(seconds=before[-1])
