"""What the pages are to show: a small shop, its exports, and one that is kept half done."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from demo.shop import Shop, make_shop
from outhaul.catalog.due import Step
from outhaul.catalog.exports import Exports
from outhaul.catalog.leases import Claim, Leases
from outhaul.catalog.tables import exports
from outhaul.catalog.tally import count_finished
from outhaul.domain import instants
from outhaul.domain.errors import FailureCause
from outhaul.domain.export import (
    DateFormat,
    Delimiter,
    ExportRequest,
    ExportType,
    Filters,
    Frozen,
    MemberKind,
    Origin,
    RowKey,
    SliceFacts,
    SlicePlan,
)
from outhaul.domain.ids import new_id
from outhaul.domain.imports import ImportKind
from outhaul.domain.plan import ExportPlan
from tests.console_site import Site, site

OCTOBER = {"fromDate": "2026-09-30T22:00:00.000Z", "toDate": "2026-10-31T22:59:59.999Z"}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A server with a shop in its first account."""

    site: Site
    shop: Shop


@contextmanager
def stage(folder: Path, **settings: object) -> Iterator[Stage]:
    """The server; its worker works until it is told to rest."""
    shop = make_shop(folder / "shop", contacts=4000, activities=60_000)
    chosen: dict[str, Any] = {"rate_limit": 100_000, "slice_rows": 5000, "workers": 2} | settings
    with site(folder / "data", **chosen) as opened:
        opened.take(ImportKind.CONTACTS, shop.contacts)
        opened.take(ImportKind.ACTIVITIES, shop.activities)
        opened.take(ImportKind.SEGMENTS, shop.segments)
        yield Stage(site=opened, shop=shop)


def remember(here: Site, days: int) -> None:
    """Let the account have made its last finished export on each of the days before, too; some
    days more rows, some fewer."""
    day_ms = 86_400_000
    with here.registry.database.transaction() as connection:
        found = select(exports).where(exports.c.status == "finished").order_by(exports.c.id.desc())
        row = dict(connection.execute(found).mappings().first() or {})
        for day in range(1, days):
            share = 1 + (day * 7919 % 13) / 6
            changed = {
                "id": new_id(),
                "created_ms": row["created_ms"] - day * day_ms - int(800 * share),
                "finished_ms": row["finished_ms"] - day * day_ms,
                "total": int(row["total"] * share),
                "progress": int(row["total"] * share),
                "archive_bytes": int(row["archive_bytes"] * share),
            }
            connection.execute(insert(exports).values(row | changed))
            count_finished(connection, changed["id"])


@dataclass
class OtherNode:
    """An export that another node works on, as far as the catalog can tell: the very moves of a
    worker, made one by one while this server's own worker rests."""

    site: Site
    slices: int = 31
    slice_rows: int = 238_400
    _leases: Leases = field(init=False)
    _held: list[Claim] = field(default_factory=list)
    export_id: str = ""

    def __post_init__(self) -> None:
        self._leases = Leases(self.site.registry.database, lease_s=3600, fault_limit=3)

    def begin(self) -> "OtherNode":
        """Ask for activities, plan them, and take the first two slices."""
        now = instants.now().replace(minute=0, second=0, microsecond=0)
        first = now - timedelta(days=self.slices)
        request = ExportRequest(
            export_type=ExportType.ACTIVITIES,
            delimiter=Delimiter.COMMA,
            date_format=DateFormat.ISO,
            filters=Filters(from_date=first, to_date=now),
        )
        account = self.site.account
        export = Exports(self.site.registry.database).create(
            account.id, request, origin=Origin.API, queue_limit=100
        )
        self.export_id = export.id
        claim = self._claim()
        day_ms = 86_400_000
        bounds = [instants.epoch_ms(first) + day * day_ms for day in range(self.slices + 1)]
        self._leases.planned(
            claim.lease,
            ExportPlan(snapshot=4, snapshot_at=now, frozen=Frozen.of(account, ())),
            tuple(
                SlicePlan(
                    member=MemberKind.ACTIVITIES,
                    index=index,
                    first=RowKey(bounds[index], ""),
                    until=RowKey(bounds[index + 1], ""),
                    rows=self.slice_rows,
                )
                for index in range(self.slices)
            ),
        )
        self._held = [self._claim(), self._claim()]
        return self

    def write(self, slices: int) -> None:
        """Write that many slices, and take as many others."""
        for _ in range(slices):
            claim = self._held.pop(0)
            plan = claim.slice_plan
            assert plan is not None
            facts = SliceFacts(
                rows=plan.rows,
                text_bytes=plan.rows * 180,
                crc32=1,
                compressed_bytes=plan.rows * 31,
                sha256="0" * 64,
                key=f"exports/{self.export_id}/{plan.index}",
                first=plan.first,
                last=plan.first,
                attempt=1,
            )
            self._leases.rendered(claim.lease, facts)
            if len(self._held) + plan.index + 2 <= self.slices:
                self._held.append(self._claim())

    def show(self, rows: int) -> None:
        """Tell that so many rows of the slices in hand are done."""
        self._leases.beat({self._held[0].lease: rows})

    def fail(self, cause: FailureCause) -> None:
        """End the export in `error`."""
        self._leases.failed(self._held[0].lease, cause, final=True)

    def _claim(self) -> Claim:
        claim = self._leases.claim("other-node")
        assert claim is not None
        assert claim.lease.export_id == self.export_id
        assert claim.lease.step in {Step.PLAN, Step.SLICES}
        return claim
