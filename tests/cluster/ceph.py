"""The smallest Ceph there can be: one monitor, one OSD in memory, and its S3 gateway, radosgw.

Unlike moto it checks signatures, and how long they are good.
"""

import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

KEY, SECRET = "outhaul", "a-secret-that-only-we-know"
_START_S = 60


@contextmanager
def radosgw(folder: Path) -> Iterator[str]:
    """The gateway's address; everything of it lies in `folder` and ends with the block."""
    monitor, gateway = _free_port(), _free_port()
    for name in ("mon", "osd", "run", "log"):
        (folder / name).mkdir()
    conf, fsid = folder / "ceph.conf", str(uuid.uuid4())
    conf.write_text(
        f"""[global]
fsid = {fsid}
mon host = 127.0.0.1:{monitor}
mon initial members = a
ms bind msgr2 = false
public addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
mon data = {folder}/mon
osd data = {folder}/osd
run dir = {folder}/run
admin socket = {folder}/run/$name.asok
log file = {folder}/log/$name.log
crash dir = {folder}/run
keyring = {folder}/keyring
osd objectstore = memstore
memstore device bytes = 1073741824
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon data avail warn = 1
mon data avail crit = 1
mon max pg per osd = 1000
mon warn on pool no redundancy = false
rgw frontends = beast endpoint=127.0.0.1:{gateway}
rgw data = {folder}/run
rgw dns name = localhost
"""
    )

    def run(*command: str) -> str:
        done = subprocess.run(
            [command[0], "-c", str(conf), *command[1:]],
            capture_output=True,
            text=True,
            timeout=_START_S,
        )
        assert done.returncode == 0, (command, done.stderr[-2000:])
        return done.stdout

    (folder / "keyring").touch()
    monmap = ("--create", "--clobber", "--fsid", fsid, "--addv", "a", f"[v1:127.0.0.1:{monitor}]")
    run("monmaptool", *monmap, str(folder / "monmap"))
    mkfs = ("--monmap", str(folder / "monmap"), "--keyring", str(folder / "keyring"))
    run("ceph-mon", "--mkfs", "-i", "a", *mkfs)
    started: list[subprocess.Popen[bytes]] = []

    def start(*command: str) -> None:
        with (folder / "log" / f"{command[0]}.out").open("wb") as out:
            started.append(
                subprocess.Popen(
                    [command[0], "-c", str(conf), "-f", *command[1:]], stdout=out, stderr=out
                )
            )

    try:
        start("ceph-mon", "-i", "a")
        osd = str(uuid.uuid4())
        run("ceph", "osd", "new", osd)
        run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        # The monitor may not know yet whom it has just been told of, and sends it away.
        until = time.monotonic() + _START_S
        while '"num_up_osds":1' not in run("ceph", "osd", "stat", "--format", "json"):
            assert time.monotonic() < until, "the OSD does not come up"
            if len(started) == 1 or started[-1].poll() is not None:
                start("ceph-osd", "-i", "0")
            time.sleep(0.5)
        start("radosgw", "-n", "client.rgw")
        url = f"http://127.0.0.1:{gateway}"
        _answers(url)
        user = ("--uid", "outhaul", "--display-name", "Outhaul")
        run("radosgw-admin", "user", "create", *user, "--access-key", KEY, "--secret", SECRET)
        yield url
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


def _answers(url: str) -> None:
    until = time.monotonic() + _START_S
    while True:
        try:
            httpx.get(url)
        except httpx.TransportError:
            assert time.monotonic() < until, "radosgw does not answer"
            time.sleep(0.5)  # Another program's start, which tells nobody.
        else:
            return


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port
