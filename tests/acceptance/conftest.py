"""A real server process on its own data, and clients that only speak HTTP and the CLI."""

import csv
import io
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from outhaul.catalog.database import Database
from outhaul.catalog.exports import Exports
from outhaul.cli.checks import examine
from outhaul.cli.options import settings
from outhaul.domain.export import DateFormat, Delimiter, ExportRequest, ExportType, Origin
from outhaul.registry import Registry
from tests.api_server import new_account
from tests.empty_catalog import new_data

OUTHAUL = [sys.executable, "-m", "outhaul"]
START_S = 30


def run(
    *arguments: str | Path,
    check: bool = True,
    program: list[str] = OUTHAUL,
    settings: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """The `outhaul` command, to its end."""
    result = subprocess.run(
        [*program, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | (settings or {}),
    )
    if check:
        assert result.returncode == 0, result.stderr
    return result


@dataclass
class Server:
    """`outhaul serve` on a free port; can be killed and started again on the same data."""

    data: Path
    settings: dict[str, str] = field(default_factory=dict)
    url: str = ""
    port: int = 0
    program: list[str] = field(default_factory=lambda: OUTHAUL)
    _process: subprocess.Popen[str] | None = None

    def start(self) -> "Server":
        """Start, and wait until it answers."""
        self.spawn()
        return self.ready()

    def spawn(self) -> None:
        """Start, and wait for nothing."""
        environment = os.environ | {"OUTHAUL_RATE_LIMIT": "100000"} | self.settings
        log = (self.data.parent / "server.log").open("a")
        self._process = subprocess.Popen(
            [*self.program, "serve", "--port", str(self.port), "--data", str(self.data)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
        )
        log.close()

    def ready(self) -> "Server":
        """Wait until the process that was started answers."""
        assert self._process is not None
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], START_S)
        assert ready, "the server did not start in time"
        line = self._process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, (line, (self.data.parent / "server.log").read_text()[-2000:])
        self.url = found[0]
        return self

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL: no chance to tidy up."""
        self.stop(signal.SIGKILL)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the signal and wait; the exit status."""
        self.send(number)
        return self.ended()

    def send(self, number: int) -> None:
        """Only send the signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def ended(self) -> int:
        """Wait until the process ends by itself; the exit status."""
        assert self._process is not None
        status = self._process.wait(timeout=30)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None
        return status

    @property
    def running(self) -> bool:
        return self._process is not None


@dataclass
class Caller:
    """A program with an API key."""

    server: Server
    account: str
    key: str

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"apiKey {self.key}"} | options.pop("headers", {})
        return httpx.request(method, self.server.url + path, headers=headers, timeout=30, **options)

    def create(self, **body: Any) -> dict[str, Any]:
        wanted = {"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"} | body
        answer = self.request("POST", "/exports/", json=wanted)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def get(self, export_id: str) -> dict[str, Any]:
        answer = self.request("GET", f"/exports/{export_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def wait(self, export_id: str, *, seconds: float = 60) -> dict[str, Any]:
        """The export once it has ended."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            export = self.get(export_id)
            if export["status"] in {"finished", "error"}:
                return export
            time.sleep(0.05)  # The poll of a client; the server is another process.
        raise AssertionError(f"still {export['status']} at {export['progress']}")

    def finished(self, **body: Any) -> dict[str, Any]:
        export = self.wait(self.create(**body)["id"])
        assert export["status"] == "finished", export
        return export

    def download(self, export: dict[str, Any]) -> bytes:
        answer = httpx.get(export["fileUrl"], timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.content

    def members(self, export: dict[str, Any]) -> dict[str, bytes]:
        """The archive's files by name."""
        with zipfile.ZipFile(io.BytesIO(self.download(export))) as archive:
            assert archive.testzip() is None
            return {name: archive.read(name) for name in archive.namelist()}

    def rows(self, export: dict[str, Any], *, delimiter: str = ",") -> list[dict[str, str]]:
        """The first file's rows, as the standard library reads them."""
        first = next(iter(self.members(export).values())).decode()
        return list(csv.DictReader(io.StringIO(first, newline=""), delimiter=delimiter))


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers on this test's data directory, which has nothing but the catalog's tables;
    settings are OUTHAUL_ variables."""
    started: list[Server] = []

    def start(**settings: str) -> Server:
        new_data(tmp_path / "data")
        started.append(Server(tmp_path / "data", settings).start())
        return started[-1]

    yield start
    for one in started:
        if one.running:
            one.stop(signal.SIGKILL)


@pytest.fixture
def server(start_server: Callable[..., Server]) -> Server:
    """A running server without any data."""
    return start_server()


def new_caller(server: Server, name: str = "A shop", *, timezone: str = "UTC") -> Caller:
    """An account with a key that may do everything, made without processes of their own: tests of
    the command line make theirs with commands."""
    registry = Registry(
        settings(data=server.data, catalog=server.settings.get("OUTHAUL_CATALOG") or None)
    )
    account, key = new_account(registry, name, timezone=timezone)
    registry.close()
    return Caller(server, account, key)


@pytest.fixture
def caller(server: Server) -> Caller:
    return new_caller(server, timezone="Europe/Madrid")


def import_file(caller: Caller, kind: str, file: Path) -> None:
    """With the command, beside the server; every row is taken."""
    data = caller.server.data
    done = run("import", kind, file, "--account", caller.account, "--data", data)
    assert done.stdout.endswith("rows taken, 0 rows refused\n"), done.stdout


@dataclass(frozen=True, kw_only=True)
class StoppedShop:
    """The data of a server that was stopped, to be copied, with an account and its key."""

    data: Path
    account: str
    key: str

    @classmethod
    def make(cls, folder: Path, fill: Callable[[Caller], object], **chosen: str) -> "StoppedShop":
        """A shop on a server of its own, filled and stopped."""
        new_data(folder / "data")
        server = Server(folder / "data", chosen).start()
        try:
            caller = new_caller(server)
            fill(caller)
            assert server.stop() == 0
        finally:
            if server.running:
                server.kill()
        return cls(data=server.data, account=caller.account, key=caller.key)

    def copy(self, folder: Path, **chosen: str) -> Caller:
        """A caller of a server, not yet started, on a copy of the data."""
        shutil.copytree(self.data, folder / "data")
        return Caller(Server(folder / "data", chosen), self.account, self.key)


Copied = Callable[..., Caller]
"""Takes a shop, the name of a new folder and OUTHAUL_ variables."""


def queue_export(data: Path) -> str:
    """The id of an export that waits on this data for a server to start."""
    database = Database(f"sqlite:///{data / 'catalog.db'}")
    with database.reading() as connection:
        account: str = connection.exec_driver_sql("SELECT id FROM accounts").scalar_one()
    request = ExportRequest(
        export_type=ExportType.CONTACTS, delimiter=Delimiter.COMMA, date_format=DateFormat.ISO
    )
    export = Exports(database).create(account, request, origin=Origin.API, queue_limit=5)
    database.close()
    return export.id


def check_stored(caller: Caller, archives: int) -> None:
    """Assert that the server keeps so many archives, each whole, and nothing else."""
    findings = examine(settings(data=caller.server.data), None)
    files = next(one for one in findings if one.part == "files")
    assert files.text == f"{archives:,} archives, all in full length"


@pytest.fixture
def copied(tmp_path: Path) -> Iterator[Copied]:
    """Makes callers of servers, not yet started, on copies of a shop; killed at the end."""
    made: list[Caller] = []

    def copy(shop: StoppedShop, name: str = "copy", **chosen: str) -> Caller:
        made.append(shop.copy(tmp_path / name, **chosen))
        return made[-1]

    yield copy
    for caller in made:
        if caller.server.running:
            caller.server.kill()
