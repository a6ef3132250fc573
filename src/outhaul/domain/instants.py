"""Instants as text. Written in one form: UTC, milliseconds, `Z` (clients compare it as text).
Read from any ISO 8601; what has no offset is UTC (contract 13)."""

import re
from datetime import UTC, datetime, timedelta

DATE_PATTERN = (
    r"^(19[7-9][0-9]|2[0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"(T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.,][0-9]{1,9})?)?"
    r"(Z|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])?)?$"
)
"""Years 1970 to 2999: beyond them arithmetic over zones could leave Python's calendar."""
EXPECTED_DATE = (
    "must be an ISO 8601 date or date-time from 1970 to 2999, such as 2026-03-05T14:07:09Z"
)

_DATE = re.compile(DATE_PATTERN)


def now() -> datetime:
    """The present instant in UTC, cut to whole milliseconds."""
    return to_milliseconds(datetime.now(UTC))


def to_milliseconds(instant: datetime) -> datetime:
    """The same instant in UTC, cut down to whole milliseconds.

    Raises ValueError for a datetime without an offset.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant needs a UTC offset")
    utc = instant.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def to_text(instant: datetime) -> str:
    """`2026-03-05T14:07:09.000Z`."""
    utc = to_milliseconds(instant)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def from_utc(naive: datetime) -> datetime:
    """The instant that a datetime without offset means in UTC."""
    return naive.replace(tzinfo=UTC)


def from_epoch_ms(milliseconds: int) -> datetime:
    """The instant that many milliseconds after 1970-01-01T00:00:00Z."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def epoch_ms(instant: datetime) -> int:
    """Whole milliseconds since 1970-01-01T00:00:00Z."""
    return (to_milliseconds(instant) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        milliseconds=1
    )


def parse_instant(value: object) -> datetime | None:
    """The instant in UTC and whole milliseconds, or None when the value is not one."""
    if not isinstance(value, str) or _DATE.fullmatch(value) is None:
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:  # The pattern lets 30 February pass.
        return None
    return to_milliseconds(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))
