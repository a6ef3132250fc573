"""Activities that come one by one, written within a commit and read back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from outhaul.store.commits import Commit
from outhaul.store.engine import Engine
from outhaul.store.families import FAMILIES

Values = Mapping[str, Any]
"""By column of the store, as the store keeps them: text as its finished cell."""


@dataclass(frozen=True, kw_only=True)
class SingleActivity:
    """An activity of a contact that the store has."""

    id: str
    type: str
    created_at: datetime
    """Naive, UTC."""
    contact_id: str
    email: str | None
    values: Values
    lines: Sequence[Values] = ()
    """Product lines, in their order."""


def add_activity(commit: Commit, activity: SingleActivity) -> None:
    """Write the activity and its product lines."""
    table = next(family.table for family in FAMILIES if activity.type in family.types)
    own = {
        "commit": commit.number,
        "type": activity.type,
        "createdAt": activity.created_at,
        "contactId": activity.contact_id,
        "email": activity.email,
    }
    _insert(commit.connection, table, {"id": activity.id} | own | dict(activity.values))
    for position, line in enumerate(activity.lines):
        named = {"activityId": activity.id, "position": position}
        _insert(commit.connection, "product_lines", named | own | dict(line))


def purchase_known(commit: Commit, purchase_id: str) -> bool:
    """Whether a purchase has this `purchaseId` (as its cell)."""
    return bool(_purchase_rows(commit.connection, "purchaseId", purchase_id))


def retract_purchase(commit: Commit, column: str, value: str) -> bool:
    """Take back the purchase whose `id` or `purchaseId` (as its cell) this is, with its lines;
    earlier snapshots still have it. False when there is none."""
    found = _purchase_rows(commit.connection, column, value)
    if not found:
        return False
    for table, key in (("activities_purchase", "id"), ("product_lines", '"activityId"')):
        commit.connection.execute(
            f"UPDATE {table} SET retracted = ? WHERE {key} = ? AND type = 'purchase'"
            " AND retracted IS NULL",
            [commit.number, found[0]["id"]],
        )
    return True


class PurchaseReads:
    """Looks up single purchases."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(
        self, account_id: str, column: str, value: str
    ) -> tuple[Values, Sequence[Values]] | None:
        """The purchase whose `id` or `purchaseId` (as its cell) this is, and its lines."""
        with self._engine.session(account_id) as connection:
            connection.begin()
            found = _purchase_rows(connection, column, value)
            if not found:
                return None
            lines = _rows(
                connection,
                "SELECT * FROM product_lines WHERE \"activityId\" = ? AND type = 'purchase'"
                " AND retracted IS NULL ORDER BY position",
                found[0]["id"],
            )
        return found[0], lines


def _purchase_rows(
    connection: duckdb.DuckDBPyConnection, column: str, value: str
) -> list[dict[str, Any]]:
    return _rows(
        connection,
        "SELECT * FROM activities_purchase WHERE type = 'purchase' AND retracted IS NULL"
        f' AND "{column}" = ?'
        ' ORDER BY "createdAt", id LIMIT 1',
        value,
    )


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, value: str) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, [value])
    names = [described[0] for described in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _insert(connection: duckdb.DuckDBPyConnection, table: str, values: Values) -> None:
    given = {column: value for column, value in values.items() if value is not None}
    names = ", ".join(f'"{column}"' for column in given)
    marks = ", ".join("?" * len(given))
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(given.values()))
