"""Two servers and three workers that share PostgreSQL and files, and a caller who asks again."""

import hashlib
import io
import logging
import os
import random
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from outhaul.domain.account import Scope
from tests.acceptance.conftest import OUTHAUL, Caller, Server, run
from tests.chaos.rows import Sail, import_tables, write_mapping, write_tables
from tests.many_nodes import WorkerProcess, new_node
from tests.postgres import Postgres, new_postgres
from tests.s3 import Bucket, BucketServer

_WAITED_FOR = 0.2
END_S = 900.0
"""Within this everything that was asked for has to be done, however many die."""
_FEBRUARY = {"fromDate": "2026-02-01T00:00:00.000Z", "toDate": "2026-03-01T00:00:00.000Z"}
WANTED: dict[str, dict[str, Any]] = {
    "contacts": {"exportType": "contacts"},
    "activities": {"exportType": "activities", "filters": _FEBRUARY},
}


@dataclass
class Deployment:
    """Nodes that may be killed at any moment, in whatever they are doing."""

    postgres: Postgres
    servers: list[Server]
    workers: list[WorkerProcess]
    caller: Caller
    bucket: Bucket | None
    folder: Path
    refused: int = 0
    """Requests that were answered 503, or by nobody."""
    rendered_again: int = 0
    """Slices in finished files that were not the first to be claimed."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def nodes(self) -> list[Server | WorkerProcess]:
        """All of them."""
        return [*self.servers, *self.workers]

    def kill_one(self, chance: random.Random) -> None:
        """SIGKILL to one of all nodes, also to one that is just starting; it is started again, and
        mostly waited for."""
        victim = chance.choice(self.nodes)
        victim.kill()
        victim.spawn()
        if chance.random() < _WAITED_FOR:
            victim.ready()

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any server, as a client behind a load balancer asks: again after 503 and where nobody
        answers. Any other answer of the 500s is wrong, whatever happens."""
        end = time.monotonic() + END_S
        while True:
            caller = replace(self.caller, server=random.choice(self.servers))
            try:
                answer = caller.request(method, path, **options)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code < 500:
                return answer
            with self._lock:
                self.refused += 1
            assert time.monotonic() < end, "nobody has answered for too long"
            if answer is not None:
                told = (answer.status_code, answer.headers.get("retry-after"))
                assert told[0] == 503, (method, path, told, answer.text)
                assert told[1] is not None, (method, path)
            time.sleep(0.1)

    def create(self, kind: str, chance: random.Random) -> str:
        """The id of a new export; asked for again and again it is still one."""
        wanted = {"delimiter": ",", "dateFormat": "ISO"} | WANTED[kind]
        named = {"Idempotency-Key": f"{chance.getrandbits(64):x}"}
        answer = self.ask("POST", "/exports/", json=wanted, headers=named)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def finished(self, id_: str) -> list[bytes]:
        """The texts in the export's archive, once it is finished and proven by its manifest."""
        end = time.monotonic() + END_S
        while (export := self.ask("GET", f"/exports/{id_}").json())["status"] != "finished":
            assert export["status"] != "error", export
            assert time.monotonic() < end, export
            time.sleep(0.1)
        manifest = self.ask("GET", f"/exports/{id_}/manifest").json()
        archive = self._archive(id_)
        assert hashlib.sha256(archive).hexdigest() == manifest["archive"]["sha256"]
        members = manifest["members"]
        rows = sum(member["rows"] for member in members)
        assert rows == export["total"] == export["progress"]
        parts = [part for member in members for part in member["slices"]]
        with self._lock:
            self.rendered_again += sum(part["attempt"] > 1 for part in parts)
        return _texts(archive)

    def _archive(self, id_: str) -> bytes:
        """Asked for again, with a link of another server, when its server dies."""
        end = time.monotonic() + END_S
        while True:
            link = httpx.URL(self.ask("GET", f"/exports/{id_}").json()["fileUrl"])
            try:
                answer = httpx.get(link, timeout=30)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code == 200:
                return answer.content
            assert answer is None or answer.status_code == 503, answer
            assert time.monotonic() < end, "no server gives the file"
            time.sleep(0.1)

    def start_all(self) -> None:
        """Every node that is down or still starting is up when this returns."""
        for node in self.nodes:
            node.kill()
            node.start()

    def files_found(self) -> str:
        """What `outhaul doctor` says of the files."""
        one = self.servers[0]
        told = run("doctor", "--url", one.url, "--data", one.data, settings=one.settings)
        [line] = [line for line in told.stdout.splitlines() if " files: " in line]
        return line

    def left(self) -> list[str]:
        """What lies among the files and is no archive, with uploads that nobody has ended."""
        if self.bucket:
            keys = [*self.bucket.files(), *self.bucket.uploads()]
        else:
            every = (self.folder / "files" / "exports").rglob("*")
            keys = [str(path) for path in every if path.is_file()]
        return [key for key in keys if "exports/" in key and not key.endswith(".zip")]


@contextmanager
def deployed(*, files: str, rows: str, program: list[str] = OUTHAUL) -> Iterator[Deployment]:
    """`files` are `local` or in `s3`; `rows` in the `store` of one of the servers or in `sail`.
    Everything is done by the `program`, which may be another version's."""
    with ExitStack() as ending, new_postgres() as postgres:
        folder = Path(ending.enter_context(TemporaryDirectory()))
        settings = {"OUTHAUL_CATALOG": postgres.new_database(), "OUTHAUL_TAKEOVER_LIMIT": "1000"}
        bucket = _bucket(ending) if files == "s3" else None
        if bucket:
            settings["OUTHAUL_FILES"] = bucket.url
        tables = folder / "tables"
        write_tables(tables, "parquet" if rows == "sail" else "csv")
        if rows == "sail":
            sail = Sail(_free_port(), folder / "sail.log")
            ending.callback(sail.stop)
            settings |= {
                "OUTHAUL_WAREHOUSE": sail.url,
                "OUTHAUL_WAREHOUSE_FILE": str(folder / "warehouse.toml"),
            }
        servers = [new_node(folder, name, **settings) for name in ("one", "two")]
        for server in servers:
            server.program = program
        caller = _caller(servers[0])
        if rows == "sail":
            reached = f"s3a://{bucket.name}/outhaul" if bucket else f"file://{folder}/files"
            write_mapping(folder / "warehouse.toml", caller.account, tables=tables, files=reached)
        for server in servers:
            server.port = _free_port()
            server.start()
            ending.callback(_end, server)
        workers = [WorkerProcess(servers[0], folder / f"worker-{n}.log", program) for n in range(3)]
        for worker in workers:
            worker.start()
            ending.callback(_end, worker)
        if rows == "store":
            import_tables(caller, tables)
        yield Deployment(postgres, servers, workers, caller, bucket, folder)


def _caller(server: Server) -> Caller:
    """As `new_caller`, by the command of the server's own version."""

    def told(*arguments: str) -> str:
        at = ("--data", server.data)
        made = run(*arguments, *at, program=server.program, settings=server.settings)
        return made.stdout.strip()

    account = told("accounts", "create", "A shop")
    scopes = [part for scope in Scope for part in ("--scope", scope.value)]
    return Caller(server, account, told("keys", "create", account, *scopes))


def _bucket(ending: ExitStack) -> Bucket:
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)  # It tells of every request.
    server = BucketServer()
    ending.callback(server.stop)
    made = Bucket(endpoint=server.endpoint)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= made.environment
    made.client.create_bucket(
        Bucket=made.name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    return made


def _texts(archive: bytes) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return [opened.read(name) for name in opened.namelist()]


def _end(node: Server | WorkerProcess) -> None:
    if not isinstance(node, Server) or node.running:
        node.kill()


def _free_port() -> int:
    """Below those that the system gives to others meanwhile: a server comes back to its port."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            return port
