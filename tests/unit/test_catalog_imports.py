"""Imports in the catalog: the queue of uploaded ones, and cancelling."""

import pytest

from outhaul.catalog.accounts import Accounts
from outhaul.catalog.database import Database
from outhaul.catalog.imports import ImportClaim, Imports
from outhaul.catalog.leases import LeaseLost
from outhaul.domain.account import Language
from outhaul.domain.errors import ImportQueueFull, NotFound
from outhaul.domain.imports import ImportKind, ImportOptions, ImportStatus


class Queue:
    """The imports of one account."""

    def __init__(self, database: Database) -> None:
        self.imports = Imports(database, lease_s=30, fault_limit=3)
        self.account_id = (
            Accounts(database)
            .create("A", timezone="UTC", language=Language.EN, mobile_push=False)
            .id
        )

    def add(self, *, uploaded: bool = True, limit: int | None = 2) -> str:
        return self.imports.create(
            self.account_id,
            kind=ImportKind.CONTACTS,
            path="/x.csv",
            options=ImportOptions(uploaded=uploaded),
            queue_limit=limit,
        )

    def claim(self) -> ImportClaim:
        found = self.imports.claim("worker")
        assert found is not None
        return found


@pytest.fixture
def queue(database: Database) -> Queue:
    return Queue(database)


def test_as_many_uploads_as_allowed_may_wait(queue: Queue):
    """Code E0401 beyond; an import of the command line takes no place; deleting frees one."""
    queue.add(uploaded=False, limit=None)
    first = queue.add()
    queue.add()
    with pytest.raises(ImportQueueFull) as full:
        queue.add()
    assert full.value.code == "E0401"
    queue.imports.remove(queue.account_id, first)
    queue.add()


@pytest.mark.parametrize("further", [0, 2])
def test_an_import_ends_with_the_last_fault_allowed(
    queue: Queue, monkeypatch: pytest.MonkeyPatch, further: int
):
    """Until then it is tried again, after a pause that doubles."""
    id_, at = queue.add(), 10**12
    monkeypatch.setattr("outhaul.catalog.imports.now_ms", lambda: at)
    for fault in range(2 + further):
        assert not queue.imports.failed(queue.claim(), "no", further=further)
        at += 500 * 2 ** (fault + 1) - 1
        assert queue.imports.claim("worker") is None
        at += 1
    assert queue.imports.failed(queue.claim(), "no", further=further)
    found = queue.imports.get(id_)
    assert (found.status, found.detail) == (ImportStatus.ERROR, "no")


def test_an_import_in_progress_is_stopped_and_then_forgotten(queue: Queue):
    """Whoever works on it loses the lease and cannot finish it any more."""
    id_ = queue.add()
    claim = queue.imports.claim("worker")
    assert claim is not None
    assert queue.imports.remove(queue.account_id, id_).status is ImportStatus.IN_PROGRESS
    with pytest.raises(LeaseLost):
        queue.imports.finished(claim, taken=1, refused=0)
    stopped = queue.imports.get(id_)
    assert (stopped.status, stopped.taken) == (ImportStatus.CANCELLED, None)
    assert stopped.started_at is not None
    assert stopped.ended_at is not None
    assert queue.imports.claim("worker") is None
    queue.imports.remove(queue.account_id, id_)
    with pytest.raises(NotFound):
        queue.imports.get(id_)


def test_imports_of_others_are_out_of_reach(queue: Queue):
    """They can neither be read nor deleted."""
    id_ = queue.add()
    with pytest.raises(NotFound):
        queue.imports.get(id_, account_id="other")
    with pytest.raises(NotFound):
        queue.imports.remove("other", id_)
    assert queue.imports.newest("other", most=10) == []


def test_deaths_of_workers_are_counted_until_one_gets_further(queue: Queue):
    """A new owner of the data directory knows that all are dead; giving back is no death."""
    queue.add()
    first = queue.claim()
    queue.imports.release(first)
    assert queue.claim().takeovers == 0
    queue.imports.release_all()
    queue.imports.release_all()
    second = queue.claim()
    assert second.takeovers == 1
    queue.imports.abandon(second)
    with pytest.raises(LeaseLost):
        queue.imports.beat(second, progress=5, total=9)
    third = queue.claim()
    assert third.takeovers == 2
    queue.imports.beat(third, progress=0, total=9)
    queue.imports.release_all()
    fourth = queue.claim()
    assert fourth.takeovers == 3
    queue.imports.beat(fourth, progress=5, total=9)
    queue.imports.release_all()
    assert queue.claim().takeovers == 1
