"""What may be said of a contact: the fields that every account has, and those that it added."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from outhaul.domain.export import CustomField, FieldType
from outhaul.domain.fields import CONTACT_FIELDS

MOST_CUSTOM_FIELDS = 140
MOST_OPTIONS = 120
LONGEST_EXTERNAL_ID = 50
FIELD_ID = r"[A-Za-z][A-Za-z0-9_\[\]-]{0,149}"
"""What the id of a custom field looks like; `id` itself is taken."""

CUSTOM_TYPES = (
    FieldType.TEXT,
    FieldType.EMAIL,
    FieldType.PHONE,
    FieldType.DATE,
    FieldType.RADIO,
    FieldType.CHECKBOX,
    FieldType.INTEGER,
    FieldType.DECIMAL,
    FieldType.BOOLEAN,
)
"""The types that a custom field may be given over HTTP."""


@dataclass(frozen=True, kw_only=True)
class Option:
    """One choice of a radio or checkbox field; files show its id."""

    id: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a value must keep to, beyond its type. Numbers bound numbers, days bound days."""

    options: tuple[Option, ...] = ()
    max_length: int | None = None
    min_value: float | None = None
    max_value: float | None = None
    min_date: date | None = None
    max_date: date | None = None


@dataclass(frozen=True, kw_only=True)
class ContactFieldDefinition:
    """A field as the API shows it."""

    id: str
    name: str
    """The header of its column in files."""
    type: FieldType
    column: str
    """The store's column that keeps its values."""
    custom: bool
    read_only: bool
    required: bool = False
    """Whether the API may not clear it."""
    limits: Limits = field(default=Limits())
    default_value: str | int | float | bool | tuple[str, ...] | None = None
    """As the API spells it; given to contacts that the API makes without a value."""
    default_country_code: str | None = None


def is_field_id(text: str) -> bool:
    """Whether a custom field may have this id."""
    return text.lower() != "id" and re.fullmatch(FIELD_ID, text) is not None


SYSTEM_FIELDS = tuple(
    ContactFieldDefinition(
        id=known.id,
        name=known.label_en,
        type=known.type,
        column=known.id,
        custom=False,
        read_only=not known.writable,
        limits=Limits(
            options=tuple(Option(id=option, label=option) for option in known.options),
            max_length=LONGEST_EXTERNAL_ID if known.id == "_externalId" else None,
        ),
    )
    for known in CONTACT_FIELDS
    if known.id != "id"
)


def definition_of(field: CustomField) -> ContactFieldDefinition:
    """All that a field that an import made says of itself."""
    return ContactFieldDefinition(
        id=field.id,
        name=field.name,
        type=field.type,
        column=f"x{field.ordinal}",
        custom=True,
        read_only=False,
    )


def by_id(definitions: Iterable[ContactFieldDefinition]) -> dict[str, ContactFieldDefinition]:
    """System fields and these, by their ids."""
    return {known.id: known for known in (*SYSTEM_FIELDS, *definitions)}
