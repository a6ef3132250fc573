"""An import: a file of contacts, activities or segments to be taken into an account."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path


class ImportKind(StrEnum):
    """What a file holds."""

    CONTACTS = "contacts"
    ACTIVITIES = "activities"
    SEGMENTS = "segments"


class ImportStatus(StrEnum):
    """Where an import is in its life."""

    QUEUED = "queued"
    IN_PROGRESS = "inProgress"
    FINISHED = "finished"
    """Every row was either taken or refused with a reason."""
    ERROR = "error"
    """The file as a whole could not be taken; `detail` says why."""
    CANCELLED = "cancelled"
    """Stopped by its owner; what it had committed by then stays."""


class Existing(StrEnum):
    """What a file of contacts does to a contact that is there already."""

    OVERRIDE = "override"
    """Every field that the row sets is set."""
    FILL = "fill"
    """Only fields without a value are set."""
    KEEP = "keep"
    """The row changes nothing."""


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """How a file is to be taken."""

    create_fields: bool = False
    """Whether unknown columns of contacts become contact fields."""
    delimiter: str | None = None
    """Of a CSV file; None: as its first line tells."""
    existing: Existing = Existing.OVERRIDE
    uploaded: bool = False
    """Sent over HTTP: only fields that the API can set, and the file is removed afterwards."""


@dataclass(frozen=True, kw_only=True)
class Import:
    """A durable import, as whoever watches it sees it."""

    id: str
    account_id: str
    kind: ImportKind
    path: str
    """Absolute path, readable by the process that owns the data directory."""
    options: ImportOptions
    status: ImportStatus
    progress: int
    """Rows dealt with so far."""
    total: int
    taken: int | None
    refused: int | None
    detail: str | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


def rejects_of(file: str | Path) -> Path:
    """Where the refused rows of an imported file are listed."""
    return Path(f"{file}.rejected.jsonl")
