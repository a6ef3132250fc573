"""Claims, fencing, faults and the steps of an export."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import text

from outhaul.catalog.accounts import Accounts
from outhaul.catalog.database import Database
from outhaul.catalog.due import Step
from outhaul.catalog.exports import Exports
from outhaul.catalog.leases import Claim, LeaseLost, Leases
from outhaul.catalog.needed_files import NeededFiles
from outhaul.catalog.slices import Slices
from outhaul.domain.account import Account, Language
from outhaul.domain.errors import FailureCause, NotFound, QueueFull
from outhaul.domain.export import (
    ArchiveFacts,
    DateFormat,
    Delimiter,
    ExportRequest,
    ExportStatus,
    ExportType,
    Frozen,
    MemberKind,
    Origin,
    RowKey,
    SliceFacts,
    SlicePlan,
)
from outhaul.domain.plan import ExportPlan

REQUEST = ExportRequest(
    export_type=ExportType.CONTACTS, delimiter=Delimiter.COMMA, date_format=DateFormat.ISO
)
PLAN = ExportPlan(
    snapshot=7,
    snapshot_at=None,
    frozen=Frozen(timezone="UTC", language=Language.EN, mobile_push=False),
)
PARTS = (
    SlicePlan(
        member=MemberKind.CONTACTS, index=0, first=RowKey(0, ""), until=RowKey(1000, "b"), rows=3
    ),
    SlicePlan(
        member=MemberKind.CONTACTS, index=1, first=RowKey(1000, "b"), until=RowKey(2000, ""), rows=4
    ),
)
ARCHIVE = ArchiveFacts(key="exports/x/archive-1.zip", bytes=10, sha256="0" * 64)


def facts(rows: int) -> SliceFacts:
    return SliceFacts(
        rows=rows,
        text_bytes=9,
        crc32=0,
        compressed_bytes=5,
        sha256="1" * 64,
        key=f"slice-{rows}",
        first=RowKey(1, "a"),
        last=RowKey(2, "b"),
        attempt=1,
    )


@pytest.fixture
def leases(database: Database) -> Leases:
    return Leases(database, lease_s=30, fault_limit=3)


@pytest.fixture
def exports(database: Database) -> Exports:
    return Exports(database)


def create(exports: Exports, account: Account) -> str:
    return exports.create(account.id, REQUEST, origin=Origin.API, queue_limit=100).id


def claimed(leases: Leases, owner: str = "one") -> Claim:
    claim = leases.claim(owner)
    assert claim is not None
    return claim


def expire_leases(database: Database) -> None:
    with database.transaction() as connection:
        for table in ("exports", "slices"):
            connection.execute(text(f"UPDATE {table} SET lease_until_ms = 1"))


def test_an_export_goes_through_its_steps(
    leases: Leases, exports: Exports, account: Account, database: Database
) -> None:
    """Plan, every slice, assembly; status, progress and total tell how far it is."""
    id_ = create(exports, account)

    plan = claimed(leases)
    assert (plan.lease.step, plan.plan, plan.export.status) == (
        Step.PLAN,
        None,
        ExportStatus.QUEUED,
    )
    assert leases.claim("two") is None, "nobody else may plan it"
    leases.planned(plan.lease, PLAN, PARTS)
    assert exports.get(account.id, id_).status is ExportStatus.IN_PROGRESS

    first, second = claimed(leases, "one"), claimed(leases, "two")
    assert [first.slice_plan, second.slice_plan] == list(PARTS)
    assert first.plan == PLAN
    assert leases.claim("three") is None
    leases.rendered(second.lease, facts(4))
    now = exports.get(account.id, id_)
    assert (now.progress, now.total) == (4, 7)
    leases.rendered(first.lease, facts(3))

    assemble = claimed(leases)
    assert assemble.lease.step is Step.ASSEMBLE
    assert Slices(database).recorded(id_) == ((PARTS[0], facts(3)), (PARTS[1], facts(4)))
    leases.finished(assemble.lease, ARCHIVE, "{}")
    done = exports.get(account.id, id_)
    assert (done.status, done.progress, done.archive) == (ExportStatus.FINISHED, 7, ARCHIVE)
    assert exports.manifest(account.id, id_) == "{}"
    assert leases.claim("one") is None


def test_a_slice_whose_bytes_are_lost_is_due_again(
    leases: Leases, exports: Exports, account: Account, database: Database
) -> None:
    """Only that slice; and when it is lost again and again, the export ends in error."""
    id_ = create(exports, account)
    leases.planned(claimed(leases).lease, PLAN, PARTS)
    leases.rendered(claimed(leases).lease, facts(3))
    leases.rendered(claimed(leases).lease, facts(4))
    for time in range(3):
        assembly = claimed(leases)
        assert assembly.lease.step is Step.ASSEMBLE
        over = leases.failed(
            assembly.lease, FailureCause.STORAGE_UNAVAILABLE, final=False, lost_slice=PARTS[1]
        )
        assert over == (time == 2)
        if not over:
            again = claimed(leases)
            assert again.slice_plan == PARTS[1]
            leases.rendered(again.lease, facts(4))
            expire_leases(database)
    assert exports.get(account.id, id_).failure is FailureCause.STORAGE_UNAVAILABLE


def test_an_export_without_rows_is_assembled_at_once(
    leases: Leases, exports: Exports, account: Account
) -> None:
    """No rows, no slices: the header alone still has to be put into an archive."""
    create(exports, account)
    leases.planned(claimed(leases).lease, PLAN, ())
    assert claimed(leases).lease.step is Step.ASSEMBLE


def test_a_late_worker_changes_nothing(
    leases: Leases, exports: Exports, account: Account, database: Database
) -> None:
    """Once its lease has run out and somebody else has claimed, no report of it counts."""
    id_ = create(exports, account)
    late = claimed(leases, "late")
    expire_leases(database)
    current = claimed(leases, "current")
    assert current.lease.attempt == late.lease.attempt + 1
    with pytest.raises(LeaseLost):
        leases.planned(late.lease, PLAN, PARTS)
    with pytest.raises(LeaseLost):
        leases.failed(late.lease, FailureCause.INTERNAL, final=True)
    assert leases.beat({late.lease: 0, current.lease: 0}) == {late.lease}
    assert exports.get(account.id, id_).status is ExportStatus.QUEUED
    leases.planned(current.lease, PLAN, PARTS)


def test_a_deleted_export_loses_its_leases(
    leases: Leases, exports: Exports, account: Account
) -> None:
    """Work on a deleted export is told so by its next beat, and its result is refused."""
    id_ = create(exports, account)
    leases.planned(claimed(leases).lease, PLAN, PARTS)
    part = claimed(leases)
    exports.delete(account.id, id_)
    assert leases.beat({part.lease: 1}) == {part.lease}
    with pytest.raises(LeaseLost):
        leases.rendered(part.lease, facts(3))
    with pytest.raises(NotFound):
        exports.get(account.id, id_)


def test_progress_shows_live_rows_and_never_falls(
    leases: Leases, exports: Exports, account: Account
) -> None:
    """Rows in the making count; a slice that starts again does not take progress back."""
    id_ = create(exports, account)
    leases.planned(claimed(leases).lease, PLAN, PARTS)
    part = claimed(leases)
    leases.beat({part.lease: 2})
    assert exports.get(account.id, id_).progress == 2
    leases.beat({part.lease: 1})
    assert exports.get(account.id, id_).progress == 2


def test_faults_are_bounded(
    leases: Leases, exports: Exports, account: Account, database: Database
) -> None:
    """A step that keeps failing ends the export in `error` with the cause; others go on."""
    id_ = create(exports, account)
    for fault in range(3):
        ended = leases.failed(claimed(leases).lease, FailureCause.STORAGE_UNAVAILABLE, final=False)
        assert ended == (fault == 2)
        if not ended:
            assert leases.claim("one") is None, "a pause follows each fault"
        expire_leases(database)
    failed = exports.get(account.id, id_)
    assert (failed.status, failed.failure) == (
        ExportStatus.ERROR,
        FailureCause.STORAGE_UNAVAILABLE,
    )
    assert leases.claim("one") is None


def test_a_final_fault_ends_the_export_at_once(
    leases: Leases, exports: Exports, account: Account
) -> None:
    """Broken parity is not tried again, and frees its place in the queue."""
    id_ = create(exports, account)
    assert leases.failed(claimed(leases).lease, FailureCause.PARITY_BROKEN, final=True)
    assert exports.get(account.id, id_).failure is FailureCause.PARITY_BROKEN


def test_a_new_owner_takes_over_at_once(leases: Leases, exports: Exports, account: Account) -> None:
    """After `release_all` every step that was held can be claimed again."""
    create(exports, account)
    claimed(leases, "dead")
    assert leases.claim("new") is None
    leases.release_all()
    assert claimed(leases, "new").lease.attempt == 2


def test_only_claims_that_end_without_a_word_count_as_takeovers(
    leases: Leases, exports: Exports, account: Account, database: Database
) -> None:
    """A dead process and an expired lease count; work given back or reported does not."""
    create(exports, account)
    for _ in range(3):
        leases.release(claimed(leases).lease)
    leases.failed(claimed(leases).lease, FailureCause.STORAGE_FULL, final=False)
    expire_leases(database)
    assert claimed(leases, "killed").takeovers == 0
    leases.release_all()
    leases.release_all()
    assert claimed(leases, "frozen").takeovers == 1
    expire_leases(database)
    plan = claimed(leases)
    assert plan.takeovers == 2
    leases.planned(plan.lease, PLAN, PARTS)
    part = claimed(leases, "killed")
    leases.release_all()
    again, fresh = claimed(leases), claimed(leases)
    assert (again.slice_plan, again.takeovers) == (part.slice_plan, 1)
    assert fresh.takeovers == 0
    leases.rendered(again.lease, facts(3))
    leases.rendered(fresh.lease, facts(4))
    assert claimed(leases).takeovers == 0, "a new step starts to count anew"


def test_a_step_that_hangs_is_taken_from_its_holder(
    leases: Leases, exports: Exports, account: Account
) -> None:
    """Another may have it at once, it counts as a takeover, and the late report is refused."""
    create(exports, account)
    hung = claimed(leases)
    leases.abandon(hung.lease)
    with pytest.raises(LeaseLost):
        leases.planned(hung.lease, PLAN, PARTS)
    leases.release(hung.lease)
    again = claimed(leases)
    assert (again.takeovers, again.suspect) == (1, False)
    leases.abandon(hung.lease)
    leases.planned(again.lease, PLAN, PARTS)


def test_a_step_that_two_workers_died_with_is_done_alone(
    leases: Leases, exports: Exports, account: Account
) -> None:
    """It comes first, and only to a worker with nothing else in hand."""
    for _ in range(2):
        create(exports, account)
    leases.planned(claimed(leases).lease, PLAN, PARTS)
    for _ in range(2):
        assert {claimed(leases).lease.position for _ in range(2)} == {0, 1}
        leases.release_all()
    assert leases.claim("busy", idle=False) is None
    alone = claimed(leases)
    assert (alone.suspect, alone.takeovers) == (True, 2)


def test_accounts_take_turns(
    leases: Leases, exports: Exports, account: Account, database: Database
) -> None:
    """An account that came later does not wait for another's backlog."""
    other = Accounts(database).create(
        "Other", timezone="UTC", language=Language.EN, mobile_push=False
    )
    for _ in range(4):
        create(exports, account)
    create(exports, other)
    owners = [claimed(leases).lease.account_id for _ in range(3)]
    assert owners == [account.id, other.id, account.id]


def test_one_step_is_claimed_by_one_thread_only(
    leases: Leases, exports: Exports, account: Account
) -> None:
    """Twenty exports claimed by eight threads: each exactly once."""
    expected = {create(exports, account) for _ in range(20)}
    got: list[str] = []

    def take(owner: str) -> None:
        while (claim := leases.claim(owner)) is not None:
            got.append(claim.lease.export_id)

    threads = [threading.Thread(target=take, args=(str(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == sorted(expected)


def test_the_queue_holds_as_many_unfinished_exports_as_allowed(
    leases: Leases, exports: Exports, account: Account, database: Database
) -> None:
    """The sixth is refused until one has ended or is deleted; other accounts do not count."""
    other = Accounts(database).create(
        "Other", timezone="UTC", language=Language.EN, mobile_push=False
    )
    ids = [
        exports.create(account.id, REQUEST, origin=Origin.API, queue_limit=5).id for _ in range(5)
    ]
    with pytest.raises(QueueFull) as refused:
        exports.create(account.id, REQUEST, origin=Origin.API, queue_limit=5)
    assert refused.value.limit == 5
    exports.create(other.id, REQUEST, origin=Origin.API, queue_limit=5)
    exports.delete(account.id, ids[0])
    exports.create(account.id, REQUEST, origin=Origin.API, queue_limit=5)


def test_needed_files_are_archives_and_slices_in_progress(
    database: Database, leases: Leases, exports: Exports, account: Account
) -> None:
    """What tidying must keep: recorded slices while the export runs, afterwards the archive."""
    create(exports, account)
    leases.planned(claimed(leases).lease, PLAN, PARTS)
    one, two = claimed(leases), claimed(leases)
    leases.rendered(one.lease, facts(3))
    assert NeededFiles(database).keys() == {"slice-3"}
    leases.rendered(two.lease, facts(4))
    leases.finished(claimed(leases).lease, replace(ARCHIVE, key="the archive"), "{}")
    assert NeededFiles(database).keys() == {"the archive"}


def test_exports_are_listed_newest_first_and_only_to_their_account(
    exports: Exports, account: Account, database: Database
) -> None:
    """Pages follow each other without gap or overlap; another account sees none of them."""
    other = Accounts(database).create(
        "Other", timezone="UTC", language=Language.EN, mobile_push=False
    )
    ids = [create(exports, account) for _ in range(5)]
    pages = [exports.page(account.id, page=number, page_size=2) for number in (1, 2, 3)]
    assert [export.id for page in pages for export in page.results] == ids[::-1]
    assert [page.has_next for page in pages] == [True, True, False]
    assert exports.page(other.id, page=1, page_size=50).results == ()
    for call in (exports.get, exports.delete):
        with pytest.raises(NotFound):
            call(other.id, ids[0])
