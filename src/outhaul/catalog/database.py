"""The catalog's database: connections, transactions, locks, the clock and migrations."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    PoolProxiedConnection,
    Table,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from outhaul.catalog.engines import is_passing, postgresql_engine, sqlite_engine
from outhaul.catalog.layout import Layout, bring_forward
from outhaul.domain.errors import CatalogUnavailable


class Database:
    """Hands out transactions. The same moves run on SQLite and on PostgreSQL: where SQLite lets
    one transaction write at a time, PostgreSQL needs the locks that `hold` takes.

    Every method raises CatalogUnavailable while the database is away or too busy.
    """

    def __init__(self, url: str) -> None:
        """`url` is SQLAlchemy's: `sqlite:////var/lib/outhaul/catalog.db`, or
        `postgresql://user:secret@host/database`."""
        parsed = make_url(url)
        self.shared = parsed.get_backend_name() != "sqlite"
        """Whether several machines may use it."""
        self.engine = postgresql_engine(parsed) if self.shared else sqlite_engine(parsed)
        self._watching = threading.Lock()
        self._watch: PoolProxiedConnection | None = None
        self._reading: dict[str, Any] = {"reading": True}
        if self.shared:
            self._reading = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view for questions; never waits for a writer."""
        with _translated(), self.engine.connect().execution_options(**self._reading) as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction that may write; undone when the block raises. Each statement sees what
        others have committed before it; rows that must not change meanwhile have to be held, an
        account's before its exports', an export's before its slices'."""
        with _translated(), self.engine.begin() as connection:
            yield connection

    def state(self) -> int | None:
        """A number that differs once anybody has changed something; None where that cannot be
        told without asking another machine. Quick enough to be asked at every request."""
        if self.shared:
            return None
        with self._watching:
            try:
                if self._watch is None:
                    self._watch = self.engine.raw_connection()
                # Told of changes by every other connection, and this one makes none.
                return int(self._watch.cursor().execute("PRAGMA data_version").fetchone()[0])
            except (sqlite3.Error, SQLAlchemyError):
                # Whoever asks next for something that is kept there meets the fault itself.
                return None

    def migrate(self) -> Layout:
        """Bring the tables to this program's newest layout; safe when already there, and when
        other processes do the same: one migrates, the others wait for it. Gives what was there
        before. Raises CatalogTooNew and CatalogInUse."""
        with self.transaction() as connection:
            if self.shared:
                connection.execute(text("SET LOCAL lock_timeout = 0"))
            one_at_a_time(connection, "migrate")
            return bring_forward(connection, now=now_ms())

    def check(self) -> None:
        """Raise when the database does not answer."""
        with self.reading() as connection:
            connection.exec_driver_sql("SELECT 1 FROM accounts LIMIT 1").all()

    def close(self) -> None:
        if self._watch is not None:
            self._watch.close()
        self.engine.dispose()


def hold(connection: Connection, table: Table, *where: ColumnElement[bool]) -> None:
    """Keep these rows of `table` as they are until the transaction ends: others that want to hold
    or change them wait. Several are taken in the order of their keys, so that nobody waits in a
    circle. On SQLite the transaction itself keeps all others out."""
    if connection.dialect.name != "sqlite":
        rows = select(literal(1)).select_from(table).where(*where).order_by(*table.primary_key)
        connection.execute(rows.with_for_update(key_share=True)).all()


def hold_if_free(connection: Connection, table: Table, *where: ColumnElement[bool]) -> bool:
    """Hold a row, unless there is none or somebody else has it; does not wait."""
    row = select(literal(1)).select_from(table).where(*where)
    return bool(connection.execute(row.with_for_update(key_share=True, skip_locked=True)).all())


def one_at_a_time(connection: Connection, what: str) -> None:
    """Until this transaction ends, no other does `what`; for what has no row to hold."""
    if connection.dialect.name != "sqlite":
        number = func.hashtextextended(f"outhaul {what}", 0)
        connection.execute(select(func.pg_advisory_xact_lock(number))).all()


class _Now(FunctionElement[int]):
    """Milliseconds since 1970, by the database's clock, the same throughout a statement."""

    name = "now_ms"

    type = BigInteger()
    inherit_cache = True


@compiles(_Now, "sqlite")
def _sqlite_now(*_: object, **__: object) -> str:
    # 2440587.5 is 1970 in days of the Julian calendar.
    return "CAST(round((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER)"


@compiles(_Now, "postgresql")
def _postgresql_now(*_: object, **__: object) -> str:
    return "CAST(extract(epoch FROM statement_timestamp()) * 1000 AS BIGINT)"


def now_ms() -> ColumnElement[int]:
    """The present in milliseconds, as the catalog keeps time: to be used within a statement, so
    that machines with clocks that differ agree on what has run out."""
    return _Now()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        if is_passing(error):
            raise CatalogUnavailable from error
        raise
