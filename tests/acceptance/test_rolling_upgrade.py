"""Nodes of two versions side by side: the code that is here, and one with a further revision."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.acceptance.conftest import OUTHAUL, Caller, Server, new_caller, run
from tests.many_nodes import WorkerProcess, import_contacts, new_node, upsert
from tests.postgres import Postgres

Node = Callable[..., Server]


@pytest.fixture
def newer(tmp_path: Path) -> Callable[[str], list[str]]:
    """The command of a later version whose revision `adds` or `breaks`."""
    return lambda kind: [sys.executable, "-m", "tests.newer_program", str(tmp_path), kind]


@pytest.fixture
def nodes(postgres: Postgres, tmp_path: Path) -> Iterator[Node]:
    """Servers on one catalog, by name; none is left running."""
    settings = {"OUTHAUL_CATALOG": postgres.new_database()}
    with ExitStack() as ending:

        def node(name: str) -> Server:
            made = new_node(tmp_path, name, **settings)
            ending.callback(lambda: made.kill() if made.running else None)
            return made

        yield node


def test_one_node_after_the_other_is_replaced_while_exports_run(
    nodes: Node, newer: Callable[[str], list[str]], tmp_path: Path
) -> None:
    """An older server and worker are at an export when a newer worker comes and migrates. They go
    on, also after a restart, and leave alone what newer nodes have made; every export has the same
    rows, and each node ends by SIGTERM with status 0."""
    one, two = nodes("one").start(), nodes("two").start()
    caller = new_caller(one)
    upsert(caller, "first@example.com")  # From now on its data is with this one.
    import_contacts(caller, 6_000)
    expected = list(caller.members(caller.finished()).values())

    def is_whole(id_: str, through: Caller = caller) -> bool:
        export = through.wait(id_)
        return export["status"] == "finished" and [*through.members(export).values()] == expected

    with WorkerProcess(one, tmp_path / "old.log") as old:
        export = caller.create()["id"]
        while caller.get(export)["progress"] == 0:
            pass
        new = WorkerProcess(one, tmp_path / "new.log", newer("adds"))
        with new:
            assert is_whole(export)
            one.kill()
            one.start()  # The older version, on the newer catalog.
            assert "catalog newer" in (one.data.parent / "server.log").read_text()
            assert is_whole(caller.create()["id"])

            export = caller.create()["id"]
            assert one.stop() == 0
            one.program = newer("adds")
            one.start()
            assert is_whole(export)
            export = caller.create()["id"]
            assert is_whole(export)
            old_log = old.log.read_text()
            assert export not in old_log, "the older worker did what it may not understand"

            elsewhere = replace(caller, server=two)
            refused = elsewhere.request("GET", f"/exports/{export}")
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
            assert "newer version" in refused.json()["detail"]
            doctor = run("doctor", "--url", two.url, "--data", two.data, settings=two.settings)
            assert "that of a newer version, beside which this one can work" in doctor.stdout
            assert old.stop() == 0
            assert two.stop() == 0
            two.program = newer("adds")
            two.start()
            assert is_whole(export, elsewhere)
            assert new.stop() == 0


def test_a_change_that_older_nodes_cannot_take_waits_for_their_end(
    nodes: Node, newer: Callable[[str], list[str]]
) -> None:
    """While one is alive the newer version refuses to migrate, and says what to do. Afterwards the
    older one refuses to start, and says so too; the doctor agrees."""
    one = nodes("one").start()
    migrate = "catalog", "migrate"
    early = run(*migrate, program=newer("breaks"), settings=one.settings, check=False)
    assert (early.returncode, early.stderr.count("\n")) == (1, 1), early.stderr
    assert "stop all outhaul serve and outhaul worker first" in early.stderr
    assert run(*migrate, settings=one.settings).stdout.startswith("nothing to do")
    one.stop()
    done = run(*migrate, program=newer("breaks"), settings=one.settings)
    assert done.stdout.endswith("-> 9999\n")
    late = run("worker", program=OUTHAUL, settings=one.settings, check=False)
    assert (late.returncode, late.stderr.count("\n")) == (1, 1), late.stderr
    assert "install the newer one here as well" in late.stderr
    doctor = run("doctor", "--data", one.data, settings=one.settings, check=False)
    assert "its layout is not known to this version" in doctor.stdout
