"""Steps that hang in a process that lives, and steps that take others down with them."""

import math
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx

from tests.acceptance.conftest import OUTHAUL, Server, check_stored, import_file, new_caller, run
from tests.crash.cell import CrashShop, crash_shop, meets, restart

__all__ = ["crash_shop"]

POISONED = [sys.executable, "-m", "tests.acceptance.poisoned_program"]


def test_a_step_that_hangs_is_done_by_another(crash_shop: CrashShop, tmp_path: Path) -> None:
    """The only worker's thread hangs before it reports a slice; the export is finished without
    it, and when it wakes up at last its report changes nothing."""
    caller = crash_shop.copy(tmp_path, OUTHAUL_STALL_SECONDS="0.7")
    try:
        export = meets(caller, "slice-stored", "thread-hangs", seconds=4)
        assert export["status"] == "finished"
        path = f"/exports/{export['id']}/manifest"
        manifest = caller.request("GET", path).json()
        attempts = [part["attempt"] for part in manifest["members"][0]["slices"]]
        assert attempts == [1, 1, 2, 1]
        log, until = tmp_path / "server.log", time.monotonic() + 30
        while f"lease lost export={export['id']}" not in log.read_text():
            assert time.monotonic() < until
            time.sleep(0.05)  # The log of another process.
        assert caller.request("GET", path).json() == manifest
        assert list(caller.members(export).values()) == [crash_shop.text]
        assert list(caller.members(caller.finished()).values()) == [crash_shop.text]
        restart(caller)
        check_stored(caller, archives=3)
    finally:
        caller.server.kill()


def test_a_step_that_always_hangs_ends_the_export_in_error(
    crash_shop: CrashShop, tmp_path: Path
) -> None:
    """After as many takeovers as allowed; the server is healthy, and stops when told to."""
    caller = crash_shop.copy(
        tmp_path, OUTHAUL_STALL_SECONDS="0.3", OUTHAUL_TAKEOVER_LIMIT="2", CRASH_AGAIN="yes"
    )
    try:
        export = meets(caller, "slice-stored", "thread-hangs", seconds=math.inf)
        assert export["status"] == "error"
        assert export["error"]["cause"] == "workerLost"
        assert httpx.get(caller.server.url + "/health").status_code == 200
        assert caller.server.stop() == 0
        caller.server.program = OUTHAUL
        caller.server.start()
        check_stored(caller, archives=1)
    finally:
        caller.server.kill()


def test_an_export_outlives_another_that_kills_its_worker(tmp_path: Path) -> None:
    """Both are in hand at the first two deaths; from then on each is done alone."""
    contacts = tmp_path / "contacts.csv"
    contacts.write_text("_email\na@example.com\n")
    settings = {"OUTHAUL_TAKEOVER_LIMIT": "3", "OUTHAUL_WORKERS": "2"}
    server = Server(tmp_path / "data", settings).start()
    try:
        caller = new_caller(server)
        import_file(caller, "contacts", contacts)
        server.stop()
        server.program = POISONED
        server.start()
        poison = caller.create(delimiter=";")
        innocent = caller.create()
        assert server.ended() == -signal.SIGKILL
        for _ in range(2):
            died = run(
                "serve", "--port", "0", "--data", server.data,
                check=False, program=POISONED, settings=settings,
            )  # fmt: skip
            assert died.returncode == -signal.SIGKILL
        server.start()
        assert caller.wait(poison["id"])["error"]["cause"] == "workerLost"
        assert caller.rows(caller.wait(innocent["id"]))[0]["Email"] == "a@example.com"
    finally:
        with suppress(AssertionError):
            server.kill()
