"""Servers and workers on one PostgreSQL catalog, as real processes, and what they are asked."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx

from tests.acceptance.conftest import OUTHAUL, Caller, Server

LEASE_S = 2.0


def new_node(folder: Path, name: str, **chosen: str) -> Server:
    """A server on a data directory of its own, not yet started; files are shared in `folder`."""
    (folder / name).mkdir(exist_ok=True)
    shared = {
        "OUTHAUL_FILES": str(folder / "files"),
        "OUTHAUL_LEASE_SECONDS": str(LEASE_S),
        "OUTHAUL_SLICE_ROWS": "1000",
        "OUTHAUL_UNLOAD_ROWS": "2000",
    }
    return Server(folder / name / "data", shared | chosen)


def upsert(caller: Caller, email: str) -> httpx.Response:
    return caller.request("PATCH", f"/contacts/{email}", json={"_name": "Ana"})


def import_contacts(caller: Caller, count: int) -> None:
    """As a file over HTTP, to its end."""
    rows = (f"{n}@example.com,{'Ana Núñez ' * 20}{n}\n" for n in range(count))
    file = ("contacts.csv", "_email,_name\n" + "".join(rows), "text/csv")
    made = caller.request("POST", "/imports/", data={"type": "contacts"}, files={"file": file})
    assert made.status_code == 201, made.text
    while (now := caller.request("GET", f"/imports/{made.json()['id']}").json())["status"] in {
        "queued",
        "inProgress",
    }:
        time.sleep(0.05)  # The poll of a client; the server is another process.
    assert (now["status"], now["success"]) == ("finished", count)


@dataclass
class WorkerProcess:
    """`outhaul worker` beside a server; alive within a `with` block, unless it is killed."""

    server: Server
    log: Path
    program: list[str] = field(default_factory=lambda: OUTHAUL)
    _process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        """Start, and wait until it works."""
        self.spawn()
        self.ready()

    def ready(self) -> None:
        """Wait until the process that was started works."""
        assert self._process is not None
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "Outhaul works\n", self.log.read_text()[-2000:]

    def spawn(self) -> None:
        """Start, and wait for nothing."""
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                [*self.program, "worker"],
                env=os.environ | self.server.settings | {"OUTHAUL_LOG_LEVEL": "DEBUG"},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """SIGKILL: no chance to tidy up."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Let it end its work; the exit status."""
        return self._end(signal.SIGTERM)

    def _end(self, number: int) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(number)
        status = self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None
        return status
