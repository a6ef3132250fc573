"""Compaction: row versions that no snapshot from some commit on can show are removed."""

from collections.abc import Callable

import duckdb

from outhaul.store.commits import Commit, Commits
from outhaul.store.engine import Engine
from outhaul.store.families import RETRACTABLE

_VERSIONED = ("contacts", "segments", "segment_members")
"""Tables of row versions. Not contact_fields: the ordinal of an ended field must stay taken."""


class Compactor:
    """Compacts accounts' stores; methods may be called from any thread."""

    def __init__(self, engine: Engine, commits: Commits, *, least: int = 10_000) -> None:
        """Nothing is done for fewer than `least` versions, nor for less than a quarter of all,
        unless most are of one contact: the work has to pay."""
        self._engine = engine
        self._commits = commits
        self._least = least

    def compact(self, account_id: str, oldest_live: Callable[[int], int | None]) -> int:
        """Remove what no snapshot from `oldest_live(newest commit)` on shows, in one commit, and
        give the file its room back; returns the versions removed.

        `oldest_live` is asked under the account's writer lock; at None nothing is removed.
        """
        if not self._is_due(account_id):
            return 0
        try:
            with self._commits.open(account_id, source="compaction") as commit:
                floor = oldest_live(commit.number - 1)
                if floor is None or not self._pays(commit.connection, floor):
                    raise _NothingToDo
                removed = _remove(commit, floor)
        except _NothingToDo:
            return 0
        self._checkpoint(account_id)
        return removed

    def _is_due(self, account_id: str) -> bool:
        """Whether it would pay if no export was running; asked without a lock."""
        newest = self._commits.snapshot(account_id).number
        with self._engine.session(account_id) as connection:
            return self._pays(connection, newest)

    def _pays(self, connection: duckdb.DuckDBPyConnection, floor: int) -> bool:
        gone = kept = 0
        for table in _VERSIONED:
            versions, dead = connection.execute(
                f"SELECT count(*), count(*) FILTER (WHERE commit_to <= $floor) FROM {table}",
                {"floor": floor},
            ).fetchall()[0]
            gone, kept = gone + dead, kept + versions - dead
        return gone >= self._least and (3 * gone >= kept or self._is_crowded(connection, floor))

    def _is_crowded(self, connection: duckdb.DuckDBPyConnection, floor: int) -> bool:
        """Whether one contact has had so many versions that every look at it takes long."""
        [(most,)] = connection.execute(
            "SELECT coalesce(max(versions), 0) FROM (SELECT count(*) AS versions FROM contacts"
            " WHERE commit_to <= $floor GROUP BY id)",
            {"floor": floor},
        ).fetchall()
        return bool(2 * most >= self._least)

    def _checkpoint(self, account_id: str) -> None:
        with self._engine.session(account_id) as connection:
            try:
                connection.execute("CHECKPOINT")
            except duckdb.TransactionException:
                # Somebody writes or reads just now; the engine's own next checkpoint does it.
                return


class _NothingToDo(Exception):
    """Not a fault: it undoes the commit just opened."""


def _remove(commit: Commit, floor: int) -> int:
    run = commit.connection.execute
    removed = 0
    for table in _VERSIONED:
        gone = run(f"DELETE FROM {table} WHERE commit_to <= ?", [floor]).fetchall()
        removed += int(gone[0][0])
    for table in RETRACTABLE:
        gone = run(f"DELETE FROM {table} WHERE retracted <= ?", [floor]).fetchall()
        removed += int(gone[0][0])
    # Of the changes of an email, snapshots read the newest that they can see.
    run(
        "DELETE FROM identity_changes AS old WHERE commit < (SELECT max(newer.commit)"
        " FROM identity_changes AS newer"
        " WHERE newer.contact_id = old.contact_id AND newer.commit <= $floor)",
        {"floor": floor},
    )
    # The newest commit is never below the floor, so that numbers go on from it.
    run("DELETE FROM commits WHERE number < ?", [floor])
    run("DELETE FROM history")
    run("INSERT INTO history VALUES (?)", [floor])
    return removed
