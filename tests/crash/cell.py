"""One cell of the crash matrix: an export on a real server process that meets a fault."""

import hashlib
import math
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.acceptance.conftest import OUTHAUL, Caller, StoppedShop, check_stored, import_file
from tests.crash.matrix import Cell
from tests.crash.program import TROUBLED_SLICE

_FAULTY = [sys.executable, "-m", "tests.crash.program"]
_ROWS = 4000
_LEASE_S = 1.0
_SLICES = 4
# Rows of contacts are wide: of the shop's a slice has two thirds of these.
_SETTINGS = {"OUTHAUL_SLICE_ROWS": "1500", "OUTHAUL_WORKERS": "1"}
_IMPATIENT = {
    "OUTHAUL_FAULT_LIMIT": "2",
    "OUTHAUL_STALL_SECONDS": "0.7",
    "OUTHAUL_TAKEOVER_LIMIT": "2",
}
LASTING_CAUSES = {
    "full-disk": "storageFull",
    "read-only": "storageUnavailable",
    "files-fail": "storageUnavailable",
    "files-hang": "workerLost",
}
_ARCHIVE_IS_THERE = {"archive-durable", "finished"}
_SLICES_FINISHED_BEFORE = {
    "rendering": TROUBLED_SLICE - 1,
    "slice-stored": TROUBLED_SLICE - 1,
    "assembling": _SLICES,
    "archive-durable": _SLICES,
    "finished": _SLICES,
}


@dataclass(frozen=True, kw_only=True)
class CrashShop(StoppedShop):
    """A shop with some contacts in four slices, and the text that exports of it must have."""

    text: bytes

    @classmethod
    def with_contacts(cls, folder: Path) -> "CrashShop":
        """Filled, and exported once in quiet."""
        contacts = folder / "contacts.csv"
        contacts.write_text(
            "_email,_name,_createdAt\n"
            + "".join(
                f'u{n}@example.com,"Näme, {n}",2026-01-01T0{n // 3600}:{n // 60 % 60:02}:'
                f"{n % 60:02}Z\n"
                for n in range(_ROWS)
            )
        )
        texts: list[bytes] = []

        def fill(caller: Caller) -> None:
            import_file(caller, "contacts", contacts)
            texts.extend(caller.members(caller.finished()).values())

        stopped = StoppedShop.make(folder, fill, **_SETTINGS)
        [text] = texts
        return cls(**vars(stopped), text=text)

    def copy(self, folder: Path, **chosen: str) -> Caller:
        return super().copy(folder, **_SETTINGS | chosen)


@pytest.fixture(scope="module")
def crash_shop(tmp_path_factory: pytest.TempPathFactory) -> CrashShop:
    return CrashShop.with_contacts(tmp_path_factory.mktemp("shop"))


def survives(shop: CrashShop, cell: Cell, folder: Path) -> None:
    """Assert that an export that meets the cell's fault ends as if nothing had been."""
    caller = shop.copy(folder)
    try:
        export = meets(caller, cell.step, cell.fault, seconds=1)
        _check_finished(caller, export, cell.step, shop.text)
    finally:
        if caller.server.running:
            caller.server.kill()


def ends(shop: CrashShop, cell: Cell, folder: Path) -> None:
    """Assert that an export whose fault does not pass ends with its cause, unless its archive was
    there before the fault; and that all is as it was once the storage is mended."""
    caller = shop.copy(folder, **_IMPATIENT)
    try:
        export = meets(caller, cell.step, cell.fault, seconds=math.inf)
        if cell.step in _ARCHIVE_IS_THERE:
            assert export["status"] == "finished", export
        else:
            assert export["status"] == "error", export
            cause = LASTING_CAUSES[cell.fault]
            told = (export["error"]["cause"], export["error"]["retryHelps"])
            assert told == (cause, cause != "workerLost")
        if cell.fault == "files-fail":
            _check_outage(caller, export)
        restart(caller)
        for id_ in [one["id"] for one in caller.request("GET", "/exports/").json()["results"]]:
            if caller.get(id_)["status"] == "finished":
                assert list(caller.members(caller.get(id_)).values()) == [shop.text]
        assert list(caller.members(caller.finished()).values()) == [shop.text]
        check_stored(caller, archives=2 + (export["status"] == "finished"))
    finally:
        if caller.server.running:
            caller.server.kill()


def _check_outage(caller: Caller, export: dict[str, Any]) -> None:
    """A client is told that its download has to wait, in the contract's shape, and that the
    deletion of an export is done."""
    listed = caller.request("GET", "/exports/").json()["results"]
    links = [one["fileUrl"] for one in listed if one["status"] == "finished"]
    for answer in (httpx.get(link) for link in links):
        assert answer.status_code == 503
        assert answer.json() == {
            "status": 503,
            "title": "Service Unavailable",
            "detail": "The server's storage is away or full; ask again later.",
        }
    health = httpx.get(caller.server.url + "/health")
    assert (health.status_code, health.json()["files"]) == (503, "failing (StorageUnavailable)")
    gone = caller.create()["id"]
    assert caller.request("DELETE", f"/exports/{gone}").status_code == 204
    assert caller.request("GET", f"/exports/{gone}").status_code == 404


def meets(caller: Caller, step: str, fault: str, *, seconds: float) -> dict[str, Any]:
    """The new export of a server that meets the fault, as it ended; the server runs on."""
    server = caller.server
    server.settings |= {
        "CRASH_AT": step,
        "CRASH_WITH": fault,
        "CRASH_SECONDS": str(seconds),
        "CRASH_DATA": str(server.data),
        "OUTHAUL_LEASE_SECONDS": str(_LEASE_S),
    }
    server.program = _FAULTY
    server.start()
    known = {export["id"] for export in caller.request("GET", "/exports/").json()["results"]}
    with ThreadPoolExecutor(1) as executor:
        # The process may die or freeze before it has answered; the export is there all the same.
        asked = executor.submit(caller.create)
        if fault == "kill":
            assert server.ended() == -signal.SIGKILL
            server.program = OUTHAUL
            server.start()
        if fault == "freeze":
            _thaw_late(server.pid)
        with suppress(httpx.TransportError):
            asked.result()
    listed = caller.request("GET", "/exports/").json()["results"]
    [id_] = {export["id"] for export in listed} - known
    return _unreadable_until_ended(caller, id_)


def restart(caller: Caller) -> None:
    """Stop the server and start the ordinary program on its data."""
    caller.server.stop()
    caller.server.program = OUTHAUL
    caller.server.start()


def _thaw_late(pid: int) -> None:
    """Let a process that stops go on when its leases have run out."""
    process = psutil.Process(pid)
    until = time.monotonic() + 30
    while process.status() != psutil.STATUS_STOPPED:
        assert time.monotonic() < until, "the step was never reached"
        time.sleep(0.01)
    time.sleep(_LEASE_S * 1.2)  # It is the passing of time that is tested.
    process.send_signal(signal.SIGCONT)


def _unreadable_until_ended(caller: Caller, id_: str) -> dict[str, Any]:
    until = time.monotonic() + 60
    while (export := caller.get(id_))["status"] not in {"finished", "error"}:
        assert time.monotonic() < until, export
        assert "fileUrl" not in export
        time.sleep(0.05)  # The poll of a client; the server is another process.
    return export


def _check_finished(caller: Caller, export: dict[str, Any], step: str, text: bytes) -> None:
    """It is whole, cost no more than had to be, and a restart finds nothing left over."""
    assert export["status"] == "finished", export
    until = time.monotonic() + 30
    while httpx.head(export["fileUrl"]).status_code == 503:  # The disk may not be mended yet.
        assert time.monotonic() < until
    assert list(caller.members(export).values()) == [text]
    manifest = caller.request("GET", f"/exports/{export['id']}/manifest").json()
    archive = caller.download(export)
    assert manifest["archive"]["sha256"] == hashlib.sha256(archive).hexdigest()
    [member] = manifest["members"]
    attempts = [part["attempt"] for part in member["slices"]]
    assert len(attempts) == _SLICES
    finished_before = _SLICES_FINISHED_BEFORE.get(step, 0)
    assert attempts[:finished_before] == [1] * finished_before, "nothing finished is done again"
    restart(caller)
    assert caller.download(caller.get(export["id"])) == archive
    check_stored(caller, archives=2)
