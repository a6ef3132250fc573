"""Looking through contacts and activities as they are now, newest first."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from outhaul.domain.activity_types import ACTIVITY_FIELDS
from outhaul.domain.instants import from_utc
from outhaul.store.contact_edits import Contact
from outhaul.store.engine import Engine
from outhaul.store.families import FAMILIES, Family
from outhaul.store.schema import OPEN


@dataclass(frozen=True, kw_only=True)
class SeenActivity:
    """An activity with the fields that it carries, by field id."""

    id: str
    type: str
    created_at: datetime
    contact_id: str
    email: str | None
    """As it was when the activity came."""
    values: Mapping[str, Any]


class Browsing:
    """Answers for one process-wide engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def contacts(self, account_id: str, text: str, *, most: int) -> list[Contact]:
        """Contacts whose id or external id is `text`, or whose email begins with it; of an empty
        text all. The newest, at most `most`."""
        found = f"FROM contacts WHERE commit_to = {OPEN}"
        if text:
            found += (
                ' AND (id = $text OR "_externalId" = $text OR starts_with(_email, lower($text)))'
            )
        with self._engine.session(account_id) as connection:
            cursor = connection.execute(
                f'SELECT * {found} ORDER BY "_createdAt" DESC, id DESC LIMIT $most',
                {"most": most} | ({"text": text} if text else {}),
            )
            names = [described[0] for described in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def activities(
        self, account_id: str, *, type_: str | None, contact_id: str | None, most: int
    ) -> list[SeenActivity]:
        """The newest activities (of one type, of one contact), at most `most`."""
        given = {"type": type_, "contactId": contact_id}
        bound = {name: value for name, value in given.items() if value is not None}
        where = " AND ".join(f'"{name}" = ${name}' for name in bound) or "true"
        each = " UNION ALL ".join(
            f'(SELECT id, type, "createdAt", "contactId", email, {_fields(family)} AS held'
            f' FROM {family.table} WHERE {where} ORDER BY "createdAt" DESC, id DESC LIMIT $most)'
            for family in FAMILIES
            if type_ is None or type_ in family.types
        )
        with self._engine.session(account_id) as connection:
            rows = connection.execute(
                f'SELECT * FROM ({each}) ORDER BY "createdAt" DESC, id DESC LIMIT $most',
                bound | {"most": most},
            ).fetchall()
        return [
            SeenActivity(
                id=id_,
                type=kind,
                created_at=from_utc(created),
                contact_id=contact,
                email=email,
                values=_values(json.loads(held)),
            )
            for id_, kind, created, contact, email, held in rows
        ]


def _fields(family: Family) -> str:
    """The family's fields as one JSON object; those without a value are null."""
    if not family.fields:
        return "'{}'"
    pairs = ", ".join(f"'{field.id}': \"{field.id}\"" for field in family.fields)
    return f"to_json({{{pairs}}})::VARCHAR"


def _values(held: Mapping[str, Any]) -> dict[str, Any]:
    return {
        id_: _plain(value) if ACTIVITY_FIELDS[id_].type.is_text else value
        for id_, value in held.items()
        if value is not None
    }


def _plain(cell: str | None) -> str | None:
    """The text of a finished cell."""
    return None if cell is None else cell[1:-1].replace('""', '"')
