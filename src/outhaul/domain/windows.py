"""The window of an activities export, judged in the account's zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MAX_WINDOW_DAYS = 31


def window_fault(
    from_date: datetime, to_date: datetime, timezone: str, *, may_be_long: bool = False
) -> str | None:
    """What is wrong with the window of an activities export, judged in the account's zone.

    31 calendar days may last an hour more or less than 31 times 24 hours; a window that fits by
    either count does not exceed 31 days.
    """
    if to_date < from_date:
        return "must not be before fromDate"
    if may_be_long:
        return None
    latest = from_date.astimezone(ZoneInfo(timezone)) + timedelta(days=MAX_WINDOW_DAYS)
    # A wall time that happens twice (or never) counts in the caller's favour.
    limit = max(latest.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if to_date > limit and to_date - from_date > timedelta(days=MAX_WINDOW_DAYS):
        return f"must be at most {MAX_WINDOW_DAYS} days after fromDate"
    return None
