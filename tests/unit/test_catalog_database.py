"""What both databases give the catalog: locks, a clock, one migration, errors that say wait."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import select

from outhaul.catalog.accounts import Accounts
from outhaul.catalog.database import Database, hold, now_ms
from outhaul.catalog.erasures import Erasures
from outhaul.catalog.exports import Exports
from outhaul.catalog.keys import Keys, LinkKeys
from outhaul.catalog.leases import LeaseLost, Leases
from outhaul.catalog.tables import accounts
from outhaul.domain.account import Account, Language
from outhaul.domain.errors import CatalogUnavailable, QueueFull
from outhaul.domain.export import ExportStatus, Origin, SlicePlan
from tests.postgres import Postgres
from tests.unit.test_catalog_leases import ARCHIVE, PARTS, PLAN, REQUEST, claimed, facts


def at_once(*actions: Callable[[], object]) -> None:
    """Run the actions in threads that start together; their errors are raised."""
    start = threading.Barrier(len(actions))

    def run(action: Callable[[], object]) -> None:
        start.wait()
        action()

    with ThreadPoolExecutor(len(actions)) as threads:
        for ran in [threads.submit(run, action) for action in actions]:
            ran.result()


def planned(
    database: Database, account: Account, parts: tuple[SlicePlan, ...] = PARTS, *, count: int = 1
) -> list[str]:
    """Ids of exports whose slices are due."""
    exports, leases = Exports(database), Leases(database, lease_s=30, fault_limit=3)
    made = [
        exports.create(account.id, REQUEST, origin=Origin.API, queue_limit=100).id
        for _ in range(count)
    ]
    for lease in [claimed(leases).lease for _ in made]:
        leases.planned(lease, PLAN, parts)
    return made


def many(count: int) -> tuple[SlicePlan, ...]:
    return tuple(
        SlicePlan(
            member=PARTS[0].member, index=n, first=PARTS[0].first, until=PARTS[0].until, rows=1
        )
        for n in range(count)
    )


def test_the_clock_is_the_databases(database: Database) -> None:
    """It gives milliseconds since 1970, within a second of this machine's."""
    with database.reading() as connection:
        told = connection.execute(select(now_ms())).scalar_one()
    assert abs(told - time.time() * 1000) < 1000


def test_last_slices_reported_at_the_same_time_make_assembly_due(
    database: Database, account: Account
) -> None:
    """Neither report misses the other, however they meet."""
    leases = Leases(database, lease_s=30, fault_limit=3)
    for _ in range(5):
        [id_] = planned(database, account)
        one, two = claimed(leases).lease, claimed(leases).lease
        at_once(lambda: leases.rendered(one, facts(3)), lambda: leases.rendered(two, facts(4)))  # noqa: B023 -- both have run when the next round begins
        assemble = claimed(leases).lease
        assert (assemble.export_id, assemble.member) == (id_, None)
        leases.finished(assemble, ARCHIVE, "{}")


def test_an_account_has_no_more_steps_in_hand_than_allowed(
    database: Database, account: Account
) -> None:
    """However many workers ask at the same time; a slice that is done makes room."""
    planned(database, account, many(8))
    leases = Leases(database, lease_s=30, fault_limit=3, account_limit=3)
    claims = []
    at_once(*[lambda: claims.append(leases.claim("worker"))] * 6)
    got = [claim for claim in claims if claim is not None]
    assert len(got) == 3
    assert leases.claim("worker") is None
    leases.rendered(got[0].lease, facts(1))
    assert leases.claim("worker") is not None


def test_claims_beats_reports_and_deletes_do_not_stand_in_each_others_way(
    database: Database, account: Account
) -> None:
    """Four workers render what a fifth thread deletes now and then; nothing waits in a circle."""
    leases = Leases(database, lease_s=30, fault_limit=3)
    ids = planned(database, account, many(6), count=3)

    def work() -> None:
        while (claim := leases.claim("worker")) is not None:
            leases.beat({claim.lease: 1})
            try:
                if claim.lease.member is None:
                    leases.finished(claim.lease, ARCHIVE, "{}")
                else:
                    leases.rendered(claim.lease, facts(1))
            except LeaseLost:
                assert claim.lease.export_id == ids[0]

    at_once(*[work] * 4, lambda: Exports(database).delete(account.id, ids[0]))
    ended = [Exports(database).get(account.id, id_).status for id_ in ids[1:]]
    assert ended == [ExportStatus.FINISHED] * 2


def test_the_last_place_in_the_queue_is_taken_once(database: Database, account: Account) -> None:
    """Of eight creates at the same time, two pass where two are allowed."""
    refused = []

    def create() -> None:
        try:
            Exports(database).create(account.id, REQUEST, origin=Origin.API, queue_limit=2)
        except QueueFull as full:
            refused.append(full)

    at_once(*[create] * 8)
    assert len(refused) == 6


def test_an_erasure_finds_an_export_finished_or_stops_it(
    database: Database, account: Account
) -> None:
    """An export that ends just then is withdrawn, or its end is refused; never in between."""
    leases, erasures = Leases(database, lease_s=30, fault_limit=3), Erasures(database)
    for _ in range(5):
        [id_] = planned(database, account, ())
        assemble = claimed(leases).lease

        def finish(lease=assemble) -> None:
            with suppress(LeaseLost):
                leases.finished(lease, ARCHIVE, "{}")

        at_once(finish, lambda: erasures.begin(account.id, "c1", lambda request, snapshot: True))
        for erasure in erasures.unfinished():
            erasures.erased(erasure.id, 1)
            erasures.finished(erasure.id)
        export = Exports(database).get(account.id, id_)
        assert export.archive is None
        assert export.status in {ExportStatus.ERROR, ExportStatus.IN_PROGRESS}
        Exports(database).delete(account.id, id_)


def test_link_keys_made_at_the_same_time_are_one(database: Database) -> None:
    """Every node signs with the same key from the first moment."""
    rings = []
    at_once(*[lambda: rings.append(LinkKeys(database).ring())] * 5)
    assert len(rings[0]) == 1
    assert rings == [rings[0]] * 5


def test_nodes_that_start_together_migrate_once(postgres: Postgres) -> None:
    """One brings the tables, the others wait for it and find them."""
    url = postgres.new_database()
    node = f"from outhaul.catalog.database import Database; Database({url!r}).migrate()"
    nodes = [subprocess.Popen([sys.executable, "-c", node]) for _ in range(3)]
    assert [node.wait(60) for node in nodes] == [0, 0, 0]
    database = Database(url)
    database.check()
    database.close()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_claim_passes_over_an_account_that_others_claim_for(
    database: Database, account: Account
) -> None:
    """It takes another account's step instead of waiting, although that one's turn is later."""
    other = Accounts(database).create("B", timezone="UTC", language=Language.EN, mobile_push=False)
    planned(database, account)
    Exports(database).create(other.id, REQUEST, origin=Origin.API, queue_limit=100)
    leases = Leases(database, lease_s=30, fault_limit=3)
    with database.transaction() as connection:
        hold(connection, accounts, accounts.c.id == account.id)
        assert claimed(leases).lease.account_id == other.id
    assert claimed(leases).lease.account_id == account.id


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_database_that_is_away_is_told_from_a_fault(
    postgres: Postgres, database: Database, account: Account, mode: str
) -> None:
    """Whether stopped or crashed, also in mid-transaction; once back, it answers at once."""
    exports = Exports(database)

    def cut_off() -> None:
        with database.transaction() as connection:
            hold(connection, accounts)
            postgres.stop(mode)
            hold(connection, accounts)

    try:
        with pytest.raises(CatalogUnavailable):
            cut_off()
        with pytest.raises(CatalogUnavailable):
            exports.page(account.id, page=1, page_size=1)
    finally:
        postgres.start()
    assert exports.page(account.id, page=1, page_size=1).results == ()


def test_a_busy_sqlite_is_told_from_a_fault(tmp_path) -> None:
    """A lock that does not come in time is a reason to ask again."""
    url = f"sqlite:///{tmp_path / 'catalog.db'}"
    one, other = Database(url), Database(f"{url}?timeout=0.01")
    one.migrate()
    with one.transaction(), pytest.raises(CatalogUnavailable), other.transaction():
        pass
    one.close()
    other.close()


def test_a_key_is_asked_for_again_while_the_file_is_away(tmp_path: Path) -> None:
    """The question whether anything has changed meets the fault first, and leaves it at that."""
    away = Database(f"sqlite:///{tmp_path}/away/catalog.db")
    with pytest.raises(CatalogUnavailable):
        Keys(away).find("k1")
    away.close()
