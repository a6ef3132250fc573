"""A slice that kills every process that touches it."""

import signal
import sys
from contextlib import suppress
from pathlib import Path

import httpx

from tests.acceptance.conftest import Server, check_stored, import_file, new_caller, run

DYING = [sys.executable, "-m", "tests.acceptance.dying_program"]


def test_a_slice_that_kills_every_worker_ends_the_export_in_error(tmp_path: Path) -> None:
    """After as many deaths as allowed the server stays up and says why; no file is left."""
    contacts = tmp_path / "contacts.csv"
    contacts.write_text("_email\na@example.com\n")
    server = Server(tmp_path / "data", {"OUTHAUL_TAKEOVER_LIMIT": "2"}, program=DYING).start()
    try:
        caller = new_caller(server)
        import_file(caller, "contacts", contacts)
        # The process may die before it has answered; the export is there all the same.
        with suppress(httpx.TransportError):
            caller.create()
        assert server.ended() == -signal.SIGKILL
        again = run("serve", "--port", "0", "--data", server.data, check=False, program=DYING)
        assert again.returncode == -signal.SIGKILL
        server.start()
        (listed,) = caller.request("GET", "/exports/").json()["results"]
        export = caller.wait(listed["id"])
        assert export["status"] == "error"
        assert export["error"]["cause"] == "workerLost"
        assert export["error"]["retryHelps"] is False
        # The next export is tried again: it is the step that is given up, not the worker.
        with suppress(httpx.TransportError):
            caller.create()
        assert server.ended() == -signal.SIGKILL
        check_stored(caller, archives=0)
    finally:
        if server.running:
            server.kill()
