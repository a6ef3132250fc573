"""Commits: the only way to change an account's data.

The number is counted up and the change is committed under one writer lock per account, so
commit N+1 is never visible before commit N.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from outhaul.domain import instants
from outhaul.domain.contact_fields import ContactFieldDefinition
from outhaul.domain.errors import Conflict
from outhaul.store.engine import Engine


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The newest commit at some moment: its number (0 before the first) and its instant."""

    number: int
    at: datetime | None


@dataclass
class Notes:
    """What a commit has learnt and the next one need not ask; lost when a commit is undone."""

    newest: Snapshot | None = None
    fields: tuple[ContactFieldDefinition, ...] | None = None
    """The account's own fields; whoever changes them strikes them out."""
    is_crowded: bool = False
    """Whether contacts that were looked up had many closed versions."""


@dataclass(frozen=True, kw_only=True)
class Commit:
    """An open commit: write through `connection`, marking rows with `number`."""

    number: int
    at: datetime
    connection: duckdb.DuckDBPyConnection
    notes: Notes


class Commits:
    """Opens commits and tells the newest one."""

    def __init__(
        self, engine: Engine, *, elsewhere: Callable[[str], bool] = lambda _: False
    ) -> None:
        """Accounts whose data lies `elsewhere`, by their id, take no commits."""
        self._engine = engine
        self._elsewhere = elsewhere
        self._writers: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._written: set[str] = set()

    @contextmanager
    def open(self, account_id: str, *, source: str, brief: bool = False) -> Iterator[Commit]:
        """One transaction with the next number. Leaving the block normally makes it durable;
        an exception undoes all of it. `source` tells what made the commit (such as an import id);
        a `brief` one is as Engine's brief sessions.

        Raises Conflict for an account whose data is not here.
        """
        if self._elsewhere(account_id):
            raise Conflict("The data of this account is in a warehouse; change it there.")
        with (
            self._writers[account_id],
            self._engine.session(account_id, brief=brief) as connection,
        ):
            # Taken out until this commit is there; one that fails leaves nothing to rely on.
            left = self._engine.take_notes(account_id)
            notes = left if isinstance(left, Notes) else Notes()
            connection.begin()
            try:
                before = notes.newest or newest(connection)
                # Instants never run backwards, even when the machine's clock does.
                at = max(instants.now(), before.at or datetime.min.replace(tzinfo=UTC))
                number = before.number + 1
                connection.execute(
                    "INSERT INTO commits VALUES (?, ?, ?)",
                    [number, at.replace(tzinfo=None), source],
                )
                yield Commit(number=number, at=at, connection=connection, notes=notes)
            except BaseException:
                connection.rollback()
                raise
            try:
                connection.commit()
            except BaseException:
                # One that found no memory may leave an index with rows that are not there, and the
                # next commit would then stop the whole engine.
                self._engine.spoil(account_id)
                raise
            notes.newest = Snapshot(number=number, at=at)
            self._engine.leave_notes(account_id, notes)
            self._written.add(account_id)

    def take_written(self) -> set[str]:
        """Ids of the accounts with commits since this was last asked."""
        written: set[str] = set()
        while self._written:
            written.add(self._written.pop())
        return written

    def snapshot(self, account_id: str) -> Snapshot:
        """The newest commit of the account."""
        with self._engine.session(account_id) as connection:
            return newest(connection)


def newest(connection: duckdb.DuckDBPyConnection) -> Snapshot:
    """The newest commit of the account whose session this is."""
    # Instants never run backwards, so the newest commit has the greatest of both.
    [(number, at)] = connection.execute("SELECT max(number), max(instant) FROM commits").fetchall()
    if number is None:
        return Snapshot(number=0, at=None)
    return Snapshot(number=number, at=at.replace(tzinfo=UTC))
