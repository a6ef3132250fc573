from datetime import UTC, datetime

import pytest

from outhaul.domain.instants import parse_instant, to_text
from outhaul.domain.windows import window_fault


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-03-05", "2026-03-05T00:00:00.000Z"),
        ("2026-03-05T14:07", "2026-03-05T14:07:00.000Z"),
        ("2026-03-05T14:07:09", "2026-03-05T14:07:09.000Z"),
        ("2026-03-05T14:07:09Z", "2026-03-05T14:07:09.000Z"),
        ("2026-03-05T14:07:09.1239999Z", "2026-03-05T14:07:09.123Z"),
        ("2026-03-05T14:07:09,5+01:00", "2026-03-05T13:07:09.500Z"),
        ("2026-03-05T00:30:00-0330", "2026-03-05T04:00:00.000Z"),
        ("1970-01-01T00:00:00+23:59", "1969-12-31T00:01:00.000Z"),
        ("2999-12-31T23:59:59.999-23:59", "3000-01-01T23:58:59.999Z"),
    ],
)
def test_iso_dates_are_read(text, written):
    """Every accepted spelling means one instant; without an offset it is UTC."""
    instant = parse_instant(text)
    assert instant is not None
    assert to_text(instant) == written


@pytest.mark.parametrize(
    "value",
    [
        "",
        "2026",
        "2026-03",
        "20260305",
        "2026-W10-4",
        "2026-02-30",
        "2026-13-01",
        "2026-03-05T24:00:00Z",
        "2026-03-05T14:07:60Z",
        "2026-03-05 14:07:09",
        "2026-03-05Z",
        "1969-12-31",
        "3000-01-01",
        "9999-12-31T23:59:59-23:59",
        "2026-03-05T14:07:09Z\n",
        "٢٠٢٦-03-05",
        1772719629,
        1772719629.5,
        True,
        None,
        ["2026-03-05"],
    ],
)
def test_what_is_no_iso_date_is_refused(value):
    """Nothing but a full ISO date in the agreed years is taken for one, numbers least of all."""
    assert parse_instant(value) is None


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("from_date", "to_date", "timezone", "fault"),
    [
        ("2026-03-01T00:00+00:00", "2026-03-01T00:00+00:00", "UTC", None),
        ("2026-03-01T00:00+00:00", "2026-04-01T00:00+00:00", "UTC", None),
        ("2026-03-01T00:00+00:00", "2026-04-01T00:00:00.001+00:00", "UTC", "31 days"),
        ("2026-03-02T00:00+00:00", "2026-03-01T23:59+00:00", "UTC", "before"),
        # October in Madrid lasts an hour more than 31 times 24 hours, March an hour less.
        ("2026-10-01T00:00+02:00", "2026-11-01T00:00+01:00", "Europe/Madrid", None),
        ("2026-10-01T00:00+02:00", "2026-11-01T00:00:01+01:00", "Europe/Madrid", "31 days"),
        ("2026-10-01T00:00+02:00", "2026-11-01T00:00+01:00", "UTC", "31 days"),
        ("2026-03-01T00:00+01:00", "2026-04-01T00:00+02:00", "Europe/Madrid", None),
        # A month in UTC is 31 times 24 hours, whatever the clocks of the account do meanwhile.
        ("2026-03-01T00:00+00:00", "2026-03-31T23:59:59.999+00:00", "Europe/Madrid", None),
        ("2026-03-01T00:00+01:00", "2026-04-01T01:00:00.001+02:00", "Europe/Madrid", "31 days"),
    ],
)
def test_the_window_is_31_calendar_days_of_the_account(from_date, to_date, timezone, fault):
    """A day of the window is a day in the account's zone, however many hours it has."""
    found = window_fault(_instant(from_date), _instant(to_date), timezone)
    assert found is None if fault is None else fault in (found or "")
