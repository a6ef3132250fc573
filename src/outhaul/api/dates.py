"""Dates of a request: ISO 8601 text to an instant; what has no offset is UTC (contract 13)."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from outhaul.domain.instants import to_milliseconds

DATE_PATTERN = (
    r"^(19[7-9][0-9]|2[0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"(T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.,][0-9]{1,9})?)?"
    r"(Z|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])?)?$"
)
"""Years 1970 to 2999: beyond them arithmetic over zones could leave Python's calendar."""
EXPECTED_DATE = (
    "must be an ISO 8601 date or date-time from 1970 to 2999, such as 2026-03-05T14:07:09Z"
)
MAX_WINDOW_DAYS = 31

_DATE = re.compile(DATE_PATTERN)


def parse_instant(value: object) -> datetime | None:
    """The instant in UTC and whole milliseconds, or None when the value is not one."""
    if not isinstance(value, str) or _DATE.fullmatch(value) is None:
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:  # The pattern lets 30 February pass.
        return None
    return to_milliseconds(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))


def window_fault(from_date: datetime, to_date: datetime, timezone: str) -> str | None:
    """What is wrong with the window of an activities export, judged in the account's zone.

    31 calendar days may last an hour more or less than 31 times 24 hours; a window that fits by
    either count does not exceed 31 days.
    """
    if to_date < from_date:
        return "must not be before fromDate"
    latest = from_date.astimezone(ZoneInfo(timezone)) + timedelta(days=MAX_WINDOW_DAYS)
    # A wall time that happens twice (or never) counts in the caller's favour.
    limit = max(latest.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if to_date > limit and to_date - from_date > timedelta(days=MAX_WINDOW_DAYS):
        return f"must be at most {MAX_WINDOW_DAYS} days after fromDate"
    return None
