"""Homes: one owner each, an account in one of them, and who may claim which step."""

import time
from dataclasses import replace

import pytest

from outhaul.catalog.database import Database
from outhaul.catalog.due import Step
from outhaul.catalog.erasures import Erasures
from outhaul.catalog.exports import Exports
from outhaul.catalog.homes import HomeOwned, Homes, Placement, Reach
from outhaul.catalog.imports import Imports
from outhaul.catalog.leases import LeaseLost, Leases
from outhaul.catalog.needed_files import NeededFiles
from outhaul.catalog.nodes import Nodes
from outhaul.catalog.slices import Slices
from outhaul.domain.account import Account
from outhaul.domain.errors import KeptElsewhere, NotFound
from outhaul.domain.export import Origin
from outhaul.domain.imports import ImportKind, ImportOptions
from tests.unit.test_catalog_database import at_once
from tests.unit.test_catalog_leases import ARCHIVE, PARTS, PLAN, REQUEST, claimed, facts

ONE, TWO = "1" * 24, "2" * 24


@pytest.fixture
def homes(database: Database) -> Homes:
    """Two homes, each owned by the node of its name."""
    made = Homes(database, lease_s=60)
    for id_ in (ONE, TWO):
        assert made.take(id_, id_, machine=f"machine of {id_}") is None
        assert made.keep(id_, id_, address=f"http://{id_}")
    return made


def leases_of(database: Database, home_id: str | None) -> Leases:
    return Leases(database, lease_s=30, fault_limit=3, reach=Reach(home_id=home_id))


def test_a_home_has_one_owner_until_its_lease_ends(database: Database) -> None:
    """Another machine's node has to wait for that; the one that lost the home is told."""
    homes = Homes(database, lease_s=0.2)
    homes.take(ONE, "a", machine="A")
    with pytest.raises(HomeOwned) as owned:
        homes.take(ONE, "b", machine="B")
    assert owned.value.home.node_id == "a"
    while (home := homes.find(ONE)) is None or home.owned:
        time.sleep(0.02)
    assert homes.keep(ONE, "a", address="http://a"), "late, but nobody took it"
    while (home := homes.find(ONE)) is None or home.owned:
        time.sleep(0.02)
    before = homes.take(ONE, "b", machine="B")
    assert before is not None
    assert before.node_id == "a"
    assert not homes.keep(ONE, "a", address="http://a")
    homes.give_up(ONE, "a")
    assert homes.keep(ONE, "b", address="http://b")


def test_a_home_is_taken_at_once_on_the_same_machine_or_when_given_up(homes: Homes) -> None:
    """There the lock on the directory tells that the earlier owner is dead."""
    before = homes.take(ONE, "next", machine=f"machine of {ONE}")
    assert before is not None
    assert (before.node_id, before.owned) == (ONE, True)
    homes.give_up(TWO, TWO)
    assert homes.take(TWO, "next", machine="another") is not None


def test_an_account_is_kept_by_the_first_home_that_needs_it(homes: Homes, account: Account) -> None:
    """Asked at the same time, all hear the same; elsewhere the owner's address is told."""
    answers: list[str] = []
    at_once(
        *[lambda: answers.append(homes.place(account.id, ONE))] * 3,
        *[lambda: answers.append(homes.place(account.id, TWO))] * 3,
    )
    assert len(set(answers)) == 1
    kept, other = (ONE, TWO) if answers[0] == ONE else (TWO, ONE)
    Placement(homes, kept).admit(account.id)
    with pytest.raises(KeptElsewhere) as elsewhere:
        Placement(homes, other).admit(account.id)
    assert elsewhere.value.address == f"http://{kept}"
    homes.give_up(kept, kept)
    with pytest.raises(KeptElsewhere) as nowhere:
        Placement(homes, other).admit(account.id)
    assert nowhere.value.address is None
    with pytest.raises(NotFound):
        homes.place("0" * 24, ONE)


def test_only_the_home_plans_and_anybody_assembles(
    homes: Homes, database: Database, account: Account
) -> None:
    """Slices stay with the home, unless the snapshot was unloaded to where all can read it, or the
    slice was."""
    one, two, worker = (leases_of(database, home) for home in (ONE, TWO, None))
    exports = Exports(database)
    for unload, strangers in ((None, False), ("exports/x/unload", True)):
        id_ = exports.create(account.id, REQUEST, origin=Origin.API, queue_limit=9).id
        assert worker.claim("w") is None
        plan = claimed(one)
        assert homes.place(account.id, TWO) == ONE, "whoever plans keeps the account"
        one.planned(plan.lease, PLAN if unload is None else replace(PLAN, unload=unload), PARTS)
        for other in (two, worker):
            claim = other.claim("w")
            assert (claim is not None) == strangers
            if claim is not None:
                other.release(claim.lease)
        for rows in (3, 4):
            one.rendered(claimed(one).lease, facts(rows))
        assemble = claimed(worker)
        assert (assemble.lease.step, assemble.export.id) == (Step.ASSEMBLE, id_)
        worker.finished(assemble.lease, ARCHIVE, "{}")


def test_a_slice_that_was_unloaded_is_anybodys(
    homes: Homes, database: Database, account: Account
) -> None:
    """Its home does the others first; whoever takes it hears where its rows are."""
    one, worker = (leases_of(database, home) for home in (ONE, None))
    id_ = Exports(database).create(account.id, REQUEST, origin=Origin.API, queue_limit=9).id
    one.planned(claimed(one).lease, PLAN, PARTS)
    assert worker.claim("w") is None
    first = claimed(one)
    one.unloaded(first.lease, "exports/x/0/unload-contacts-0-1")
    with pytest.raises(LeaseLost):
        one.rendered(first.lease, facts(3))
    assert Slices(database).waiting(id_) == (1, 1)
    home = claimed(one)
    assert home.slice_plan is not None
    assert (home.slice_plan.index, home.slice_plan.unload) == (1, None)
    other = claimed(worker)
    assert other.slice_plan is not None
    assert (other.slice_plan.index, other.lease.attempt) == (0, 2)
    assert other.slice_plan.unload == "exports/x/0/unload-contacts-0-1"
    assert NeededFiles(database).unloads() == {"exports/x/0/unload-contacts-0-1"}
    assert Slices(database).waiting(id_) == (0, 0)
    assert one.claim("one") is None
    worker.rendered(other.lease, facts(3))
    one.rendered(home.lease, facts(4))
    assert claimed(worker).lease.step is Step.ASSEMBLE


def test_imports_and_erasures_stay_with_the_home(
    homes: Homes, database: Database, account: Account
) -> None:
    """The first home that takes an import keeps the account from then on."""
    one, two = (
        Imports(database, lease_s=30, fault_limit=3, reach=Reach(home_id=home))
        for home in (ONE, TWO)
    )
    for _ in range(2):
        one.create(account.id, kind=ImportKind.CONTACTS, path="/x", options=ImportOptions())
    assert one.claim(ONE) is not None
    assert two.claim(TWO) is None
    Erasures(database).begin(account.id, "c1", lambda request, snapshot: True)
    found = [Erasures(database, reach=Reach(home_id=home)).unfinished() for home in (ONE, TWO)]
    assert [len(some) for some in found] == [1, 0]


def test_a_new_owner_frees_its_predecessors_work_alone(
    homes: Homes, database: Database, account: Account
) -> None:
    """What other nodes hold stays with them."""
    leases = leases_of(database, ONE)
    for _ in range(2):
        Exports(database).create(account.id, REQUEST, origin=Origin.API, queue_limit=9)
    dead, other = claimed(leases, "dead"), claimed(leases, "other")
    leases.release_all("dead")
    again = claimed(leases, "next")
    assert (again.export.id, again.takeovers) == (dead.export.id, 1)
    assert leases.beat({other.lease: 0}) == set()
    assert leases.claim("next") is None


def test_nodes_know_whether_others_live(database: Database) -> None:
    """A node that left, or gave no sign for the length of a lease, is none."""
    nodes = Nodes(database, lease_s=0.2)
    for id_ in ("a", "b", "c"):
        nodes.beat(id_)
    nodes.leave("c")
    assert nodes.others("a") == 1
    while nodes.others("a"):
        time.sleep(0.02)
    nodes.beat("b")
    assert nodes.others("a") == 1
