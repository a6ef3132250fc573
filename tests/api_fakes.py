"""The edge over services that live in memory: every answer can be provoked in one line."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx
from starlette.types import ASGIApp

from outhaul.api.app import create_app
from outhaul.api.health import OK, HealthReport
from outhaul.api.services import Services
from outhaul.auth.secrets import hash_secret
from outhaul.domain.account import Account, ApiKey, Language, Scope
from outhaul.domain.errors import KeptElsewhere, LinkRefused, NotFinished, NotFound, QueueFull
from outhaul.domain.estimate import Estimate
from outhaul.domain.export import (
    ArchiveFacts,
    Export,
    ExportRequest,
    ExportStatus,
    ExportType,
    Frozen,
    Origin,
    Version,
)
from outhaul.domain.versions import columns
from outhaul.exports.descriptions import MemberDescription

CREATED = datetime(2026, 4, 1, 8, tzinfo=UTC)
FINISHED = datetime(2026, 4, 1, 8, 0, 12, 345000, tzinfo=UTC)
ARCHIVE = bytes(range(256)) * 4
SHA256 = "ab" * 32
NEWEST_COMMIT = 7
SEGMENT = "5f1b2c3d4e5f6a7b8c9d0e1f"
SECRET = "s3cret"
NOTHING = Estimate(
    snapshot=0, rows=0, bytes=0, compressed_bytes=0, seconds=0.3, learned_from=0, members=()
)
HEALTHY = HealthReport(catalog="ok", store="ok", files="ok", worker="ok")


def an_account(**changes: Any) -> Account:
    account = Account(
        id="a" * 24,
        name="A shop",
        timezone="Europe/Madrid",
        language=Language.EN,
        mobile_push=False,
        blocked=False,
        created_at=CREATED,
    )
    return replace(account, **changes)


def described(export_type: ExportType, version: Version) -> tuple[MemberDescription, ...]:
    """The files of an account without fields of its own."""
    frozen = Frozen.of(an_account(), ())
    return tuple(
        MemberDescription(kind=kind, columns=columns(kind, version, frozen, None))
        for kind in export_type.members
    )


@dataclass(frozen=True, kw_only=True)
class FakePage:
    results: tuple[Export, ...]
    has_next: bool


@dataclass(frozen=True, kw_only=True)
class FakeFile:
    file_name: str = "export-contacts.zip"
    bytes: int = len(ARCHIVE)
    sha256: str = SHA256
    finished_at: datetime = FINISHED
    breaks: bool = False
    elsewhere: str | None = None

    def link(self) -> str | None:
        return self.elsewhere

    def read(self, start: int = 0, end: int | None = None) -> "Iterator[Any]":
        middle = (start + (end or len(ARCHIVE))) // 2
        yield ARCHIVE[start:middle]
        if self.breaks:
            raise OSError("the disk is gone")
        yield ARCHIVE[middle:end]


@dataclass
class FakeExports:
    """Exports without work: a test decides their state by writing it."""

    held: dict[str, Export] = field(default_factory=dict)
    limit: int = 5
    links: int = 0
    file: FakeFile = field(default_factory=FakeFile)

    def segment_known(self, account_id: str, segment_id: str) -> bool:
        return segment_id == SEGMENT

    def create(
        self, account: Account, request: ExportRequest, *, idempotency_key: str | None = None
    ) -> Export:
        if len(self.held) >= self.limit:
            raise QueueFull(self.limit)
        export = Export(
            id=f"{len(self.held) + 1:024x}",
            account_id=account.id,
            request=request,
            origin=Origin.API,
            status=ExportStatus.QUEUED,
            progress=0,
            total=0,
            created_at=CREATED,
            file_name="export-contacts.zip",
        )
        self.held[export.id] = export
        return export

    def finish(self, export_id: str) -> None:
        self.held[export_id] = replace(
            self.held[export_id],
            status=ExportStatus.FINISHED,
            progress=7,
            total=7,
            finished_at=FINISHED,
            archive=ArchiveFacts(key="k", bytes=len(ARCHIVE), sha256=SHA256),
        )

    def get(self, account_id: str, export_id: str) -> Export:
        if export_id not in self.held:
            raise NotFound("export", export_id)
        return self.held[export_id]

    def page(self, account_id: str, *, page: int, page_size: int) -> FakePage:
        newest_first = tuple(reversed(self.held.values()))
        start, end = (page - 1) * page_size, page * page_size
        return FakePage(results=newest_first[start:end], has_next=end < len(newest_first))

    def manifest(self, account_id: str, export_id: str) -> str:
        if self.get(account_id, export_id).status is not ExportStatus.FINISHED:
            raise NotFinished("not yet")
        return "{}"

    def delete(self, account_id: str, export_id: str) -> None:
        self.get(account_id, export_id)
        del self.held[export_id]

    def file_path(self, export: Export) -> str:
        self.links += 1
        return f"/files/{export.id}/{export.file_name}?nonce={self.links}&signature=right"

    def open_file(self, path_and_query: str) -> FakeFile:
        path, _, query = path_and_query.partition("?")
        if not query.endswith("&signature=right"):
            raise LinkRefused
        if path.split("/")[2] not in self.held:
            raise NotFound("file", path)
        return self.file


@dataclass
class FakeKeys:
    scopes: frozenset[Scope] = frozenset(Scope)
    account: Account = field(default_factory=an_account)

    def find(self, key_id: str) -> tuple[ApiKey, Account] | None:
        if key_id != "key":
            return None
        key = ApiKey(
            id="key",
            account_id=self.account.id,
            scopes=self.scopes,
            secret_hash=hash_secret(SECRET),
            created_at=CREATED,
        )
        return key, self.account

    def remembered(self, _: str) -> None:
        return None


@dataclass(frozen=True, kw_only=True)
class FakeVerdict:
    allowed: bool
    limit: int = 100
    remaining: int = 41
    reset_after: float = 35.2
    retry_after: float = 0.0


@dataclass
class FakeRates:
    verdict: FakeVerdict = field(default_factory=lambda: FakeVerdict(allowed=True))

    def take(self, account_id: str) -> FakeVerdict:
        return self.verdict


@dataclass
class Edge:
    """The application over fakes, and requests to it with a right key."""

    exports: FakeExports = field(default_factory=FakeExports)
    keys: FakeKeys = field(default_factory=FakeKeys)
    rates: FakeRates = field(default_factory=FakeRates)
    report: HealthReport = HEALTHY
    public_url: str | None = "https://exports.example"
    kept_at: str | None = ""
    """Where another node keeps the accounts' data; "" means that it is kept here."""

    def admit(self, account_id: str) -> None:
        if self.kept_at != "":
            raise KeptElsewhere(self.kept_at)

    def app(self) -> ASGIApp:
        services = Services(
            exports=self.exports,
            keys=self.keys,
            rates=self.rates,
            describe=lambda account, export_type, version: described(export_type, version),
            estimate=lambda account, request: NOTHING,
            newest_commit=lambda account_id: NEWEST_COMMIT,
            health=lambda: self.report,
            worker_alive=lambda: self.report.worker == OK,
            public_url=self.public_url,
            admit=self.admit,
        )
        return create_app(services)

    def ask(
        self, method: str, path: str, *, key: str | None = f"apiKey key:{SECRET}", **options: Any
    ) -> httpx.Response:
        """One request, answered. A 500 is returned, as a client would see it."""
        headers = dict(options.pop("headers", {}))
        if key is not None:
            headers.setdefault("Authorization", key)

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app(), raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://host") as client:
                return await client.request(method, path, headers=headers, **options)

        return asyncio.run(send())
