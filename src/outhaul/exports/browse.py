"""Looking contacts and activities up, without an export."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from outhaul.domain.contact_fields import SYSTEM_FIELDS, ContactFieldDefinition
from outhaul.domain.contact_values import json_value
from outhaul.domain.errors import NotFound
from outhaul.store.browsing import Browsing, SeenActivity
from outhaul.store.contact_edits import Contact
from outhaul.store.field_definitions import FieldDefinitions


@dataclass(frozen=True, kw_only=True)
class SeenContact:
    """A contact: its id, and the fields that have a value, in the order of files."""

    id: str
    values: tuple[tuple[ContactFieldDefinition, Any], ...]

    def get(self, field_id: str) -> Any:
        """The value of a field; None when it has none."""
        return next((value for field, value in self.values if field.id == field_id), None)


class Browse:
    """Questions about an account's data as it is now. Methods may be called from any thread."""

    def __init__(self, browsing: Browsing, definitions: FieldDefinitions) -> None:
        self._browsing = browsing
        self._definitions = definitions

    def contacts(self, account_id: str, text: str, *, most: int) -> list[SeenContact]:
        """The newest contacts whose id or external id is `text` or whose email begins with it."""
        fields = (*SYSTEM_FIELDS, *self._definitions.all(account_id))
        found = self._browsing.contacts(account_id, text, most=most)
        return [_seen(contact, fields) for contact in found]

    def contact(self, account_id: str, contact_id: str) -> SeenContact:
        """Raises NotFound."""
        found = self.contacts(account_id, contact_id, most=1)
        if not found or found[0].id != contact_id:
            raise NotFound("contact", contact_id)
        return found[0]

    def activities(
        self,
        account_id: str,
        *,
        type_: str | None = None,
        contact_id: str | None = None,
        most: int,
    ) -> list[SeenActivity]:
        """The newest activities (of one type, of one contact)."""
        return self._browsing.activities(account_id, type_=type_, contact_id=contact_id, most=most)


def _seen(contact: Contact, fields: Sequence[ContactFieldDefinition]) -> SeenContact:
    return SeenContact(
        id=contact["id"],
        values=tuple(
            (field, json_value(field.type, value))
            for field in fields
            if (value := contact.get(field.column)) is not None
        ),
    )
