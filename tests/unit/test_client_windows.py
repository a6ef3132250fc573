"""Long spans cut into windows that a server takes."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outhaul.client.models import parse_when, wire_date
from outhaul.client.windows import split_windows

_INSTANTS = st.datetimes(
    datetime.fromisoformat("2000-01-01"),
    datetime.fromisoformat("2050-01-01"),
    timezones=st.just(UTC),
)


@given(start=_INSTANTS, length=st.timedeltas(timedelta(0), timedelta(days=900)))
def test_windows_cover_the_span_once(start: datetime, length: timedelta) -> None:
    """Each begins a millisecond after the one before; none reaches over more than 31 days."""
    end = start + length
    sent = [
        (parse_when(wire_date(one.from_date)), parse_when(wire_date(one.to_date)))
        for one in split_windows(start, end)
    ]
    assert sent[0][0] == parse_when(wire_date(start))
    assert sent[-1][1] == parse_when(wire_date(end))
    for (_, last), (first, _) in pairwise(sent):
        assert last is not None
        assert first == last + timedelta(milliseconds=1)
    for first, last in sent:
        assert first is not None
        assert last is not None
        assert timedelta(0) <= last - first <= timedelta(days=31)


def test_what_is_no_date_is_named() -> None:
    """Before anything is sent."""
    with pytest.raises(ValueError, match="to_date: 'tomorrow'"):
        split_windows("2026-01-01", "tomorrow")


def test_a_month_stays_whole() -> None:
    """As the caller wrote it; plain dates and datetimes without a zone are UTC."""
    [window] = split_windows("2026-03-01", "2026-03-31T23:59:59.999Z")
    assert (window.from_date, window.to_date) == ("2026-03-01", "2026-03-31T23:59:59.999Z")
    assert wire_date(date(2026, 3, 1)) == "2026-03-01T00:00:00.000Z"
    assert (
        wire_date(datetime.fromisoformat("2026-03-01T05:00:00.000999"))
        == "2026-03-01T05:00:00.000Z"
    )
