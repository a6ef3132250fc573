"""What the audit log knows of."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Action(StrEnum):
    """Something that somebody did; the value is what the catalog keeps."""

    SIGNED_IN = "signedIn"
    EXPORT_STARTED = "exportStarted"
    EXPORT_DELETED = "exportDeleted"
    """Or stopped, while it ran."""
    FILE_DOWNLOADED = "fileDownloaded"
    IMPORT_SENT = "importSent"
    IMPORT_FORGOTTEN = "importForgotten"
    """Or stopped, while it ran."""
    CONTACT_ERASED = "contactErased"
    SEGMENT_SAVED = "segmentSaved"
    SEGMENT_ENDED = "segmentEnded"
    MEMBERS_CHANGED = "membersChanged"
    FIELD_ADDED = "fieldAdded"
    FIELD_ENDED = "fieldEnded"
    REPORT_SAVED = "reportSaved"
    REPORT_DELETED = "reportDeleted"
    KEY_CREATED = "keyCreated"
    KEY_REVOKED = "keyRevoked"


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """One thing that somebody did."""

    at: datetime
    key_id: str | None
    """The key it was done with; None: on the server's command line."""
    action: Action
    subject: str
    """Id of what it was done to."""
