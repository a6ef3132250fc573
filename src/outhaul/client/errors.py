"""What can go wrong for a caller of a bulk-export server. None of it ever holds the API key.

ClientError
├── Refused                the server said no: status, code, detail
│   ├── KeyRefused         401
│   ├── Forbidden          403: a missing scope, a blocked account
│   ├── NotFound           404
│   ├── QueueFull          400 with code E0301
│   ├── InvalidRequest     422: every violation with its path
│   └── RateLimited        429, still after all retries
├── Unreachable            no whole answer came, after all retries
├── NotUnderstood          the answer is not one of this contract
├── CreateUnclear          nobody can tell whether the export was created
├── ExportFailed           the export ended in `error`
├── WaitedTooLong          the export still runs; it goes on without the caller
└── DownloadBroken         the file is not what the server said it would be
"""

from dataclasses import dataclass


class ClientError(Exception):
    """Anything this package raises on purpose."""


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One thing wrong with a request: `path` is a JSON pointer such as `/filters/toDate`."""

    name: str
    path: str
    reason: str


class Refused(ClientError):
    """The server answered, and not with success."""

    def __init__(
        self,
        status: int,
        *,
        detail: str = "",
        code: str | None = None,
        violations: tuple[Violation, ...] = (),
        retry_after: float | None = None,
    ) -> None:
        """`retry_after` is in seconds."""
        self.status = status
        self.detail = detail
        self.code = code
        self.validation_errors = violations
        self.retry_after = retry_after
        told = [detail or "the server gave no reason"]
        told += [f"{one.path}: {one.reason}" for one in violations]
        super().__init__(f"{status}{f' {code}' if code else ''}: {'; '.join(told)}")


class KeyRefused(Refused):
    """The API key is missing, malformed, revoked or wrong."""


class Forbidden(Refused):
    """The key lacks a scope, or the account is blocked."""


class NotFound(Refused):
    """The account has no such export (any more)."""


class QueueFull(Refused):
    """The account has as many unfinished exports as it may have."""


class InvalidRequest(Refused):
    """The request breaks rules; see `validation_errors`."""


class RateLimited(Refused):
    """Too many requests, still after all retries."""


class Unreachable(ClientError):
    """No whole answer came; the cause is the HTTP library's own error."""


class NotUnderstood(ClientError):
    """The address answers, but not as a server of this contract would."""


class CreateUnclear(ClientError):
    """The connection broke while an export was created, and the list of exports could not be read
    to see whether it exists. Look before you create it again."""


class ExportFailed(ClientError):
    """The export ended in `error`; `retry_helps` is None where the server does not say."""

    def __init__(
        self, export_id: str, *, cause: str | None, detail: str, retry_helps: bool | None
    ) -> None:
        super().__init__(f"export {export_id} ended in error: {detail or cause or 'no reason'}")
        self.export_id = export_id
        self.cause = cause
        self.detail = detail
        self.retry_helps = retry_helps


class WaitedTooLong(ClientError):
    """The time given to `wait` is over. The export goes on; wait for it again, or delete it."""

    def __init__(self, export_id: str, seconds: float) -> None:
        super().__init__(f"export {export_id} has not ended within {seconds:g} s; it goes on")
        self.export_id = export_id


class DownloadBroken(ClientError):
    """The bytes received are not the file: a length, digest or checksum does not fit."""
