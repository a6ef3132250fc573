"""Custom contact fields: named columns that an account adds to its contacts."""

from collections.abc import Sequence

from outhaul.domain.export import CustomField, FieldType
from outhaul.store.commits import Commit
from outhaul.store.engine import Engine
from outhaul.store.schema import OPEN, SQL_TYPES


class ContactFields:
    """Reads an account's custom fields as of a snapshot, and adds fields within a commit."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def as_of(self, account_id: str, snapshot: int) -> tuple[CustomField, ...]:
        """The custom fields of the snapshot, in creation order."""
        with self._engine.session(account_id) as connection:
            rows = connection.execute(
                "SELECT id, name, type, ordinal FROM contact_fields"
                " WHERE commit_from <= $snapshot AND commit_to > $snapshot ORDER BY ordinal",
                {"snapshot": snapshot},
            ).fetchall()
        return tuple(
            CustomField(id=id_, name=name, type=FieldType(type_), ordinal=ordinal)
            for id_, name, type_, ordinal in rows
        )

    def add(
        self, commit: Commit, fields: Sequence[tuple[str, str, FieldType]]
    ) -> tuple[CustomField, ...]:
        """Add fields given as (id, name, type); an ordinal is never used twice."""
        commit.notes.fields = None
        connection = commit.connection
        last = connection.execute("SELECT coalesce(max(ordinal), 0) FROM contact_fields")
        ordinal = last.fetchall()[0][0]
        added = []
        for id_, name, type_ in fields:
            ordinal += 1
            connection.execute(f"ALTER TABLE contacts ADD COLUMN x{ordinal} {SQL_TYPES[type_]}")
            connection.execute(
                "INSERT INTO contact_fields (ordinal, id, name, type, commit_from, commit_to)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [ordinal, id_, name, type_.value, commit.number, OPEN],
            )
            added.append(CustomField(id=id_, name=name, type=type_, ordinal=ordinal))
        return tuple(added)
