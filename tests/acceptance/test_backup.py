"""`outhaul backup` and `outhaul restore` on real deployments."""

import json
import signal
import sys
from pathlib import Path

import pytest

from tests.acceptance.conftest import Caller, Server, queue_export, run
from tests.crash.cell import CrashShop, crash_shop
from tests.crash.program import TROUBLED_SLICE
from tests.s3 import Bucket

__all__ = ["crash_shop"]


def killed_midway(shop: CrashShop, folder: Path) -> tuple[Caller, str]:
    """A stopped deployment with a finished export, and one that was killed among its slices."""
    fault = {"CRASH_AT": "slice-stored", "CRASH_WITH": "kill", "CRASH_SECONDS": "0"}
    caller = shop.copy(folder, CRASH_DATA=str(folder / "data"), **fault)
    id_ = queue_export(caller.server.data)
    caller.server.program = [sys.executable, "-m", "tests.crash.program"]
    caller.server.spawn()
    assert caller.server.ended() == -signal.SIGKILL
    caller.server.settings.clear()
    return caller, id_


def server_on(data: Path, caller: Caller, **settings: str) -> Caller:
    """The same caller of an ordinary server on other data."""
    server = Server(data, {"OUTHAUL_SLICE_ROWS": "1500", "OUTHAUL_WORKERS": "1"} | settings)
    return Caller(server.start(), caller.account, caller.key)


@pytest.mark.parametrize("place", ["directory", "bucket"])
def test_a_restored_deployment_goes_on_as_the_first_would_have(
    place: str, crash_shop: CrashShop, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Backed up amid an export, restored elsewhere (with the files in a bucket, even): the export
    finishes with the bytes that it has where it began, no finished slice is rendered again, and
    what was finished before can be fetched."""
    first, id_ = killed_midway(crash_shop, tmp_path)
    backup, data = tmp_path / "backup", tmp_path / "elsewhere" / "data"
    told = run("backup", backup, "--data", first.server.data).stdout
    assert told.startswith(f"{backup}: ")
    settings: dict[str, str] = {}
    if place == "bucket":
        bucket: Bucket = request.getfixturevalue("bucket")
        settings["OUTHAUL_FILES"] = bucket.url
    told = run("restore", backup, "--data", data, settings=settings).stdout
    assert "forgotten" not in told
    assert "anew" not in told

    callers = [server_on(first.server.data, first), server_on(data, first, **settings)]
    try:
        listed = [caller.request("GET", "/exports/").json()["results"] for caller in callers]
        [before] = [one["id"] for one in listed[0] if one["id"] != id_]
        for export_id in (before, id_):
            one, other = (caller.download(caller.wait(export_id)) for caller in callers)
            assert one == other
        manifest = callers[1].request("GET", f"/exports/{id_}/manifest").json()
        attempts = [part["attempt"] for part in manifest["members"][0]["slices"]]
        assert attempts[: TROUBLED_SLICE - 1] == [1] * (TROUBLED_SLICE - 1)
    finally:
        for caller in callers:
            caller.server.kill()


def test_without_files_exports_begin_anew_or_are_forgotten(
    crash_shop: CrashShop, tmp_path: Path
) -> None:
    """Nothing says `finished` that cannot be fetched; the export under way has the same text in
    the end."""
    first, id_ = killed_midway(crash_shop, tmp_path)
    backup, data = tmp_path / "backup", tmp_path / "elsewhere" / "data"
    run("backup", backup, "--no-files", "--data", first.server.data)
    assert not (backup / "files").exists()
    told = run("restore", backup, "--data", data).stdout
    assert "1 exports without their archives were forgotten" in told
    assert "1 exports under way begin anew" in told
    caller = server_on(data, first)
    try:
        [listed] = caller.request("GET", "/exports/").json()["results"]
        assert listed["id"] == id_
        assert list(caller.members(caller.wait(id_)).values()) == [crash_shop.text]
    finally:
        caller.server.kill()


def test_only_a_whole_backup_is_restored(crash_shop: CrashShop, tmp_path: Path) -> None:
    """A changed byte, a missing file, a folder that is none, and a place that is taken: each is
    refused, and nothing is written."""
    data = tmp_path / "data"
    backup = tmp_path / "backup"
    run("backup", backup, "--data", crash_shop.data)
    listed = json.loads((backup / "backup.json").read_text())["sha256"]
    assert {path.split("/")[0] for path in listed} == {"catalog.db", "store", "files"}
    holding = [backup, *(path for path in backup.rglob("*") if path.is_file())]
    assert [path for path in holding if path.stat().st_mode & 0o077] == [], "personal data"

    def refused(*arguments: str | Path) -> str:
        result = run(*arguments, check=False)
        assert result.returncode == 1
        [line] = result.stderr.splitlines()
        return line

    archive = next(backup.rglob("*.zip"))
    archive.write_bytes(archive.read_bytes()[:-1] + b"x")
    assert "its digest differs" in refused("restore", backup, "--data", data)
    archive.unlink()
    assert "cannot be read" in refused("restore", backup, "--data", data)
    assert "is no backup" in refused("restore", tmp_path, "--data", data)
    assert not data.exists()
    data.mkdir()
    (data / "mine").touch()
    assert "is not empty" in refused("restore", backup, "--data", data)
    assert "exists already" in refused("backup", backup, "--data", crash_shop.data)


def test_a_running_server_is_not_copied(caller: Caller, tmp_path: Path) -> None:
    """Its stores change while they are read: the command says to stop it, and leaves nothing."""
    result = run("backup", tmp_path / "backup", "--data", caller.server.data, check=False)
    assert result.returncode == 1
    assert "stop the server first" in result.stderr
    assert list(tmp_path.glob("backup*")) == []
