"""Compaction: old versions go when nobody needs them, and only then."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from outhaul.catalog.database import Database
from outhaul.catalog.exports import Exports
from outhaul.catalog.leases import Leases
from outhaul.catalog.live_snapshots import LiveSnapshots
from outhaul.domain.account import Account, Language
from outhaul.domain.cancellation import Cancellation
from outhaul.domain.export import Export, Frozen, Origin, SlicePlan
from outhaul.domain.imports import ImportKind
from outhaul.domain.plan import ExportPlan
from outhaul.pipeline.pipeline import Pipeline
from outhaul.store.compaction import Compactor
from outhaul.store.engine import Engine
from outhaul.store.parquet import ParquetWriter
from outhaul.store.reader import SnapshotReader
from outhaul.unload.reader import UnloadReader
from outhaul.worker.compaction_work import CompactionWork
from tests.pipeline_shop import PipelineShop, request

CONTACTS = 400


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[PipelineShop]:
    opened = PipelineShop(tmp_path, slice_rows=100)
    update_all(opened, "first")
    yield opened
    opened.engine.close()


def update_all(shop: PipelineShop, name: str) -> None:
    """Give every contact another name, in one commit."""
    shop.take(
        ImportKind.CONTACTS,
        [{"_email": f"c{n}@shop.example", "_name": f"{name} {n}"} for n in range(CONTACTS)],
    )


def compact(shop: PipelineShop, floor: int | None = None) -> int:
    """Versions removed; without a floor nobody reads an old snapshot."""
    compactor = Compactor(shop.engine, shop.commits, least=CONTACTS)
    return compactor.compact(
        shop.account.id, lambda newest: newest if floor is None else min(floor, newest)
    )


def archive(
    shop: PipelineShop,
    planned: tuple[Pipeline, Export, ExportPlan, tuple[SlicePlan, ...]],
) -> bytes:
    """The ZIP of a plan, rendered now."""
    pipeline, export, plan, parts = planned
    done = [(part, shop.slice(pipeline, export, plan, part)) for part in parts]
    facts, _ = pipeline.assemble(export, plan, done, attempt=1, cancellation=Cancellation())
    return b"".join(shop.files.read(facts.key))


def store_bytes(shop: PipelineShop) -> int:
    return sum(path.stat().st_size for path in (shop.folder / "store").glob("*.duckdb*"))


def test_the_store_stays_flat_under_a_day_of_updates(shop: PipelineShop):
    """Thousands of updates in many commits: with compaction the file grows no further."""
    sizes = []
    for hour in range(24):
        update_all(shop, f"hour {hour}")
        compact(shop)
        sizes.append(store_bytes(shop))
    assert max(sizes[12:]) <= max(sizes[:12])
    with shop.engine.session(shop.account.id) as connection:
        versions = connection.execute("SELECT count(*) FROM contacts").fetchall()
        commits = connection.execute("SELECT count(*) FROM commits").fetchall()
    assert versions == [(CONTACTS,)]
    assert commits[0][0] <= 2


def test_an_export_planned_before_gives_the_same_bytes_after(shop: PipelineShop):
    """What its snapshot shows stays, while versions that only older snapshots show go."""
    update_all(shop, "second")
    planned = shop.plan(request())
    before = archive(shop, planned)
    for name in ("third", "fourth"):
        update_all(shop, name)
    assert compact(shop, planned[2].snapshot) == CONTACTS
    assert archive(shop, planned) == before
    assert compact(shop) == 2 * CONTACTS
    assert b'"fourth 7"' in shop.export(request())[0]


def test_a_changed_email_is_found_after_compaction(shop: PipelineShop):
    """An activity carries the newest email that its contact has got, however often it changed."""
    shop.take(
        ImportKind.ACTIVITIES,
        [{"type": "login", "createdAt": "2026-03-01T10:00:00Z", "email": "c7@shop.example"}],
    )
    with shop.engine.session(shop.account.id) as connection:
        found = connection.execute("SELECT id FROM contacts WHERE _email = 'c7@shop.example'")
        contact_id = found.fetchall()[0][0]
    for number in range(3):
        shop.take(ImportKind.CONTACTS, [{"id": contact_id, "_email": f"new{number}@shop.example"}])
    shop.take(ImportKind.CONTACTS, [{"id": contact_id, "_email": "c7@shop.example"}])
    update_all(shop, "second")
    assert compact(shop) == CONTACTS + 4
    with shop.engine.session(shop.account.id) as connection:
        changes = connection.execute("SELECT email FROM identity_changes").fetchall()
    assert changes == [("c7@shop.example",)]


def test_it_waits_until_it_pays(shop: PipelineShop):
    """Few dead versions are left alone, and leave no commit."""
    newest = shop.commits.snapshot(shop.account.id)
    shop.take(ImportKind.CONTACTS, [{"_email": "c7@shop.example", "_name": "changed"}])
    assert compact(shop) == 0
    assert shop.commits.snapshot(shop.account.id).number == newest.number + 1


def test_versions_of_one_contact_go_sooner_than_as_many_of_all(shop: PipelineShop):
    """Every look at a contact passes over its closed versions."""
    compact(shop)
    compactor = Compactor(shop.engine, shop.commits, least=20)

    def removed() -> int:
        return compactor.compact(shop.account.id, lambda newest: newest)

    rows = [{"_email": f"c{n}@shop.example", "_name": "changed"} for n in range(20)]
    shop.take(ImportKind.CONTACTS, rows)
    assert removed() == 0
    for number in range(10):
        shop.take(ImportKind.CONTACTS, [{"_email": "c7@shop.example", "_name": f"once {number}"}])
    assert removed() == 20 + 10
    assert b'"once 9"' in shop.export(request())[0]


_KILLED = """
import os, signal, sys
from pathlib import Path
from outhaul.store import compaction
from outhaul.store.commits import Commits
from outhaul.store.engine import Engine

engine = Engine(Path(sys.argv[1]), memory_limit="256MB", threads=1)
remove = compaction._remove

def killed(commit, floor):
    assert remove(commit, floor) > 0
    os.kill(os.getpid(), signal.SIGKILL)

compaction._remove = killed
compaction.Compactor(engine, Commits(engine), least=1).compact(sys.argv[2], lambda newest: newest)
"""


def test_a_crash_in_the_middle_loses_nothing(shop: PipelineShop):
    """It is one transaction: killed before its end, an old snapshot still gives its bytes."""
    _, export, plan, parts = planned = shop.plan(request())
    before = archive(shop, planned)
    update_all(shop, "second")
    shop.engine.close()
    store = shop.folder / "store"
    ended = subprocess.run([sys.executable, "-c", _KILLED, str(store), shop.account.id])
    assert ended.returncode == -9
    shop.engine = Engine(store, memory_limit="256MB", threads=1)
    pipeline = Pipeline(
        shop.commits,
        shop.fields,
        SnapshotReader(shop.engine),
        shop.files,
        slice_rows=100,
        unloads=UnloadReader(shop.engine, shop.files),
        parquet=ParquetWriter(shop.folder, at_once=1),
    )
    assert archive(shop, (pipeline, export, plan, parts)) == before


def test_a_plan_being_made_holds_compaction_off(database: Database, account: Account):
    """From the claim on, until its snapshot is known to the catalog; then that one is kept."""
    live, leases = LiveSnapshots(database), Leases(database, lease_s=30, fault_limit=3)
    assert live.oldest(account.id, 9) == 9
    exports = Exports(database)
    export = exports.create(account.id, request(), origin=Origin.API, queue_limit=5)
    assert live.oldest(account.id, 9) == 9
    claim = leases.claim("me")
    assert claim is not None
    assert live.oldest(account.id, 9) is None
    frozen = Frozen(timezone="UTC", language=Language.EN, mobile_push=False)
    leases.planned(claim.lease, ExportPlan(snapshot=5, snapshot_at=None, frozen=frozen), ())
    assert live.oldest(account.id, 9) == 5
    exports.delete(account.id, export.id)
    assert live.oldest(account.id, 9) == 9


def test_accounts_that_were_written_to_are_looked_at_once_a_minute(
    shop: PipelineShop, database: Database
):
    """Not before a minute has passed, and never without a commit."""
    clock = [0.0]
    work = CompactionWork(
        Compactor(shop.engine, shop.commits, least=1),
        shop.commits,
        LiveSnapshots(database),
        clock=lambda: clock[0],
    )
    update_all(shop, "second")
    newest = shop.commits.snapshot(shop.account.id).number
    assert not work.do_one("me")
    clock[0] = 61
    assert work.do_one("me")
    assert not work.do_one("me")
    assert shop.commits.snapshot(shop.account.id).number == newest + 1
