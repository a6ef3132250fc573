"""The catalog's database: connections, transactions and migrations."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import Engine, make_url


class Database:
    """Hands out transactions. Today's moves run on SQLite."""

    def __init__(self, url: str) -> None:
        """`url` is SQLAlchemy's, such as `sqlite:////var/lib/outhaul/catalog.db`."""
        self.engine = _sqlite(url)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view for questions; never waits for a writer."""
        with self.engine.connect().execution_options(reading=True) as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction that may write; undone when the block raises."""
        with self.engine.begin() as connection:
            yield connection

    def migrate(self) -> None:
        """Bring the tables to this program's newest layout; safe when already there."""
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self.engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def check(self) -> None:
        """Raise when the database does not answer."""
        with self.reading() as connection:
            connection.exec_driver_sql("SELECT 1 FROM accounts LIMIT 1").all()

    def close(self) -> None:
        self.engine.dispose()


def now_ms() -> int:
    """The present in milliseconds, as the catalog keeps time."""
    return time.time_ns() // 1_000_000


def _sqlite(url: str) -> Engine:
    engine = create_engine(make_url(url), connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        # The driver's own habit of opening transactions would get in the way of ours.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        # FULL: what was answered with success survives a power loss, not only a killed process.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that reads first and writes later would fail as busy where another has
        # written in between; taking the write lock at once makes it wait instead.
        reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine
