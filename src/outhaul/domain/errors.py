"""What can go wrong, as types that carry facts; the edge turns them into answers by one table.

OuthaulError
├── NotAllowed
│   ├── Unauthenticated        no key, a malformed key or a wrong one: always the same answer
│   ├── RateLimited            the account asked too often
│   ├── AccountBlocked
│   ├── ScopeMissing
│   └── LinkRefused            a file link that has expired or was altered
├── BadRequest
│   ├── MediaTypeRefused       the body is not labelled application/json
│   ├── MalformedBody          not JSON, repeated keys, NaN, too large
│   ├── MalformedId
│   ├── MalformedIdempotencyKey
│   ├── NotFinished            asked for what only a finished export has
│   ├── Conflict               what is to be made exists already
│   └── Refused                a rule with a code of the contract
│       ├── QueueFull          code E0301
│       └── ImportQueueFull    code E0401
├── NotFound
├── Invalid                    every violation at once
│   └── IdempotencyKeyReused   the key stands for another request
├── StorageError               a file, or the store, that could not be written, read or deleted
│   ├── FileMissing
│   ├── StorageFull            no room, or a quota reached
│   └── StorageUnavailable     any other fault of the disk or the object store
│       └── StorageRefused     wrong keys, too few rights, or no such bucket
├── CatalogUnavailable         its database is away or busy; asking again later helps
├── MadeByNewer                by a newer version, on another node; this one cannot read it
├── MemoryExhausted            the data engine needs more memory than it may have
├── UnsafeSettings             settings that do not fit together; says what to set
├── KeptElsewhere              the account's data is kept by another node
├── WarehouseUnavailable       the engine is away, or fails at what it is asked
├── ImportRefused              a file that as a whole cannot be taken in
└── ExportFailed               why an export ended in `error`; carries a FailureCause
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class OuthaulError(Exception):
    """Anything Outhaul itself raises on purpose."""


class NotAllowed(OuthaulError):
    """The caller may not do this (now)."""


class Unauthenticated(NotAllowed):
    """No key, a malformed one or a wrong one."""


class RateLimited(NotAllowed):
    """The account has used up its requests; `retry_after` is whole seconds, at least 1."""

    def __init__(self, *, retry_after: int) -> None:
        super().__init__(f"rate limited for {retry_after} s")
        self.retry_after = retry_after


class AccountBlocked(NotAllowed):
    """The operator has blocked the account."""


class ScopeMissing(NotAllowed):
    """The key is right but was not granted `scope`."""

    def __init__(self, scope: str) -> None:
        super().__init__(f"scope {scope} is missing")
        self.scope = scope


class LinkRefused(NotAllowed):
    """A file link whose signature does not fit or whose time is over."""


class BadRequest(OuthaulError):
    """The request cannot be read or cannot be taken now; `detail` is fit for the caller."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class MediaTypeRefused(BadRequest):
    """The body's media type is not application/json."""


class MalformedBody(BadRequest):
    """The body is not one JSON value that can be read without guessing."""


class MalformedId(BadRequest):
    """An id in the path that cannot be one."""


class MalformedIdempotencyKey(BadRequest):
    """A name for a create that cannot be one."""


class NotFinished(BadRequest):
    """Asked for what only a finished export has."""


class Conflict(BadRequest):
    """The request contradicts what is there already."""


class Refused(BadRequest):
    """The request breaks a rule that the contract gives a `code`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class QueueFull(Refused):
    """As many exports as allowed (`limit`) are unfinished already: code E0301 of the contract."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            "E0301", f"{limit} exports are already waiting; retry later or delete one."
        )
        self.limit = limit


class ImportQueueFull(Refused):
    """As many imports as allowed (`limit`) have not ended: code E0401 of the contract."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            "E0401", f"{limit} imports are already waiting; retry later or delete one."
        )


class NotFound(OuthaulError):
    """Nothing of this `kind` (a word such as `export`) has this id in this account."""

    def __init__(self, kind: str, id_: str) -> None:
        super().__init__(f"no {kind} {id_}")
        self.kind = kind
        self.id = id_


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One thing wrong with a body: `name` of the property, `path` as JSON pointer, `reason`."""

    name: str
    path: str
    reason: str


class Invalid(OuthaulError):
    """The body was read but breaks rules; holds every violation found, never only the first."""

    def __init__(self, violations: Iterable[Violation], *, detail: str) -> None:
        self.violations = tuple(violations)
        self.detail = detail
        super().__init__(f"{len(self.violations)} violations")


class IdempotencyKeyReused(Invalid):
    """The account has created another export under this key in the last 24 hours."""

    def __init__(self) -> None:
        reason = "must be what was first sent under this Idempotency-Key; or send a new key"
        super().__init__(
            [Violation(name="body", path="", reason=reason)],
            detail="This Idempotency-Key stands for another export request.",
        )


class StorageError(OuthaulError):
    """The object store failed at the file `key`, or at the files below that prefix; or the disk
    failed at the store of an account."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class FileMissing(StorageError):
    """No file has this key."""


class StorageFull(StorageError):
    """There is no room for the file; space has to be made before another attempt can succeed."""


class StorageUnavailable(StorageError):
    """The object store or the disk cannot be reached, refuses or is broken; its own error is the
    cause."""


class StorageRefused(StorageUnavailable):
    """The object store answers, but does not let us in: wrong keys, too few rights, no bucket."""


class UnsafeSettings(OuthaulError):
    """Settings that cannot work, or would lose files or work; the text says what to set."""


class MadeByNewer(OuthaulError):
    """A newer version has made it, on another node; this one does not understand it. In a moment
    another node may be asked, or this one be replaced."""


class MemoryExhausted(OuthaulError):
    """The data engine needs more memory than its limit for what it was asked."""


class CatalogUnavailable(OuthaulError):
    """The catalog's database cannot be reached, or is too busy; its own error is the cause.
    Nothing is known to have been done, and asking again is right."""

    def __init__(self) -> None:
        super().__init__(
            "the catalog's database does not answer, or is too busy; see outhaul doctor"
        )


class KeptElsewhere(OuthaulError):
    """The account's data is kept by another node, at `address`; None while no node owns it."""

    def __init__(self, address: str | None) -> None:
        super().__init__(address or "by no node now")
        self.address = address


class WarehouseUnavailable(OuthaulError):
    """The engine of a warehouse cannot be reached, or failed; its own error is the cause."""


class ImportRefused(OuthaulError):
    """The file as a whole cannot be taken; `detail` tells its owner what would be right."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class FailureCause(StrEnum):
    """Why an export ended in `error`. The value is what the API and the catalog show."""

    PARITY_BROKEN = "parityBroken"
    """The slices do not hold exactly the rows that the plan counted; nothing was published."""
    STORAGE_FULL = "storageFull"
    """There was no room for slices or the archive."""
    STORAGE_UNAVAILABLE = "storageUnavailable"
    """Slices or the archive could not be written or read."""
    OUT_OF_MEMORY = "outOfMemory"
    """The data engine needs more memory than its limit for a slice or for the plan."""
    ERASED = "erased"
    """The file held a contact that has been erased since, and was deleted for that."""
    ERASED_TOO_OFTEN = "erasedTooOften"
    """Contacts were erased again and again while the export ran; each time it began anew."""
    WORKER_LOST = "workerLost"
    """Worker after worker died or hung on the same step; a next export may well do the same."""
    WAREHOUSE_UNAVAILABLE = "warehouseUnavailable"
    """The warehouse that holds the data could not be reached, or failed."""
    WAREHOUSE_REFUSED = "warehouseRefused"
    """The warehouse has rows that no file can show; the log tells which."""
    INTERNAL = "internal"
    """A fault of Outhaul's own; its log has the details."""

    @property
    def retry_helps(self) -> bool:
        """Whether asking again later, unchanged, can be expected to succeed."""
        return self in {
            FailureCause.STORAGE_FULL,
            FailureCause.STORAGE_UNAVAILABLE,
            FailureCause.WAREHOUSE_UNAVAILABLE,
            FailureCause.ERASED,
            FailureCause.ERASED_TOO_OFTEN,
        }


class ExportFailed(OuthaulError):
    """An export cannot be finished, for `cause`."""

    def __init__(self, cause: FailureCause, message: str = "") -> None:
        super().__init__(message or cause.value)
        self.cause = cause
