"""What the server answers, as plain values."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, cast

from outhaul.client.errors import NotUnderstood

ExportType = Literal["contacts", "activities"]
Delimiter = Literal[",", ";"]
DateFormat = Literal["ISO", "L", "LL", "LLL"]
FileFormat = Literal["csv", "jsonl", "parquet"]
Compression = Literal["zip", "gzip", "zstd"]
When = datetime | date | str
"""A date is its midnight in UTC, and so is a datetime without a zone; text goes out as it is."""
Day = date | str
"""Text is such as `2026-03-05`."""

ENDED = frozenset({"finished", "error"})


@dataclass(frozen=True, kw_only=True)
class Export:
    """An export as the server told it. What the contract leaves optional may be None."""

    id: str
    export_type: str
    status: str
    """`queued`, `inProgress`, `finished` or `error`."""
    version: str | None
    date_format: str | None
    delimiter: str | None
    filters: Mapping[str, Any]
    created_at: datetime | None
    finished_at: datetime | None
    progress: int
    total: int
    file_name: str | None
    file_url: str | None = field(repr=False)
    """Whoever has this link can fetch the file, so it stays out of `repr`."""
    error: Mapping[str, Any] | None
    raw: Mapping[str, Any] = field(repr=False)
    """The whole JSON object, with what this class does not know."""

    @property
    def ended(self) -> bool:
        return self.status in ENDED


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of the list of exports, newest first."""

    exports: tuple[Export, ...]
    has_next: bool


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What a progress callback is told, several times a second at most."""

    phase: Literal["waiting", "downloading", "joining"]
    done: int
    """Rows while waiting, bytes while downloading, files while joining."""
    total: int | None
    """None while unknown."""
    export: Export
    window: int = 1
    """Which window this is, from 1."""
    windows: int = 1


def read_export(value: object) -> Export:
    """The export in a decoded JSON object. Raises NotUnderstood."""
    if not isinstance(value, dict) or not isinstance(value.get("id"), str):
        raise NotUnderstood("the answer holds no export")
    if not isinstance(value.get("status"), str):
        raise NotUnderstood("the export in the answer has no status")
    raw = cast("dict[str, Any]", value)
    filters, error = raw.get("filters"), raw.get("error")
    return Export(
        id=raw["id"],
        export_type=str(raw.get("exportType", "")),
        status=raw["status"],
        version=_text(raw, "version"),
        date_format=_text(raw, "dateFormat"),
        delimiter=_text(raw, "delimiter"),
        filters=filters if isinstance(filters, dict) else {},
        created_at=parse_when(raw.get("createdAt")),
        finished_at=parse_when(raw.get("finishedAt")),
        progress=_count(raw, "progress"),
        total=_count(raw, "total"),
        file_name=_text(raw, "fileName"),
        file_url=_text(raw, "fileUrl"),
        error=error if isinstance(error, dict) else None,
        raw=raw,
    )


def parse_when(value: object) -> datetime | None:
    """The instant of a date, a datetime or ISO 8601 text; None when it is none of these."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return None


def plain_day(value: Day, name: str) -> date:
    """The day. Raises ValueError, which calls it `name`."""
    # Python also reads other forms of a day, such as 20260305.
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        with suppress(ValueError):
            value = date.fromisoformat(value)
    # A datetime is a date to Python; which day it means depends on the account's zone.
    if isinstance(value, str | datetime):
        raise ValueError(f"{name}: {value!r} is no day such as 2026-03-05")
    return value


def wire_date(value: When) -> str:
    """How a date is sent: UTC, milliseconds."""
    if isinstance(value, str):
        return value
    moment = parse_when(value)
    assert moment is not None
    moment = moment.astimezone(UTC)
    moment -= timedelta(microseconds=moment.microsecond % 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text(raw: Mapping[str, Any], name: str) -> str | None:
    value = raw.get(name)
    return value if isinstance(value, str) else None


def _count(raw: Mapping[str, Any], name: str) -> int:
    value = raw.get(name)
    return value if isinstance(value, int) and value >= 0 else 0
