"""Real disks that run full or fail, below a real server process.

A disk is an ext4 file system in a file. Mounting takes root, and the tests fail where it is
refused.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Caller, check_stored
from tests.crash.cell import CrashShop, crash_shop
from tests.crash.matrix import Cell, cells_of

__all__ = ["crash_shop"]

HERE = "tests/chaos/test_real_disks.py"
PARTS = {"files": "files", "data": "."}
"""What of the data directory lies on the disk."""
CAUSES = {"full": "storageFull", "read-only": "storageUnavailable"}
_BYTES = 48 << 20


class Disk:
    """A folder that is a disk of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._image = folder.with_name(f"{folder.name}.image")
        self._filler = folder / "filler"
        before = folder.rename(folder.with_name(f"{folder.name}.before"))
        folder.mkdir()
        with self._image.open("wb") as image:
            image.truncate(_BYTES)
        _run("mkfs.ext4", "-q", "-m", "0", self._image)
        self.mount()
        shutil.copytree(before, folder, dirs_exist_ok=True)
        (folder / "lost+found").rmdir()
        # What the disk does not have yet is lost when it fails.
        self.unmount()
        self.mount()

    def mount(self) -> None:
        _run("mount", "-o", "loop", self._image, self._folder)

    def unmount(self) -> None:
        _run("umount", self._folder)

    def break_down(self, how: str) -> None:
        if how == "full":
            with suppress(OSError), self._filler.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
        else:
            # What the system does with an ext4 file system that it has seen fail.
            _run("mount", "-o", "remount,abort", self._folder)

    def mend(self, how: str, caller: Caller) -> None:
        if how == "full":
            self._filler.unlink()
        else:
            caller.server.kill()
            self.unmount()
            self.mount()
            caller.server.start()


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True)


@pytest.fixture
def caller(crash_shop: CrashShop, tmp_path: Path) -> Iterator[Caller]:
    made = crash_shop.copy(tmp_path, OUTHAUL_FAULT_LIMIT="2", OUTHAUL_LEASE_SECONDS="1")
    yield made
    if made.server.running:
        made.server.kill()


@pytest.mark.parametrize("cell", cells_of("disks", HERE), ids=str)
def test_an_export_ends_and_the_next_is_whole(
    crash_shop: CrashShop, cell: Cell, caller: Caller
) -> None:
    """It ends in `error` with its cause; where the catalog's disk failed too, it ends when that
    disk is mended, or the answer says that none can be asked for now. The file of before can be
    had all the time, and nothing is left over."""
    with _disk_below(caller, PARTS[cell.step]) as disk:
        caller.server.start()
        [before] = _exports(caller)
        disk.break_down(cell.fault)
        asked = [_ask(caller) for _ in range(2)]
        if cell.step == "files":
            for id_ in asked:
                assert id_ is not None
                assert caller.wait(id_)["error"]["cause"] == CAUSES[cell.fault]
        assert list(caller.members(caller.get(before["id"])).values()) == [crash_shop.text]
        disk.mend(cell.fault, caller)
        for one in _exports(caller):
            ended = caller.wait(one["id"])
            assert ended.get("error", {}).get("cause", CAUSES[cell.fault]) == CAUSES[cell.fault]
        assert list(caller.members(caller.finished()).values()) == [crash_shop.text]
        caller.server.stop()
        caller.server.start()
        _check_stored(caller)


@pytest.mark.parametrize("fault", CAUSES)
def test_a_parquet_export_without_room_for_its_parts_ends(
    crash_shop: CrashShop, fault: str, caller: Caller
) -> None:
    """Parts are written to a disk of the server's own before they are stored. While that takes
    none the export ends in `error` with its cause, and exports that need no such disk finish."""
    caller.server.start()
    whole = _parts(caller)
    caller.server.stop()
    with _disk_below(caller, "scratch") as disk:
        caller.server.start()
        disk.break_down(fault)
        ended = caller.wait(caller.create(format="parquet")["id"])
        assert ended["error"] == ended["error"] | {"cause": CAUSES[fault], "retryHelps": True}
        assert list(caller.members(caller.finished()).values()) == [crash_shop.text]
        disk.mend(fault, caller)
        assert _parts(caller) == whole
        _check_stored(caller)


@contextmanager
def _disk_below(caller: Caller, folder: str) -> Iterator[Disk]:
    """A disk in the place of a folder of the server's data; the server does not outlive it."""
    disk = Disk(caller.server.data / folder)
    try:
        yield disk
    finally:
        if caller.server.running:
            caller.server.kill()
        disk.unmount()


def _check_stored(caller: Caller) -> None:
    finished = [one for one in _exports(caller) if one["status"] == "finished"]
    check_stored(caller, archives=len(finished))


def _parts(caller: Caller) -> list[bytes]:
    return list(caller.members(caller.finished(format="parquet")).values())


def _exports(caller: Caller) -> list[dict[str, Any]]:
    return list(caller.request("GET", "/exports/").json()["results"])


def _ask(caller: Caller) -> str | None:
    """Ask for an export: its id, or None where the server says that it cannot take it now."""
    body = {"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"}
    answer = caller.request("POST", "/exports/", json=body)
    if answer.status_code == 201:
        return str(answer.json()["id"])
    assert answer.status_code == 503, answer.text
    assert " ask again " in answer.json()["detail"]
    return None
