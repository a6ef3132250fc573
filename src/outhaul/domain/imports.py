"""An import: a file of contacts, activities or segments to be taken into an account."""

from dataclasses import dataclass
from enum import StrEnum


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


@dataclass(frozen=True, kw_only=True)
class Import:
    """A durable import, as whoever watches it sees it."""

    id: str
    account_id: str
    kind: ImportKind
    path: str
    """Absolute path, readable by the process that owns the data directory."""
    create_fields: bool
    status: ImportStatus
    progress: int
    """Rows dealt with so far."""
    total: int
    taken: int | None
    refused: int | None
    detail: str | None
