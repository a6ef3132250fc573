"""Files that no export needs go, also those that came too late and those that could not go."""

import pytest
from obstore.store import MemoryStore

from outhaul.catalog.database import Database
from outhaul.catalog.exports import Exports
from outhaul.catalog.leases import Leases
from outhaul.catalog.needed_files import NeededFiles
from outhaul.domain.account import Account, Language
from outhaul.domain.export import ArchiveFacts, Frozen, Origin
from outhaul.domain.plan import ExportPlan
from outhaul.files.object_store import Files
from outhaul.worker.cleaning import Cleaning
from tests.pipeline_shop import request

PLAN = ExportPlan(
    snapshot=0,
    snapshot_at=None,
    frozen=Frozen(timezone="UTC", language=Language.EN, mobile_push=False),
)


class Store(MemoryStore):
    """A store that can be told to refuse deletions."""

    refuses = False

    def delete(self, paths):
        if self.refuses:
            raise OSError("no deletions today")
        return super().delete(paths)


class Bench:
    """An export, finished or not, with the files that a test gives it."""

    def __init__(self, database: Database, account: Account) -> None:
        self.time = 0.0
        self.store = Store()
        self.files = Files(self.store)
        self.leases = Leases(database, lease_s=30, fault_limit=3)
        self.exports, self.account = Exports(database), account
        self.cleaning = Cleaning(NeededFiles(database), self.files, clock=lambda: self.time)
        self.id = self.exports.create(account.id, request(), origin=Origin.API, queue_limit=9).id

    def finish(self) -> None:
        plan = self.leases.claim("one")
        assert plan is not None
        self.leases.planned(plan.lease, PLAN, ())
        assembly = self.leases.claim("one")
        assert assembly is not None
        archive = ArchiveFacts(key=f"exports/{self.id}/0/archive-2.zip", bytes=1, sha256="0" * 64)
        self.leases.finished(assembly.lease, archive, "{}")

    def write(self, *names: str) -> None:
        for name in names:
            self.files.write(f"exports/{self.id}/0/{name}", [b"x"])

    def names(self) -> set[str]:
        return {key.rpartition("/")[2] for key in self.files.keys("exports")}


@pytest.fixture
def bench(database: Database, account: Account) -> Bench:
    return Bench(database, account)


def test_only_the_archive_stays_of_an_export_that_has_ended(bench: Bench) -> None:
    """Until then nothing goes; afterwards what a late worker brings goes as well."""
    bench.write("archive-1.zip", "archive-2.zip")
    bench.cleaning.if_ended(bench.id)
    assert bench.names() == {"archive-1.zip", "archive-2.zip"}
    bench.finish()
    bench.cleaning.if_ended(bench.id)
    assert bench.names() == {"archive-2.zip"}
    bench.write("archive-1.zip")
    bench.cleaning.if_ended(bench.id)
    assert bench.names() == {"archive-2.zip"}


def test_nothing_stays_of_an_export_that_is_gone(bench: Bench) -> None:
    """Deleted while a worker was writing for it."""
    bench.exports.delete(bench.account.id, bench.id)
    bench.write("contacts-0-1")
    bench.cleaning.if_ended(bench.id)
    assert bench.names() == set()


def test_what_the_storage_refuses_to_remove_goes_later(bench: Bench) -> None:
    """It is no fault of the export; after a pause it is tried again, until it is done."""
    bench.write("archive-1.zip", "archive-2.zip")
    bench.finish()
    bench.store.refuses = True
    bench.cleaning.if_ended(bench.id)
    bench.store.refuses = False
    bench.cleaning.again()
    assert bench.names() == {"archive-1.zip", "archive-2.zip"}, "no pause yet"
    bench.time += 11
    bench.store.refuses = True
    bench.cleaning.again()
    bench.store.refuses = False
    bench.time += 11
    bench.cleaning.again()
    assert bench.names() == {"archive-2.zip"}


def test_a_start_removes_what_no_export_needs_if_the_storage_lets_it(bench: Bench) -> None:
    """A storage that fails does not keep the server from starting."""
    bench.write("archive-1.zip", "archive-2.zip")
    bench.finish()
    bench.store.refuses = True
    bench.cleaning.at_start()
    assert len(bench.names()) == 2
    bench.store.refuses = False
    bench.cleaning.at_start()
    assert bench.names() == {"archive-2.zip"}
