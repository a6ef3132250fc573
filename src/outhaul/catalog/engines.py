"""Connections to the two databases that a catalog can live in, and what their errors mean."""

import sqlite3
from importlib.util import find_spec
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from outhaul.domain.errors import OuthaulError

# Somebody else writes, or the disk is full or fails.
_AWAY = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
}
# Classes of PostgreSQL's codes: connection, resources, operator's intervention, rolled back for
# another's sake; 55P03 is a lock that did not come in time, 25006 a standby that took over.
_PASSING = ("08", "53", "57", "40", "55P03", "25006")
_SQLITE_POOL = 20
"""Kept open: a connection that is opened for one request costs more than the request."""
_POOL = 5
_MORE_AT_MOST = 10
_CONNECTING = {
    "application_name": "outhaul",
    "connect_timeout": "5",
    # A database that vanished without a word is noticed after some 30 seconds.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "4",
    "tcp_user_timeout": "30000",
    "options": "-c lock_timeout=30s -c idle_in_transaction_session_timeout=60s",
}


def sqlite_engine(url: URL) -> Engine:
    """A file for the processes of one machine; questions carry the option `reading`. A `timeout`
    in the URL says how many seconds to wait for another's write, else 30."""
    waits = {} if "timeout" in url.query else {"timeout": 30}
    engine = create_engine(url, connect_args=waits, pool_size=_SQLITE_POOL)

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


def postgresql_engine(url: URL) -> Engine:
    """A server that many machines share, over at most 15 connections a process. What the URL says
    in its query goes before our own parameters. Raises OuthaulError without the driver."""
    if find_spec("psycopg") is None:
        raise OuthaulError(
            "a catalog on PostgreSQL needs a driver: pip install 'outhaul[postgres]'"
        )
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        # Asked before use, so that no caller meets a connection that a restart has broken.
        pool_pre_ping=True,
        pool_size=_POOL,
        max_overflow=_MORE_AT_MOST,
        pool_timeout=10,
        connect_args={name: value for name, value in _CONNECTING.items() if name not in url.query},
    )


def is_passing(error: SQLAlchemyError) -> bool:
    """Whether asking again later can be expected to succeed: the database is away or busy."""
    if isinstance(error, PoolExhausted):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        # The code's last byte tells the kind, those before it the occasion.
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _AWAY
    state = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or (
        state.startswith(_PASSING) if state else type(error).__name__ == "OperationalError"
    )
