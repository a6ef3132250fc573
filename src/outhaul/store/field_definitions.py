"""Definitions of custom fields: all that the API says of a field, beyond what files need."""

from dataclasses import replace
from typing import Any

import duckdb
from pydantic import TypeAdapter

from outhaul.domain.contact_fields import ContactFieldDefinition, definition_of
from outhaul.domain.export import CustomField, FieldType
from outhaul.store.commits import Commit
from outhaul.store.contact_fields import ContactFields
from outhaul.store.engine import Engine
from outhaul.store.schema import OPEN

_definition = TypeAdapter(ContactFieldDefinition)


def present(connection: duckdb.DuckDBPyConnection) -> tuple[ContactFieldDefinition, ...]:
    """The account's own fields now, in creation order."""
    # Sorted here: every single change asks this, and a sort costs the engine a third of the time.
    rows = connection.execute(
        f"SELECT ordinal, id, name, type, details FROM contact_fields WHERE commit_to = {OPEN}"
    ).fetchall()
    return tuple(_field(*row) for row in sorted(rows))


def present_in(commit: Commit) -> tuple[ContactFieldDefinition, ...]:
    """As `present`, for commits so brief that the question would be much of their time."""
    if commit.notes.fields is None:
        commit.notes.fields = present(commit.connection)
    return commit.notes.fields


def _field(
    ordinal: int, id_: str, name: str, type_: str, details: str | None
) -> ContactFieldDefinition:
    if details is not None:
        return _definition.validate_json(details)
    return definition_of(CustomField(id=id_, name=name, type=FieldType(type_), ordinal=ordinal))


class FieldDefinitions:
    """Reads definitions; adds and ends fields within a commit."""

    def __init__(self, engine: Engine, fields: ContactFields) -> None:
        self._engine = engine
        self._fields = fields

    def all(self, account_id: str) -> tuple[ContactFieldDefinition, ...]:
        """The account's own fields now, in creation order."""
        with self._engine.session(account_id) as connection:
            return present(connection)

    def add(self, commit: Commit, wanted: ContactFieldDefinition) -> ContactFieldDefinition:
        """Add a field; gives it with the column that it got."""
        made = self._fields.add(commit, [(wanted.id, wanted.name, wanted.type)])[0]
        added = replace(wanted, column=f"x{made.ordinal}")
        commit.notes.fields = None
        commit.connection.execute(
            "UPDATE contact_fields SET details = ? WHERE ordinal = ?",
            [_definition.dump_json(added).decode(), made.ordinal],
        )
        return added

    def end(self, commit: Commit, field_id: str) -> bool:
        """From this commit on there is no such field; earlier snapshots still have it. False
        when there is none."""
        commit.notes.fields = None
        ended: list[tuple[Any, ...]] = commit.connection.execute(
            f"UPDATE contact_fields SET commit_to = {commit.number}"
            f" WHERE id = ? AND commit_to = {OPEN} RETURNING ordinal",
            [field_id],
        ).fetchall()
        return bool(ended)
