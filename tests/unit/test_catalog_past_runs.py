"""What the catalog remembers of how long exports took."""

from dataclasses import replace
from datetime import timedelta

from outhaul.catalog.database import Database
from outhaul.catalog.exports import Exports
from outhaul.catalog.leases import Leases
from outhaul.catalog.past_runs import PastRuns
from outhaul.domain.account import Account
from outhaul.domain.estimate import expected_seconds
from outhaul.domain.extras import FileFormat
from outhaul.domain.instants import now
from tests.unit.test_catalog_leases import ARCHIVE, PARTS, PLAN, claimed, create, facts


def test_finished_exports_tell_text_and_time(database: Database, account: Account) -> None:
    """From plan to file, over all slices; exports that have not ended tell nothing, and one
    without rows tells that it had no text. An estimate follows from them."""
    leases, exports = Leases(database, lease_s=30, fault_limit=3), Exports(database)
    runs = PastRuns(database)
    assert runs.recent(FileFormat.CSV) == ()
    planned = replace(PLAN, now=now() - timedelta(seconds=10))
    for parts in (PARTS, ()):
        create(exports, account)
        leases.planned(claimed(leases).lease, planned, parts)
        for part in parts:
            leases.rendered(claimed(leases).lease, facts(part.rows))
        key = f"{len(parts)} slices"
        leases.finished(claimed(leases).lease, replace(ARCHIVE, key=key), "{}")
    create(exports, account)
    leases.planned(claimed(leases).lease, planned, PARTS)
    told = runs.recent(FileFormat.CSV)
    assert sorted(run.bytes for run in told) == [0, 18]
    assert all(10 <= run.seconds < 60 for run in told)
    assert 8 < expected_seconds(10, told) < 60
