"""Erasing a contact: out of the store, out of running exports, out of retained files."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outhaul.catalog import exports as catalog_exports
from outhaul.catalog.accounts import Accounts
from outhaul.catalog.database import Database
from outhaul.catalog.erasures import Erasures
from outhaul.catalog.leases import Leases
from outhaul.catalog.needed_files import NeededFiles
from outhaul.catalog.slices import Slices
from outhaul.domain.account import Account
from outhaul.domain.errors import FailureCause, NotFound
from outhaul.domain.export import (
    Export,
    ExportRequest,
    ExportStatus,
    Filters,
    Origin,
    Version,
)
from outhaul.domain.imports import ImportKind
from outhaul.ingest.erasure import Eraser
from outhaul.ingest.segment_service import Segments
from outhaul.pipeline.pipeline import Pipeline
from outhaul.store.erasure import Footprints
from outhaul.store.parquet import ParquetWriter
from outhaul.store.reader import SnapshotReader
from outhaul.store.segment_reads import SegmentReads
from outhaul.unload.reader import UnloadReader
from outhaul.worker.cleaning import Cleaning
from outhaul.worker.export_work import ExportWork
from tests.pipeline_shop import PipelineShop, activities, members, request

SEGMENT = "5" * 24
TABLES = (
    ("contacts", "id"),
    ("activities", '"contactId"'),
    ("product_lines", '"contactId"'),
    ("segment_members", "contact_id"),
    ("identity_changes", "contact_id"),
)


class ErasingShop:
    """A catalog and a store; a test does the worker's steps one by one."""

    def __init__(self, folder: Path, database: Database, account: Account) -> None:
        self.shop = PipelineShop(folder, slice_rows=1000)
        self.shop.account = account
        self.account = account
        self.exports = catalog_exports.Exports(database)
        self.erasures = Erasures(database)
        self.eraser = self.make_eraser(self.shop.commits)
        leases = Leases(database, lease_s=30, fault_limit=3)
        self.work = ExportWork(
            leases,
            Accounts(database),
            Slices(database),
            Pipeline(
                self.shop.commits,
                self.shop.fields,
                SnapshotReader(self.shop.engine),
                self.shop.files,
                slice_rows=1000,
                unloads=UnloadReader(self.shop.engine, self.shop.files),
                parquet=ParquetWriter(self.shop.folder, at_once=1),
            ),
            Cleaning(NeededFiles(database), self.shop.files),
            stall_s=300,
            takeover_limit=10,
            wake=lambda: None,
        )

    def make_eraser(self, commits: Any) -> Eraser:
        footprints = Footprints(self.shop.engine)
        return Eraser(self.erasures, footprints, commits, self.shop.files, wake=lambda: None)

    def create(self, wanted: ExportRequest) -> str:
        return self.exports.create(self.account.id, wanted, origin=Origin.API, queue_limit=100).id

    def get(self, export_id: str) -> Export:
        return self.exports.get(self.account.id, export_id)

    def finish_all(self) -> None:
        while self.work.do_one("me"):
            pass

    def finished(self, wanted: ExportRequest) -> Export:
        export_id = self.create(wanted)
        self.finish_all()
        export = self.get(export_id)
        assert export.status is ExportStatus.FINISHED
        return export

    def files(self, export: Export) -> list[str]:
        return list(self.shop.files.keys(f"exports/{export.id}"))

    def emails(self, export: Export) -> set[str]:
        assert export.archive is not None
        text = members(b"".join(self.shop.files.read(export.archive.key)))[0].decode()
        return {row["Email"] for row in csv.DictReader(io.StringIO(text, newline=""))}

    def id_of(self, email: str) -> str:
        with self.shop.engine.session(self.account.id) as connection:
            found = connection.execute("SELECT id FROM contacts WHERE _email = ?", [email])
            return str(found.fetchall()[0][0])


@pytest.fixture
def shop(tmp_path: Path, database: Database, account: Account) -> Iterator[ErasingShop]:
    opened = ErasingShop(tmp_path, database, account)
    opened.shop.take(
        ImportKind.CONTACTS,
        [{"_email": f"{name}@shop.example", "_name": name} for name in ("ann", "bob", "eve")],
    )
    opened.shop.take(
        ImportKind.ACTIVITIES,
        [
            {
                "type": "purchase",
                "createdAt": "2026-03-01T10:00:00Z",
                "email": f"{name}@shop.example",
                "purchaseId": name,
                "products": [{"productId": "p1", "quantity": 2}],
            }
            for name in ("ann", "bob")
        ]
        + [{"type": "login", "createdAt": "2026-03-02T10:00:00Z", "email": "eve@shop.example"}],
    )
    opened.shop.take(
        ImportKind.SEGMENTS,
        [{"segmentId": SEGMENT, "segmentName": "Buyers", "email": "ann@shop.example"}],
    )
    yield opened
    opened.shop.engine.close()


def test_every_row_of_the_contact_goes_and_only_its_id_stays(shop: ErasingShop):
    """No table knows the contact any more, in any version, but for one tombstone with its id."""
    shop.shop.take(ImportKind.CONTACTS, [{"_email": "ann@shop.example", "_name": "Anna"}])
    ann = shop.id_of("ann@shop.example")
    shop.shop.take(ImportKind.CONTACTS, [{"id": ann, "_email": "anna@shop.example"}])
    erasure = shop.eraser.erase(shop.account.id, ann)
    with shop.shop.engine.session(shop.account.id) as connection:
        for table, column in TABLES:
            left = connection.execute(f"SELECT count(*) FROM {table} WHERE {column} = ?", [ann])
            assert left.fetchall() == [(0,)], table
        tombstones = connection.execute("SELECT contact_id, commit FROM tombstones").fetchall()
        others = connection.execute("SELECT count(*) FROM activities").fetchall()
    assert tombstones == [(ann, shop.erasures.receipts(shop.account.id)[0].commit)]
    assert others == [(2,)]
    assert erasure.contact_id == ann


def test_an_unknown_contact_cannot_be_erased_nor_one_twice(shop: ErasingShop):
    """Neither leaves a receipt of something that did not happen."""
    ann = shop.id_of("ann@shop.example")
    shop.eraser.erase(shop.account.id, ann)
    for unknown in ("nobody", ann):
        with pytest.raises(NotFound):
            shop.eraser.erase(shop.account.id, unknown)
    assert [receipt.contact_id for receipt in shop.erasures.receipts(shop.account.id)] == [ann]


def test_files_that_hold_the_contact_are_deleted_and_no_others(shop: ErasingShop):
    """Contacts, activities, another type, a segment without the contact: each file is judged by
    what it holds; the receipt names those deleted, and when."""
    logins = activities(
        Version.V6, filters=Filters(**vars_of(activities()), activity_types=("login",))
    )
    holding = [
        shop.finished(request()),
        shop.finished(activities()),
        shop.finished(request(filters=Filters(segment_id=SEGMENT))),
    ]
    other = shop.finished(logins)
    shop.shop.take(ImportKind.CONTACTS, [{"_email": "new@shop.example"}])
    ann, new = shop.id_of("ann@shop.example"), shop.id_of("new@shop.example")

    shop.eraser.erase(shop.account.id, new)
    assert all(shop.get(export.id).status is ExportStatus.FINISHED for export in holding)

    shop.eraser.erase(shop.account.id, ann)
    for export in holding:
        after = shop.get(export.id)
        assert (after.status, after.failure) == (ExportStatus.ERROR, FailureCause.ERASED)
        assert after.archive is None
        assert shop.exports.manifest(shop.account.id, export.id) is None
    assert shop.eraser.complete()
    assert [shop.files(export) for export in holding] == [[], [], []]
    assert shop.get(other.id).status is ExportStatus.FINISHED
    assert shop.emails(other) == {"eve@shop.example"}
    first, second = shop.erasures.receipts(shop.account.id)
    assert (first.epoch, second.epoch) == (1, 2)
    assert second.done_at is not None
    assert second.erased_at is not None
    assert second.asked_at <= second.erased_at <= second.done_at
    assert second.asked_at <= second.erased_at <= second.done_at
    assert not shop.eraser.complete()


def test_files_of_a_dynamic_segment_are_deleted_as_they_may_hold_the_contact(shop: ErasingShop):
    """Whom a rule found earlier is not known any more, so the file goes to be safe."""
    segments = Segments(shop.shop.commits, SegmentReads(shop.shop.engine))
    rule = {"activity": "purchase"}
    segment = segments.create(shop.account, "Buyers", rule)
    made = shop.finished(request(filters=Filters(segment_id=segment.id)))
    assert shop.emails(made) == {"ann@shop.example", "bob@shop.example"}
    shop.eraser.erase(shop.account.id, shop.id_of("ann@shop.example"))
    assert shop.get(made.id).failure is FailureCause.ERASED
    again = shop.finished(request(filters=Filters(segment_id=segment.id)))
    assert shop.emails(again) == {"bob@shop.example"}


def test_files_from_after_the_end_of_a_dynamic_segment_stay(shop: ErasingShop):
    """Nobody is in one that has ended, so that such a file holds nobody."""
    segments = Segments(shop.shop.commits, SegmentReads(shop.shop.engine))
    segment = segments.create(shop.account, "Buyers", {"activity": "purchase"})
    wanted = request(filters=Filters(segment_id=segment.id))
    before = shop.finished(wanted)
    segments.delete(shop.account.id, segment.id)
    after = shop.finished(wanted)
    assert shop.emails(after) == set()
    shop.eraser.erase(shop.account.id, shop.id_of("ann@shop.example"))
    assert shop.get(before.id).failure is FailureCause.ERASED
    assert shop.get(after.id).failure is None


def vars_of(wanted: ExportRequest) -> dict[str, Any]:
    return {"from_date": wanted.filters.from_date, "to_date": wanted.filters.to_date}


def test_a_running_export_begins_anew_without_the_contact(shop: ErasingShop):
    """Slices rendered before are dropped with their files; the manifest tells of it."""
    export_id = shop.create(request())
    shop.work.do_one("me")
    shop.work.do_one("me")
    before = shop.files(shop.get(export_id))
    assert before
    shop.eraser.erase(shop.account.id, shop.id_of("ann@shop.example"))
    shop.eraser.complete()
    assert shop.files(shop.get(export_id)) == []
    shop.finish_all()
    export = shop.get(export_id)
    assert (export.status, export.total) == (ExportStatus.FINISHED, 2)
    assert shop.emails(export) == {"bob@shop.example", "eve@shop.example"}
    manifest = json.loads(shop.exports.manifest(shop.account.id, export_id) or "")
    assert manifest["replans"] == 1
    assert manifest["rows"] == 2


def test_a_manifest_says_nothing_of_erasures_where_there_were_none(shop: ErasingShop):
    """The field is an addition that plain exports do not have."""
    export = shop.finished(request())
    assert "replans" not in json.loads(shop.exports.manifest(shop.account.id, export.id) or "")


def test_a_crash_in_the_middle_only_delays_the_erasure(shop: ErasingShop):
    """Begun and not done: nothing is planned meanwhile, and whoever comes next completes it."""

    class Crashing:
        def open(self, *_: object, **__: object) -> object:
            raise ConnectionError

    kept = shop.finished(request())
    ann = shop.id_of("ann@shop.example")
    with pytest.raises(ConnectionError):
        shop.make_eraser(Crashing()).erase(shop.account.id, ann)
    export_id = shop.create(request())
    assert not shop.work.do_one("me")
    assert shop.get(kept.id).archive is None
    assert shop.eraser.complete()
    assert shop.files(kept) == []
    shop.finish_all()
    assert shop.emails(shop.get(export_id)) == {"bob@shop.example", "eve@shop.example"}


def test_an_export_that_erasures_always_interrupt_ends_in_an_error(shop: ErasingShop):
    """After ten fresh starts it gives up and says why."""
    rows = [{"_email": f"{number}@shop.example"} for number in range(11)]
    shop.shop.take(ImportKind.CONTACTS, rows)
    export_id = shop.create(request())
    for row in rows:
        shop.work.do_one("me")
        shop.eraser.erase(shop.account.id, shop.id_of(row["_email"]))
    export = shop.get(export_id)
    assert (export.status, export.failure) == (ExportStatus.ERROR, FailureCause.ERASED_TOO_OFTEN)
    assert not shop.work.do_one("me")
    shop.eraser.complete()
    assert shop.files(export) == []
