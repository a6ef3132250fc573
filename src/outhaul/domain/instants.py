"""The one written form of an instant: UTC, milliseconds, `Z` (clients compare it as text)."""

from datetime import UTC, datetime, timedelta


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
