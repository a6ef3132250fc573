"""A change of a contact as the API asks for it: JSON by field id, judged against the fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from outhaul.domain.contact_fields import SYSTEM_FIELDS, ContactFieldDefinition
from outhaul.domain.contact_values import ValueRefused, json_value, stored_value
from outhaul.domain.errors import Invalid, Violation
from outhaul.domain.json_pointer import pointer
from outhaul.store.contact_edits import Contact


@dataclass(frozen=True, kw_only=True)
class ContactKey:
    """Which contact is meant: the store's column `_email` or `_externalId`, and its value."""

    column: str
    value: str


def stored_changes(
    key: ContactKey, body: Mapping[str, Any], known: Mapping[str, ContactFieldDefinition]
) -> dict[str, Any]:
    """The store's columns that the body sets. Raises Invalid with every violation there is."""
    changes: dict[str, Any] = {}
    violations = []
    for id_, value in body.items():
        try:
            field = _writable(id_, key, known)
            changes[field.column] = stored_value(field, value)
            if field.id == "_externalId" and changes[field.column] == "":
                raise ValueRefused("must not be empty")
        except ValueRefused as refused:
            violations.append(Violation(name=id_, path=pointer([id_]), reason=refused.reason))
    if violations:
        raise Invalid(violations, detail="The contact is not valid.")
    return changes


def _writable(
    id_: str, key: ContactKey, known: Mapping[str, ContactFieldDefinition]
) -> ContactFieldDefinition:
    if id_ == key.column:
        raise ValueRefused("stands in the path; leave it out")
    field = known.get(id_)
    if field is None and id_ != "id":
        raise ValueRefused("is not a contact field of this account")
    if field is None or field.read_only:
        raise ValueRefused("cannot be set; leave it out")
    return field


def defaults(known: Mapping[str, ContactFieldDefinition]) -> dict[str, Any]:
    """The columns that a new contact starts with."""
    return {
        field.column: stored_value(
            field,
            list(field.default_value)
            if isinstance(field.default_value, tuple)
            else field.default_value,
        )
        for field in known.values()
        if field.default_value is not None
    }


def contact_resource(
    contact: Contact, custom: tuple[ContactFieldDefinition, ...]
) -> dict[str, Any]:
    """The contact as JSON, by field id; fields without a value are left out."""
    resource = {"id": contact["id"]}
    for field in (*SYSTEM_FIELDS, *custom):
        value = contact.get(field.column)
        if value is not None:
            resource[field.id] = json_value(field.type, value)
    return resource
