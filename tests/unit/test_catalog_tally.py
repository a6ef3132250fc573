"""What finished exports amounted to, in the catalog."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

from outhaul.catalog.accounts import Accounts
from outhaul.catalog.database import Database
from outhaul.catalog.exports import Exports
from outhaul.catalog.leases import Lease, Leases
from outhaul.catalog.tally import Tallies
from outhaul.domain.account import Account, Language
from outhaul.domain.errors import FailureCause
from outhaul.domain.instants import now
from tests.unit.test_catalog_leases import ARCHIVE, PARTS, PLAN, claimed, create, facts

EVER = datetime(1970, 1, 1, tzinfo=UTC)


def assembling(leases: Leases, exports: Exports, account: Account) -> Lease:
    """An export that has all its slices."""
    create(exports, account)
    leases.planned(claimed(leases).lease, PLAN, PARTS)
    for part in PARTS:
        leases.rendered(claimed(leases).lease, facts(part.rows))
    return claimed(leases).lease


def finish(leases: Leases, lease: Lease) -> None:
    archive = replace(ARCHIVE, key=lease.export_id, bytes=100)
    leases.finished(lease, archive, "{}")


def test_exports_are_counted_once_and_stay_counted(database: Database, account: Account) -> None:
    """In the quarter of an hour in which they became finished; failed ones are not, and deleting
    one takes nothing away. Other accounts have their own."""
    leases, exports = Leases(database, lease_s=30, fault_limit=3), Exports(database)
    tallies = Tallies(database)
    assert tallies.since(account.id, EVER) == []
    before = now()
    finish(leases, assembling(leases, exports, account))
    leases.failed(assembling(leases, exports, account), FailureCause.STORAGE_FULL, final=True)
    lease = assembling(leases, exports, account)
    finish(leases, lease)
    rows = sum(part.rows for part in PARTS)
    counted = tallies.since(account.id, EVER)
    assert sum(one.exports for one in counted) == 2
    assert sum(one.rows for one in counted) == 2 * rows
    assert sum(one.bytes for one in counted) == 200
    assert 0 <= sum(one.seconds for one in counted) < 60
    for one in counted:
        assert one.begins_at.minute % 15 == one.begins_at.second == one.begins_at.microsecond == 0
        assert -900 < (one.begins_at - before).total_seconds() < 60
    exports.delete(account.id, lease.export_id)
    assert tallies.since(account.id, EVER) == counted
    assert tallies.since(account.id, datetime(2999, 1, 1, tzinfo=UTC)) == []
    other = Accounts(database).create(
        "Another", timezone="UTC", language=Language.EN, mobile_push=False
    )
    assert tallies.since(other.id, EVER) == []


def test_exports_that_end_at_the_same_time_are_all_counted(
    database: Database, account: Account
) -> None:
    """Whichever of them makes the row of the quarter of an hour."""
    leases, exports = Leases(database, lease_s=30, fault_limit=3), Exports(database)
    due = [assembling(leases, exports, account) for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda lease: finish(leases, lease), due))
    assert sum(one.exports for one in Tallies(database).since(account.id, EVER)) == 8
