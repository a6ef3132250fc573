"""What states and faults are called on pages, and what to do about them."""

from dataclasses import dataclass

from outhaul.domain.account import Scope
from outhaul.domain.audit import Action
from outhaul.domain.errors import FailureCause, QueueFull
from outhaul.domain.export import Delimiter, ExportStatus, ExportType, MemberKind
from outhaul.domain.extras import Compression, FileFormat
from outhaul.domain.imports import ImportKind, ImportStatus


@dataclass(frozen=True, kw_only=True)
class State:
    """A state in a word, and how it is coloured."""

    word: str
    tone: str
    """`quiet`, `busy`, `good` or `bad`."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What went wrong, and what helps."""

    title: str
    explanation: str
    advice: str


EXPORT_STATES = {
    ExportStatus.QUEUED: State(word="Waiting", tone="quiet"),
    ExportStatus.IN_PROGRESS: State(word="Running", tone="busy"),
    ExportStatus.FINISHED: State(word="Finished", tone="good"),
    ExportStatus.ERROR: State(word="Failed", tone="bad"),
}
IMPORT_STATES = {
    ImportStatus.QUEUED: State(word="Waiting", tone="quiet"),
    ImportStatus.IN_PROGRESS: State(word="Running", tone="busy"),
    ImportStatus.FINISHED: State(word="Finished", tone="good"),
    ImportStatus.ERROR: State(word="Failed", tone="bad"),
    ImportStatus.CANCELLED: State(word="Stopped", tone="quiet"),
}
ACTIONS = {
    Action.SIGNED_IN: "Signed in",
    Action.EXPORT_STARTED: "Started an export",
    Action.EXPORT_DELETED: "Deleted or stopped an export",
    Action.FILE_DOWNLOADED: "Downloaded a file",
    Action.IMPORT_SENT: "Sent a file to import",
    Action.IMPORT_FORGOTTEN: "Forgot or stopped an import",
    Action.CONTACT_ERASED: "Erased a contact",
    Action.SEGMENT_SAVED: "Saved a segment",
    Action.SEGMENT_ENDED: "Ended a segment",
    Action.MEMBERS_CHANGED: "Changed members of a segment",
    Action.FIELD_ADDED: "Added a contact field",
    Action.FIELD_ENDED: "Ended a contact field",
    Action.REPORT_SAVED: "Saved a report",
    Action.REPORT_DELETED: "Deleted a report",
    Action.KEY_CREATED: "Made a key",
    Action.KEY_REVOKED: "Revoked a key",
}
SCOPES = {
    Scope.EXPORT_READ: "see exports, download their files",
    Scope.EXPORT_WRITE: "make, stop and delete exports",
    Scope.CONTACT_READ: "look contacts and activities up",
    Scope.CONTACT_WRITE: "change, import and erase contacts",
    Scope.FIELD_READ: "see contact fields",
    Scope.FIELD_WRITE: "add and end contact fields",
    Scope.IMPORT_READ: "see imports",
    Scope.IMPORT_WRITE: "send files to import",
    Scope.PURCHASE_WRITE: "send purchases",
    Scope.EVENT_WRITE: "send custom events",
    Scope.ACTIVITY_WRITE: "send and import activities",
    Scope.SEGMENT_READ: "see segments and their sizes",
    Scope.SEGMENT_WRITE: "make, change and end segments",
    Scope.REPORT_READ: "see reports",
    Scope.REPORT_WRITE: "make, change and delete reports",
    Scope.ADMIN: "make and revoke keys, read the audit log",
}
IMPORT_KINDS = {
    ImportKind.CONTACTS: "Contacts",
    ImportKind.ACTIVITIES: "Activities",
    ImportKind.SEGMENTS: "Segments",
}
_THINGS = {
    "contacts": "Contacts",
    "activities": "Activities",
    "data-explorer": "Report",
    "erased": "Erased contacts",
    "products": "Product lines",
    "report": "Report",
}
EXPORT_TYPES = {type_: _THINGS[type_.value] for type_ in ExportType}
DELIMITERS = {Delimiter.COMMA: "Comma", Delimiter.SEMICOLON: "Semicolon"}
FILE_FORMATS = {
    FileFormat.CSV: "CSV",
    FileFormat.JSONL: "JSON Lines",
    FileFormat.PARQUET: "Parquet",
}
"""Those that have a name of their own for people; others go by their value."""
COMPRESSIONS = {Compression.ZIP: "ZIP", Compression.GZIP: "gzip", Compression.ZSTD: "Zstandard"}
MEMBERS = {kind: _THINGS[kind.value] for kind in MemberKind}
FAILURES = {
    FailureCause.PARITY_BROKEN: Failure(
        title="The rows did not add up",
        explanation="The rows that were read are not exactly those that were counted before."
        " A file that may be incomplete is never published, so nothing was kept.",
        advice="Please report this to whoever runs this server: it should not happen.",
    ),
    FailureCause.STORAGE_FULL: Failure(
        title="No room for the file",
        explanation="The server's file storage is full.",
        advice="Delete exports that you need no longer, or have the storage made larger. Then make"
        " the export again.",
    ),
    FailureCause.STORAGE_UNAVAILABLE: Failure(
        title="The file storage could not be reached",
        explanation="Parts of the file could not be written or read, several times in a row.",
        advice="Make the export again when the storage is back; System health tells.",
    ),
    FailureCause.ERASED: Failure(
        title="The file was deleted for an erased contact",
        explanation="The file held a contact that has been erased since. No file may keep one.",
        advice="Make the export again: it will be without that contact.",
    ),
    FailureCause.ERASED_TOO_OFTEN: Failure(
        title="Contacts were erased time and again",
        explanation="Each erasure makes a running export begin anew, and there were too many.",
        advice="Make the export again once the erasures are through.",
    ),
    FailureCause.OUT_OF_MEMORY: Failure(
        title="Not enough memory",
        explanation="A part of the file needed more memory than the server may use.",
        advice="Make a narrower export, such as fewer days; or ask for a higher limit of memory,"
        " and make it again.",
    ),
    FailureCause.WORKER_LOST: Failure(
        title="The work stopped without a word",
        explanation="Worker after worker ended or hung at the same step, for want of memory say.",
        advice="The server's log may say where. A narrower export, such as fewer days, may pass.",
    ),
    FailureCause.WAREHOUSE_UNAVAILABLE: Failure(
        title="The warehouse could not be reached",
        explanation="The engine that holds the data was away or failed, several times in a row.",
        advice="Make the export again when the engine is back.",
    ),
    FailureCause.WAREHOUSE_REFUSED: Failure(
        title="The warehouse has rows that no file can show",
        explanation="Some rows lack the instant that puts them in their order. The log tells of"
        " which table, and how many.",
        advice="Mend the rows in the warehouse, and make the export again.",
    ),
    FailureCause.INTERNAL: Failure(
        title="A fault of the server",
        explanation="Something went wrong that nobody had thought of. The log has the details.",
        advice="Please report it to whoever runs this server, with the id of this export.",
    ),
}


def queue_full(full: QueueFull) -> str:
    """Why no other export can be made now, and when one can."""
    return (
        f"{full.limit} exports are unfinished already, as many as an account may have."
        " Start this one when one of them has ended, or stop one."
    )
