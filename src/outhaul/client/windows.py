"""Activities exports reach over at most 31 days; longer spans are cut into windows."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from outhaul.client.models import When, parse_when

_SPAN = timedelta(days=31)
_WINDOW = timedelta(days=30)
"""A day less than allowed: fits whether the server counts days of a zone or hours."""
_STEP = timedelta(milliseconds=1)


@dataclass(frozen=True, kw_only=True)
class Window:
    """Both instants are included."""

    from_date: When
    to_date: When


def split_windows(from_date: When, to_date: When) -> list[Window]:
    """Windows that touch and do not overlap, oldest first. Both instants are included.

    A span that one export can hold stays whole, and so does one whose dates are reversed: the
    server says what is wrong with it. Raises ValueError for text that is no ISO 8601 date.
    """
    start, end = _instant(from_date, "from_date"), _instant(to_date, "to_date")
    if end - start <= _SPAN:
        return [Window(from_date=from_date, to_date=to_date)]
    windows = []
    while start <= end:
        last = min(start + _WINDOW - _STEP, end)
        windows.append(Window(from_date=start, to_date=last))
        start = last + _STEP
    return windows


def _instant(value: When, name: str) -> datetime:
    moment = parse_when(value)
    if moment is None:
        raise ValueError(f"{name}: {value!r} is no ISO 8601 date or date-time")
    moment = moment.astimezone(UTC)
    return moment - timedelta(microseconds=moment.microsecond % 1000)
