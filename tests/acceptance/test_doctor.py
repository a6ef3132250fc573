"""`outhaul doctor` on real deployments, well and ill."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from outhaul.cli.app import main
from tests.acceptance.conftest import Caller, import_file, run

Doctor = Callable[..., tuple[int, dict[str, dict[str, Any]]]]


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """Exit status, and the gravest finding of each part."""

    def ask(*arguments: str | Path) -> tuple[int, dict[str, dict[str, Any]]]:
        monkeypatch.setattr("sys.argv", ["outhaul", "doctor", "--json", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        findings = json.loads(capsys.readouterr().out)["findings"]
        order = ["ok", "note", "wrong"]
        gravest = sorted(findings, key=lambda one: order.index(one["state"]))
        assert isinstance(ended.value.code, int)
        return ended.value.code, {one["part"]: one for one in gravest}

    return ask


def test_a_deployment_well_and_ill(caller: Caller, doctor: Doctor) -> None:
    """Beside the running server, at a wrong address, stopped, with an archive lost, with a clock
    behind, with a damaged store, with a catalog of tomorrow and a damaged one: each is said, and
    what to do."""
    data, url = caller.server.data, caller.server.url
    contacts = data.parent / "contacts.csv"
    contacts.write_text("_email\na@example.com\n")
    import_file(caller, "contacts", contacts)
    caller.finished()

    told = run("doctor", "--data", data, "--url", url)
    assert "✓ server: " in told.stdout
    assert told.stdout.endswith("Nothing is wrong.\n")
    status, parts = doctor("--data", data, "--url", "http://127.0.0.1:9")
    assert (status, parts["server"]["state"]) == (1, "wrong")
    assert "--url" in parts["server"]["advice"]

    caller.server.kill()
    status, parts = doctor("--data", data)
    assert (status, parts["server"]["state"]) == (0, "note")
    assert parts["store"]["text"].startswith("1 files")
    assert parts["files"]["text"] == "1 archives, all in full length"
    left = data / "files" / "exports" / ("0" * 24) / "slice"
    left.parent.mkdir()
    left.touch()
    assert "; 1 files that no export needs" in doctor("--data", data)[1]["files"]["text"]

    next((data / "files").rglob("*.zip")).unlink()
    with closing(sqlite3.connect(data / "catalog.db")) as catalog, catalog:
        catalog.execute("UPDATE accounts SET created_ms = created_ms + 3600000")
    next((data / "store").glob("*.duckdb")).write_bytes(b"not a store" * 1000)
    status, parts = doctor("--data", data)
    wrong = {name for name, one in parts.items() if one["state"] == "wrong"}
    assert (status, wrong) == (1, {"files", "clock", "store"})
    assert all(parts[name]["advice"] for name in wrong)

    with closing(sqlite3.connect(data / "catalog.db")) as catalog, catalog:
        catalog.execute("UPDATE alembic_version SET version_num = 'of-tomorrow'")
    status, parts = doctor("--data", data)
    assert parts["catalog"]["state"] == "note"
    assert "newer" in parts["catalog"]["advice"]
    with closing(sqlite3.connect(data / "catalog.db")) as catalog, catalog:
        catalog.execute("INSERT INTO breaking_revisions VALUES ('of-tomorrow')")
    status, parts = doctor("--data", data)
    assert (status, parts["catalog"]["state"]) == (1, "wrong")
    assert "newer" in parts["catalog"]["advice"]

    (data / "catalog.db").write_bytes(b"not a catalog" * 1000)
    status, parts = doctor("--data", data)
    assert (status, parts["catalog"]["state"]) == (1, "wrong")


def test_what_is_not_there_is_not_made(tmp_path: Path, doctor: Doctor) -> None:
    """A missing directory and a missing catalog are said, and still missing afterwards."""
    status, parts = doctor("--data", tmp_path / "none")
    assert (status, parts["data"]["state"]) == (1, "wrong")
    assert not (tmp_path / "none").exists()
    status, parts = doctor("--data", tmp_path)
    assert (status, parts["catalog"]["state"]) == (1, "wrong")
    assert list(tmp_path.iterdir()) == []


def test_little_room_and_wrong_settings_are_said(
    tmp_path: Path, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A nearly full disk; a variable with nonsense in it is named."""
    full = shutil._ntuple_diskusage(10**12, 10**12 - 1000, 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    _, parts = doctor("--data", tmp_path)
    assert parts["disk"]["state"] == "wrong"
    monkeypatch.setenv("OUTHAUL_WORKERS", "many")
    status, parts = doctor("--data", tmp_path)
    assert (status, list(parts)) == (1, ["settings"])
    assert "OUTHAUL_WORKERS" in parts["settings"]["text"]
