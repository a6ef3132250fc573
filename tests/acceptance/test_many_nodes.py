"""Several servers and workers on one PostgreSQL catalog, as real processes."""

import re
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from outhaul.cli.options import settings
from outhaul.domain.errors import UnsafeSettings
from tests.acceptance.conftest import Server, new_caller, run
from tests.console_site import Visitor, words
from tests.many_nodes import LEASE_S, WorkerProcess, import_contacts, new_node, upsert
from tests.postgres import Postgres


@pytest.fixture
def nodes(postgres: Postgres, tmp_path: Path) -> Iterator[Callable[[str], Server]]:
    """Starts servers, each on a data directory of its own, that share catalog and files."""
    catalog, started = postgres.new_database(), []

    def start(name: str) -> Server:
        started.append(new_node(tmp_path, name, OUTHAUL_CATALOG=catalog).start())
        return started[-1]

    yield start
    for one in started:
        if one.running:
            one.stop(signal.SIGKILL)


def test_any_server_answers_for_every_account(nodes: Callable[[str], Server]) -> None:
    """Data taken by one, asked for and exported through the other: the same file from both, and
    the same answers, with their headers."""
    one, two = nodes("one"), nodes("two")
    here = new_caller(one)
    there = replace(here, server=two)
    for number, caller in enumerate((here, there, there, here)):
        assert upsert(caller, f"{number}@example.com").status_code == 201
    assert upsert(there, "0@example.com").status_code == 200
    export = there.finished()
    assert export["total"] == 4
    assert there.download(export) == here.download(here.get(export["id"]))
    direct, forwarded = (
        caller.request("GET", "/contacts/1@example.com") for caller in (here, there)
    )
    assert direct.content == forwarded.content
    names = [[name for name, _ in answer.headers.raw] for answer in (direct, forwarded)]
    assert names[0] == names[1]
    bad = there.request("PATCH", "/contacts/1@example.com", json={"_points": "x"})
    assert bad.status_code == 422
    visitor = Visitor(two.url)
    assert visitor.sign_in(there.key).status_code == 303
    fields = {"type": "contacts", "delimiter": ",", "dates": "ISO", "version": "v6"}
    estimate = visitor.send("/exports/new/estimate", [*fields.items()])
    assert (estimate.status_code, "4 rows" in words(estimate.text)) == (200, True), estimate.text
    assert "example.com" not in (two.data.parent / "server.log").read_text()
    doctor = run("doctor", "--url", two.url, "--data", two.data, settings=two.settings)
    assert "✓ catalog: whole; 1 accounts, 0 exports under way" in doctor.stdout
    assert "Nothing is wrong." in doctor.stdout


def test_the_owners_death_is_told_and_its_next_start_takes_over(
    nodes: Callable[[str], Server],
) -> None:
    """While nobody keeps an account's data, other servers say when to ask again; what needs no data
    is answered. After a restart the export goes on at once, without a wait for leases."""
    one, two = nodes("one"), nodes("two")
    caller = new_caller(one)
    upsert(caller, "c0@example.com")  # From now on the account's data is with this one.
    import_contacts(caller, 20_000)
    elsewhere = replace(caller, server=two)
    expected = caller.members(caller.finished())
    export = elsewhere.create()
    one.kill()
    refused = upsert(elsewhere, "0@example.com")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert "keeps this account's data" in refused.json()["detail"]
    assert elsewhere.get(export["id"])["total"] in {0, 20_001}
    one.start()
    finished = elsewhere.wait(export["id"], seconds=30)
    assert finished["status"] == "finished"
    assert list(elsewhere.members(finished).values()) == list(expected.values())
    assert upsert(elsewhere, "0@example.com").status_code == 200


def test_restarts_of_the_database_are_survived(
    nodes: Callable[[str], Server], postgres: Postgres
) -> None:
    """Shorter and longer than a lease: callers are told to ask again, and the export under way ends
    with the same rows."""
    server = nodes("one")
    caller = new_caller(server)
    import_contacts(caller, 20_000)
    expected = caller.members(caller.finished())
    for away_s in (1, LEASE_S + 1):
        export = caller.create()["id"]
        while caller.get(export)["progress"] == 0:
            pass
        postgres.stop("immediate")
        try:
            until = time.monotonic() + away_s
            while time.monotonic() < until:
                refused = caller.request("GET", f"/exports/{export}")
                assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
                time.sleep(0.2)  # A client that asks again.
        finally:
            postgres.start()
        finished = caller.wait(export)
        assert finished["status"] == "finished"
        assert list(caller.members(finished).values()) == list(expected.values())
    assert upsert(caller, "0@example.com").status_code == 200


def test_workers_render_what_another_process_keeps(
    nodes: Callable[[str], Server], tmp_path: Path
) -> None:
    """Slices of one export by two processes, the same bytes; a killed one is no loss, and one that
    is told to stop ends what it has in hand."""
    server = nodes("one")
    caller = new_caller(server)
    import_contacts(caller, 6_000)
    expected = caller.members(caller.finished())
    worker = WorkerProcess(server, tmp_path / "worker.log")
    with worker:
        until = time.monotonic() + 60
        while "slice rendered" not in worker.log.read_text():
            assert time.monotonic() < until, "the worker renders nothing"
            shared = caller.finished()
            assert list(caller.members(shared).values()) == list(expected.values())
        export = caller.create()["id"]
        while caller.get(export)["progress"] == 0:
            pass
        worker.kill()
        killed = caller.wait(export)
        assert list(caller.members(killed).values()) == list(expected.values())
    with worker:
        export = caller.create()["id"]
        assert worker.stop() == 0
        assert caller.wait(export)["status"] == "finished"


def test_small_exports_stay_where_their_data_is(postgres: Postgres, tmp_path: Path) -> None:
    """Below OUTHAUL_UNLOAD_ROWS nothing is unloaded, and others render nothing; the last slice is
    unloaded for nobody."""
    settings = {"OUTHAUL_CATALOG": postgres.new_database(), "OUTHAUL_UNLOAD_ROWS": "3000"}
    server = new_node(tmp_path, "one", **settings).start()
    try:
        caller = new_caller(server)
        with WorkerProcess(server, tmp_path / "worker.log") as worker:
            for rows, unloaded in ((2_000, 0), (3_000, 2_000)):
                import_contacts(caller, rows)
                assert caller.finished()["total"] == rows
                told = httpx.get(f"{server.url}/metrics").text
                counted = re.search(r'outhaul_unloaded_rows_total{source="store"} (\S+)', told)
                assert counted is not None
                assert bool(unloaded) == (float(counted[1]) > 0)
                assert float(counted[1]) <= unloaded
                if not unloaded:
                    assert "slice rendered" not in worker.log.read_text()
    finally:
        server.kill()


def test_a_server_grows_into_a_shared_catalog(
    start_server: Callable[..., Server], postgres: Postgres
) -> None:
    """Two settings change: key, data, files and links stay, and a new export has the same rows."""
    server = start_server()
    caller = new_caller(server)
    upsert(caller, "0@example.com")
    before = caller.finished()
    archive, members = caller.download(before), caller.members(before)
    shared = {"OUTHAUL_CATALOG": postgres.new_database(), "OUTHAUL_LEASE_SECONDS": "60"}
    to: list[str | Path] = ["catalog", "move", "--data", server.data]
    refused = run(*to, check=False, settings=shared)
    assert (refused.returncode, "owns" in refused.stderr) == (1, True)
    server.stop()
    assert run(*to, settings=shared).stdout.startswith("1 accounts moved")
    again = run(*to, check=False, settings=shared)
    assert (again.returncode, "there is no" in again.stderr) == (1, True)
    server.settings |= shared | {"OUTHAUL_FILES": str(server.data / "files")}
    server.start()
    old = httpx.URL(before["fileUrl"]).copy_with(port=httpx.URL(server.url).port)
    assert httpx.get(old).content == archive
    assert caller.get(before["id"])["finishedAt"] == before["finishedAt"]
    after = caller.finished()
    assert list(caller.members(after).values()) == list(members.values())


def test_unsafe_combinations_are_refused_with_what_to_set(postgres_catalog: str) -> None:
    """At start, in one sentence, before anything is done."""
    alone = run("worker", check=False)
    assert (alone.returncode, alone.stdout) == (1, "")
    assert "set OUTHAUL_CATALOG to postgresql://" in alone.stderr
    scattered = run("worker", check=False, settings={"OUTHAUL_CATALOG": postgres_catalog})
    assert (scattered.returncode, scattered.stdout) == (1, "")
    assert "set OUTHAUL_FILES to a place that all nodes reach" in scattered.stderr
    nowhere = settings(catalog=postgres_catalog, files="s3://exports", host="0.0.0.0")
    with pytest.raises(UnsafeSettings, match="set OUTHAUL_NODE_URL to where other nodes reach"):
        nowhere.check_node()
    assert postgres_catalog not in repr(nowhere)
