"""Erasing a contact: every row of it goes, in every version; a tombstone keeps its id alone."""

from datetime import UTC
from typing import Any

import duckdb

from outhaul.domain.footprint import ActivityTrace, Footprint, MembershipTrace
from outhaul.store.commits import Commit
from outhaul.store.engine import Engine
from outhaul.store.families import FAMILIES

_BY_CONTACT = (
    ("contacts", "id"),
    *((family.table, '"contactId"') for family in FAMILIES),
    ("product_lines", '"contactId"'),
    ("segment_members", "contact_id"),
    ("identity_changes", "contact_id"),
    ("restored_totals", "contact_id"),
)
"""Every table that says something of a contact, with the column that names it."""


def erase(commit: Commit, contact_id: str) -> None:
    """Delete all rows of the contact and leave a tombstone; doing it twice changes nothing more.

    A contact that came back under its old id leaves another tombstone.
    """
    run = commit.connection.execute
    gone = sum(
        run(f"DELETE FROM {table} WHERE {column} = ?", [contact_id]).fetchall()[0][0]
        for table, column in _BY_CONTACT
    )
    run(
        "INSERT INTO tombstones (contact_id, commit, erased_at) SELECT $id, $number, $at"
        " WHERE $gone > 0 OR NOT EXISTS (FROM tombstones WHERE contact_id = $id)",
        {
            "id": contact_id,
            "number": commit.number,
            "at": commit.at.replace(tzinfo=None),
            "gone": gone,
        },
    )


class Footprints:
    """Finds what an account's store knows of a contact."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, account_id: str, contact_id: str) -> Footprint | None:
        """None when the store has no such contact."""
        with self._engine.session(account_id) as connection:
            connection.begin()
            first = _rows(
                connection, "SELECT min(commit_from) FROM contacts WHERE id = ?", [contact_id]
            )[0][0]
            if first is None:
                return None
            newest = _rows(connection, "SELECT max(number) FROM commits")[0][0]
            floor = _rows(connection, "SELECT coalesce(max(floor), 0) FROM history")[0][0]
            activities = _rows(
                connection,
                'SELECT type, "createdAt", commit FROM activities WHERE "contactId" = ?',
                [contact_id],
            )
            memberships = _rows(
                connection,
                "SELECT segment_id, commit_from, commit_to FROM segment_members"
                " WHERE contact_id = ?"
                " UNION ALL SELECT segment_id, commit_from, commit_to FROM segment_rules",
                [contact_id],
            )
        return Footprint(
            contact_id=contact_id,
            snapshot=newest,
            floor=floor,
            first_commit=first,
            activities=tuple(
                ActivityTrace(type=type_, created_at=at.replace(tzinfo=UTC), commit=commit)
                for type_, at, commit in activities
            ),
            memberships=tuple(
                MembershipTrace(segment_id=segment, commit_from=start, commit_to=end)
                for segment, start, end in memberships
            ),
        )


def _rows(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[Any] | None = None
) -> list[tuple[Any, ...]]:
    return connection.execute(sql, parameters).fetchall()
