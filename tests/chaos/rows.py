"""The shop of the chaos: rows made by DuckDB, kept by a server or by Sail, which stands by itself.

Contacts carry text that no compressor makes much smaller, so that their archive is an upload of
several parts.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import httpx

from tests.acceptance.conftest import Caller, run

ROWS = 4_000
_HEX = "array_to_string([md5(i || 'part' || n) FOR n IN range(300)], '')"
_CONTACTS = f"""SELECT 'c' || i AS id, i || '@shop.example' AS _email, {_HEX} AS _name,
    TIMESTAMP '2026-01-01' + INTERVAL (i) SECOND AS _createdAt FROM range({ROWS}) AS r(i)"""
_EVENTS = f"""SELECT 'a' || i AS id, CASE WHEN i % 3 = 0 THEN 'login' ELSE 'search' END AS type,
    TIMESTAMP '2026-02-01' + INTERVAL (i) SECOND AS createdAt, 'c' || (i % {ROWS}) AS contactId,
    (i % {ROWS}) || '@shop.example' AS email,
    CASE WHEN i % 3 = 0 THEN NULL ELSE 'shoes ' || (i % 97) END AS searchText
    FROM range({ROWS}) AS r(i)"""
_MAPPING = """
account = "{account}"
folder = "{folder}"
[contacts]
path = "{tables}/contacts.parquet"
columns = {{ id = "id", _email = "_email", _name = "_name", _createdAt = "_createdAt" }}
[activities]
path = "{tables}/activities.parquet"
columns = {{ id = "id", type = "type", createdAt = "createdAt", contactId = "contactId", \
searchText = "searchText" }}
"""
_START_S = 60


def write_tables(folder: Path, ending: str) -> None:
    """The rows as contacts and activities with that file ending: parquet or csv."""
    folder.mkdir(exist_ok=True)
    leave_out = "EXCLUDE (id, _createdAt)", "EXCLUDE (contactId)"
    for name, query, left in zip(
        ("contacts", "activities"), (_CONTACTS, _EVENTS), leave_out, strict=True
    ):
        columns = f"* {left}" if ending == "csv" else "*"
        duckdb.execute(
            f"COPY (SELECT {columns} FROM ({query}))"
            f" TO '{folder}/{name}.{ending}' (FORMAT {ending})"
        )


def import_tables(caller: Caller, folder: Path) -> None:
    """Into the store of whichever server comes to keep the account, to their end."""
    server = caller.server
    for name in ("contacts", "activities"):
        at = ["--account", caller.account, "--data", str(server.data)]
        run(
            "import",
            name,
            folder / f"{name}.csv",
            *at,
            program=server.program,
            settings=server.settings,
        )


def write_mapping(path: Path, account: str, *, tables: Path, files: str) -> None:
    """A warehouse.toml of the tables; `files` is where the engine reaches Outhaul's files."""
    path.write_text(_MAPPING.format(account=account, folder=files, tables=tables))


class Sail:
    """A Spark Connect server in a process of its own, which nobody kills before the end."""

    def __init__(self, port: int, log: Path) -> None:
        self.url = f"sc://127.0.0.1:{port}"
        program = [str(Path(sys.executable).with_name("sail")), "spark", "server"]
        with log.open("w") as written:
            self._process = subprocess.Popen(
                [*program, "--ip", "127.0.0.1", "--port", str(port)],
                stdout=written,
                stderr=written,
                env=os.environ
                | {
                    "SAIL_MODE": "local-cluster",
                    "RUST_LOG": "error",
                    # It knows the variable by an older name.
                    "AWS_ENDPOINT": os.environ.get("AWS_ENDPOINT_URL", ""),
                },
            )
        end = time.monotonic() + _START_S
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}")
            except httpx.ConnectError:
                assert time.monotonic() < end, log.read_text()
                time.sleep(0.1)  # Another process starts.
            except httpx.HTTPError:
                return  # It speaks another protocol, but it speaks.
            else:
                return

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)
