"""Quantities and instants as people read them."""

from datetime import datetime
from zoneinfo import ZoneInfo

_BYTES_PER_STEP = 1000
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def whole(number: float) -> str:
    """`1,234,567`."""
    return f"{number:,.0f}"


def size(count: float) -> str:
    """Bytes with a unit: `999 bytes`, `1.2 MB`."""
    value, unit = float(count), _UNITS[0]
    for unit in _UNITS:
        if round(value, 1) < _BYTES_PER_STEP or unit == _UNITS[-1]:
            break
        value /= _BYTES_PER_STEP
    return f"{value:,.0f} {unit}" if unit == _UNITS[0] else f"{value:,.1f} {unit}"


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def instant(at: datetime, timezone: str) -> str:
    """`25 Nov 2026 08:15:04` on the clocks of the zone."""
    local = at.astimezone(ZoneInfo(timezone))
    return f"{local.day} {local:%b %Y %H:%M:%S}"


def day(at: datetime, timezone: str) -> str:
    """`25 Nov 2026` in the zone."""
    local = at.astimezone(ZoneInfo(timezone))
    return f"{local.day} {local:%b %Y}"
