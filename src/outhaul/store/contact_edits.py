"""A few contacts looked up, changed one after the other, and written back in one commit.

For many rows at once see `contacts`; this is for changes that come one by one, where every
statement counts. Lookups go through the indexes, versions are closed by their row numbers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from outhaul.domain.ids import new_id
from outhaul.store.commits import Commit, Notes
from outhaul.store.schema import OPEN

Contact = Mapping[str, Any]
"""The values of an open version by the store's columns."""

KEYS = ("_email", "_externalId")
_ROWS_PER_INSERT = 50
_VERSIONS_OF_ONE = 16
"""So many versions of one contact take as long to read whole as two questions do."""


class Taken(Exception):
    """The value of the key `column` belongs to another contact."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


@dataclass
class _Held:
    row: int | None
    """Row number of the open version; None for a contact that this commit makes."""
    before: dict[str, Any]
    now: dict[str, Any] = field(default_factory=dict)


class ContactEdits:
    """Contacts within a commit. Load all that may be meant, then edit, then write."""

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        self._held: dict[str, _Held] = {}
        self._by_key: dict[str, dict[str, str]] = {key: {} for key in KEYS}

    def load(
        self,
        *,
        emails: Iterable[str] = (),
        external_ids: Iterable[str] = (),
        ids: Iterable[str] = (),
    ) -> None:
        """Read the open versions that have one of these keys."""
        for column, wanted in (("_email", emails), ("_externalId", external_ids), ("id", ids)):
            for values in fetch_open(self._commit.connection, column, wanted, self._commit.notes):
                row = values.pop("rowid")
                if values["id"] not in self._held:
                    self._held[values["id"]] = _Held(row=row, before=values, now=dict(values))
                    self._index(values)

    def find(self, column: str, value: str) -> Contact | None:
        """The contact with this `_email`, `_externalId` or `id`, as edited so far."""
        id_ = value if column == "id" else self._by_key[column].get(value)
        held = None if id_ is None else self._held.get(id_)
        return None if held is None else held.now

    def create(self, values: Mapping[str, Any]) -> Contact:
        """A new contact, made now. Raises Taken."""
        id_ = new_id()
        at = self._commit.at.replace(tzinfo=None)
        self._check_keys(id_, values)
        now = {"_createdAt": at, **values, "id": id_, "_updatedAt": at}
        now["_isAnonymous"] = all(now.get(key) is None for key in KEYS)
        self._held[id_] = _Held(row=None, before={}, now=now)
        self._index(now)
        return now

    def edit(self, id_: str, values: Mapping[str, Any]) -> Contact:
        """Set these columns of a loaded contact; nothing happens unless one differs. Raises
        Taken."""
        held = self._held[id_]
        now = held.now
        if any(now.get(column) != value for column, value in values.items()):
            self._check_keys(id_, values)
            for key in KEYS:
                self._by_key[key].pop(now.get(key) or "", None)
            renamed = any(values.get(key, now.get(key)) != now.get(key) for key in KEYS)
            now.update(values)
            now["_updatedAt"] = self._commit.at.replace(tzinfo=None)
            if renamed:
                now["_isAnonymous"] = all(now.get(key) is None for key in KEYS)
            self._index(now)
        return now

    def write(self) -> int:
        """Open a new version of every contact made or changed; returns how many there are."""
        changed = [held for held in self._held.values() if held.now != held.before]
        if not changed:
            return 0
        run, number = self._commit.connection.execute, self._commit.number
        closed = [held.row for held in changed if held.row is not None]
        if closed:
            run(
                f"UPDATE contacts SET commit_to = {number}"
                f" WHERE rowid IN (SELECT unnest($rows)) AND commit_to = {OPEN}",
                {"rows": closed},
            )
        for held in changed:
            held.now |= {"commit_from": number, "commit_to": OPEN}
        for start in range(0, len(changed), _ROWS_PER_INSERT):
            self._insert([held.now for held in changed[start : start + _ROWS_PER_INSERT]])
        for held in changed:
            if held.row is not None and held.before["_email"] != held.now["_email"]:
                run(
                    "INSERT INTO identity_changes VALUES (?, ?, ?)",
                    [held.now["id"], number, held.now["_email"]],
                )
        return len(changed)

    def _insert(self, rows: list[dict[str, Any]]) -> None:
        columns = sorted({column for row in rows for column, v in row.items() if v is not None})
        names = ", ".join(f'"{column}"' for column in columns)
        # A list a column: the engine would read a mark for every value far longer.
        self._commit.connection.execute(
            f"INSERT INTO contacts ({names}) SELECT {', '.join(['unnest(?)'] * len(columns))}",
            [[row.get(column) for row in rows] for column in columns],
        )

    def _check_keys(self, id_: str, values: Mapping[str, Any]) -> None:
        for key in KEYS:
            owner = self._by_key[key].get(values.get(key) or "")
            if owner is not None and owner != id_:
                raise Taken(key)

    def _index(self, values: Contact) -> None:
        for key in KEYS:
            if values.get(key) is not None:
                self._by_key[key][values[key]] = values["id"]


def fetch_open(
    connection: Any, column: str, wanted: Iterable[str], notes: Notes | None = None
) -> list[dict[str, Any]]:
    """The open versions whose `column` has one of these values, with their row numbers. `notes` are
    those of the commit that asks, if one does."""
    values = sorted(set(wanted))
    if not values:
        return []
    # A condition on commit_to would make the engine scan the table instead of asking the index, so
    # closed versions of the same key come along and are passed over here.
    open_only = "" if column in KEYS else f" AND commit_to = {OPEN}"
    found = f'FROM contacts WHERE "{column}" IN (SELECT unnest($values)){open_only}'
    if notes is not None and not notes.is_crowded:
        held = _whole(connection.execute(f"SELECT rowid, * {found}", {"values": values}))
        notes.is_crowded = _is_crowd(len(held), values)
        return [version for version in held if version["commit_to"] == OPEN]
    # Where a contact has had many versions, only the open one is worth fifty columns.
    query = f"SELECT rowid, commit_to {found}"
    versions = connection.execute(query, {"values": values}).fetchall()
    if notes is not None:
        notes.is_crowded = _is_crowd(len(versions), values)
    rows = [row for row, commit_to in versions if commit_to == OPEN]
    query = "SELECT rowid, * FROM contacts WHERE rowid IN (SELECT unnest($rows))"
    return _whole(connection.execute(query, {"rows": rows})) if rows else []


def _whole(cursor: Any) -> list[dict[str, Any]]:
    names = [described[0] for described in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _is_crowd(versions: int, values: list[str]) -> bool:
    return versions > _VERSIONS_OF_ONE * len(values)
