"""Contact fields as JSON: the resource, the body of POST /contact-fields/ and its rules."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from outhaul.api.violations import violations_from
from outhaul.api.wire import Wire
from outhaul.domain.contact_fields import (
    CUSTOM_TYPES,
    FIELD_ID,
    MOST_OPTIONS,
    ContactFieldDefinition,
    Limits,
    Option,
    is_field_id,
)
from outhaul.domain.contact_values import ValueRefused, json_value, stored_value
from outhaul.domain.errors import Invalid, Violation
from outhaul.domain.export import FieldType

_SHOWN_TYPES = {
    FieldType.INSTANT: FieldType.DATE,
    FieldType.MONEY: FieldType.DECIMAL,
    FieldType.IP: FieldType.TEXT,
    FieldType.JSON: FieldType.TEXT,
}
_LIMITS_OF = {
    "maxLength": {FieldType.TEXT},
    "minValue": {FieldType.INTEGER, FieldType.DECIMAL},
    "maxValue": {FieldType.INTEGER, FieldType.DECIMAL},
    "minDate": {FieldType.DATE},
    "maxDate": {FieldType.DATE},
    "options": {FieldType.RADIO, FieldType.CHECKBOX},
    "defaultCountryCode": {FieldType.PHONE},
}
"""By property: the types of fields that may have it."""

_Type = Literal[
    "text", "email", "phone", "date", "radio", "checkbox", "integer", "decimal", "boolean"
]
_Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2026-03-05"])]
_Number = Annotated[float, Field(allow_inf_nan=False, ge=-(10**18), le=10**18)]


class OptionBody(Wire):
    """One choice of a radio or checkbox field."""

    id: str = Field(min_length=1, max_length=150, pattern=r"^[^|\x00]+$")
    label: str = Field(min_length=1, max_length=250)


class FieldBody(Wire):
    """A contact field to be added."""

    id: str = Field(pattern=f"^{FIELD_ID}$", description="What values are given by; not `id`.")
    name: str = Field(min_length=1, max_length=250, description="The header in files.")
    type: _Type
    read_only: bool = Field(default=False, description="Whether PATCH refuses it.")
    required: bool = Field(default=False, description="Whether PATCH refuses to clear it.")
    options: list[OptionBody] | None = Field(
        default=None, min_length=1, max_length=MOST_OPTIONS, description="Of radio and checkbox."
    )
    default_value: Any = Field(
        default=None, description="Of contacts that PATCH makes without a value."
    )
    max_length: int | None = Field(default=None, ge=1, le=65_536)
    min_value: _Number | None = None
    max_value: _Number | None = None
    min_date: _Day | None = None
    max_date: _Day | None = None
    default_country_code: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")


class FieldResource(FieldBody):
    """A contact field."""

    id: str = Field(description="What values are given by.")
    custom: bool = Field(description="Whether the account added it.")
    status: Literal["active"] = "active"


class FieldList(Wire):
    """Every contact field: the system's in the order of files, then the account's own."""

    results: list[FieldResource]


def read_field(body: Any) -> ContactFieldDefinition:
    """The field in a parsed body. Raises Invalid with every violation."""
    try:
        read = FieldBody.model_validate(body, by_alias=True, by_name=False)
    except ValidationError as error:
        raise _invalid(
            violations_from(error.errors(include_url=False, include_input=False))
        ) from None
    type_ = FieldType(read.type)
    faults = _broken_rules(read, type_)
    days: dict[str, date | None] = {}
    for name, text in (("minDate", read.min_date), ("maxDate", read.max_date)):
        try:
            days[name] = None if text is None else date.fromisoformat(text)
        except ValueError:
            faults.append(_fault(name, "must be a day such as 2026-03-05"))
    field = ContactFieldDefinition(
        id=read.id,
        name=read.name,
        type=type_,
        column="",
        custom=True,
        read_only=read.read_only,
        required=read.required,
        limits=Limits(
            options=tuple(Option(id=one.id, label=one.label) for one in read.options or ()),
            max_length=read.max_length,
            min_value=read.min_value,
            max_value=read.max_value,
            min_date=days.get("minDate"),
            max_date=days.get("maxDate"),
        ),
        default_country_code=read.default_country_code,
    )
    default = read.default_value
    if default is not None:
        try:
            stored_value(field, default)
        except ValueRefused as refused:
            faults.append(_fault("defaultValue", refused.reason))
    if faults:
        raise _invalid(faults)
    if isinstance(default, list):
        default = tuple(default)
    return ContactFieldDefinition(**{**vars(field), "default_value": default})


def _broken_rules(read: FieldBody, type_: FieldType) -> list[Violation]:
    given = read.model_dump(by_alias=True, exclude_none=True)
    faults = [
        _fault(name, f"is not for fields of the type {type_}")
        for name, types in _LIMITS_OF.items()
        if name in given and type_ not in types
    ]
    if not is_field_id(read.id):
        faults.append(_fault("id", "must not be id"))
    if type_ in _LIMITS_OF["options"] and not read.options:
        faults.append(_fault("options", "is required for this type"))
    ids = [option.id for option in read.options or ()]
    if len(set(ids)) != len(ids):
        faults.append(_fault("options", "must not have two options with one id"))
    if "\0" in read.name:
        faults.append(_fault("name", "must not contain NUL characters"))
    return faults


def field_resource(field: ContactFieldDefinition) -> dict[str, Any]:
    """The JSON object."""
    limits = field.limits
    shown = _SHOWN_TYPES.get(field.type, field.type)
    assert shown in CUSTOM_TYPES
    resource = {
        "id": field.id,
        "name": field.name,
        "type": shown.value,
        "custom": field.custom,
        "readOnly": field.read_only,
        "required": field.required,
        "status": "active",
        "options": [{"id": one.id, "label": one.label} for one in limits.options] or None,
        "defaultValue": field.default_value,
        "maxLength": limits.max_length,
        "minValue": limits.min_value,
        "maxValue": limits.max_value,
        "minDate": json_value(FieldType.DATE, limits.min_date),
        "maxDate": json_value(FieldType.DATE, limits.max_date),
        "defaultCountryCode": field.default_country_code,
    }
    return {name: value for name, value in resource.items() if value is not None}


def _invalid(faults: list[Violation]) -> Invalid:
    return Invalid(faults, detail="The contact field is not valid.")


def _fault(name: str, reason: str) -> Violation:
    return Violation(name=name, path=f"/{name}", reason=reason)
