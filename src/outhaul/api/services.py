"""What the edge needs from below, as protocols: the real services and the tests' fakes fit both.

The behaviour behind each name is described where it is implemented.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from outhaul.api.health import HealthReport
from outhaul.api.metrics import Metrics
from outhaul.domain.account import Account, ApiKey
from outhaul.domain.audit import AuditEntry
from outhaul.domain.columns import Column
from outhaul.domain.estimate import Estimate
from outhaul.domain.export import Export, ExportRequest, ExportType, MemberKind, Version
from outhaul.domain.reports import Report
from outhaul.ingest.intake import Intake


class ExportPage(Protocol):
    """One page of an account's exports, newest first."""

    @property
    def results(self) -> tuple[Export, ...]: ...
    @property
    def has_next(self) -> bool: ...


class StoredFile(Protocol):
    """A finished archive that can be read from any byte."""

    # Comes before the property `bytes`, which hides the type for the rest of the class.
    def read(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Bytes from `start` up to `end` (excluded; None: the last), in chunks."""
        ...

    def link(self) -> str | None:
        """A URL where the caller is to fetch it instead."""
        ...

    @property
    def file_name(self) -> str: ...
    @property
    def bytes(self) -> int: ...
    @property
    def sha256(self) -> str:
        """Hex digest of the whole file."""
        ...

    @property
    def finished_at(self) -> datetime: ...


class Exports(Protocol):
    """The use cases around exports."""

    def segment_known(self, account_id: str, segment_id: str) -> bool: ...
    def create(
        self, account: Account, request: ExportRequest, *, idempotency_key: str | None = None
    ) -> Export:
        """Raises QueueFull and IdempotencyKeyReused."""
        ...

    def get(self, account_id: str, export_id: str) -> Export:
        """Raises NotFound."""
        ...

    def page(self, account_id: str, *, page: int, page_size: int) -> ExportPage: ...
    def manifest(self, account_id: str, export_id: str) -> str:
        """Canonical JSON. Raises NotFound and NotFinished."""
        ...

    def delete(self, account_id: str, export_id: str) -> None:
        """Raises NotFound."""
        ...

    def file_path(self, export: Export) -> str:
        """A newly signed path and query below the base URL; only for a finished export."""
        ...

    def open_file(self, path_and_query: str) -> StoredFile:
        """Raises LinkRefused and NotFound."""
        ...


class Reports(Protocol):
    """Saved reports, each of one account."""

    def add(self, account_id: str, report: Report) -> None: ...
    def all(self, account_id: str) -> tuple[Report, ...]:
        """By name, then id."""
        ...

    def get(self, account_id: str, report_id: str) -> Report:
        """Raises NotFound."""
        ...

    def replace(self, account_id: str, report: Report) -> None:
        """Raises NotFound."""
        ...

    def delete(self, account_id: str, report_id: str) -> None:
        """Raises NotFound."""
        ...


class AuditLog(Protocol):
    """Who did what."""

    def page(
        self, account_id: str, *, page: int, page_size: int
    ) -> tuple[Sequence[AuditEntry], bool]:
        """Newest first; and whether there is another page."""
        ...


class MemberDescription(Protocol):
    """One file of an archive and its columns, in order."""

    @property
    def kind(self) -> MemberKind: ...
    @property
    def columns(self) -> tuple[Column, ...]: ...


class Keys(Protocol):
    """API keys by their id."""

    def find(self, key_id: str) -> tuple[ApiKey, Account] | None: ...
    def remembered(self, key_id: str) -> tuple[ApiKey, Account] | None:
        """What `find` would give; None as well when that has to be asked. Never waits; and who
        remembers anything has an `admit` and `rates` that never wait either."""
        ...


class RateVerdict(Protocol):
    """The answer to one request's wish to pass; durations in seconds."""

    @property
    def allowed(self) -> bool: ...
    @property
    def limit(self) -> int: ...
    @property
    def remaining(self) -> int: ...
    @property
    def reset_after(self) -> float:
        """Until the whole quota is there again."""
        ...

    @property
    def retry_after(self) -> float:
        """Until the next request can pass; 0 when this one did."""
        ...


class Rates(Protocol):
    """The rate limit, one quota per account."""

    def take(self, account_id: str) -> RateVerdict: ...


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything the edge calls."""

    exports: Exports
    keys: Keys
    rates: Rates
    describe: Callable[[Account, ExportType, Version], Sequence[MemberDescription]]
    """The files that an export planned now would have."""
    estimate: Callable[[Account, ExportRequest], Estimate]
    """What an export would be if it was planned now; nothing is written."""
    newest_commit: Callable[[str], int]
    """Number of the newest commit of the account with this id; 0 before the first."""
    health: Callable[[], HealthReport]
    worker_alive: Callable[[], bool]
    """Whether somebody does the work that is due; asked at every answer, so it has to be quick."""
    public_url: str | None
    """Base of every URL in an answer; None: what the request was sent to."""
    admit: Callable[[str], None] = lambda _account_id: None
    """Raises KeptElsewhere for an account whose data another node keeps; asked at nearly every
    request, so it has to be quick."""
    intake: Intake | None = None
    """What takes data in; None: this edge only gives data out."""
    metrics: Metrics | None = None
    """What `/metrics` tells; None: somebody else tells it, or nobody."""
    reports: Reports | None = None
    """None: this edge knows none, and exports none."""
    audit: AuditLog | None = None
    """None: this edge tells nothing of it."""
