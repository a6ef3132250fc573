"""Values of contact fields: from JSON to what the store keeps, and back.

Reasons say what would be right and never repeat the value, which may be personal.
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from outhaul.domain import instants
from outhaul.domain.contact_fields import ContactFieldDefinition, Limits
from outhaul.domain.export import FieldType

EMAIL = '[^@\\s,;<>"]+@[^@\\s,;<>"]+\\.[^@\\s,;<>"]+'
LONGEST_EMAIL = 254
_LONGEST_TEXT = 65_536
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOST_WHOLE = 10**12
_SIX_PLACES = Decimal("0.000001")


class ValueRefused(Exception):
    """The value does not fit the field; `reason` says what would."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def plain_email(text: str) -> str | None:
    """The address as the store keeps it, or None when the text is none."""
    address = text.strip().lower()
    good = re.fullmatch(EMAIL, address, re.ASCII) and len(text) <= LONGEST_EMAIL
    return address if good and "\0" not in address else None


def stored_value(field: ContactFieldDefinition, value: object) -> Any:
    """What the store keeps for a JSON value; None for null. Raises ValueRefused."""
    if value is None:
        if field.required:
            raise ValueRefused("is required and cannot be cleared")
        return None
    return _READERS[field.type](value, field.limits)


def json_value(type_: FieldType, stored: Any) -> Any:
    """The JSON value of what the store keeps."""
    match stored:
        case datetime():
            return instants.to_text(instants.from_utc(stored))
        case date():
            return stored.isoformat()
        case Decimal():
            return int(stored) if stored == stored.to_integral_value() else float(stored)
        case str() if type_ is FieldType.CHECKBOX:
            return stored.split("|") if stored else []
        case _:
            return stored


def _text(value: object, limits: Limits) -> str:
    if not isinstance(value, str):
        raise ValueRefused("must be a string")
    if "\0" in value:
        raise ValueRefused("must not contain NUL characters")
    most = limits.max_length or _LONGEST_TEXT
    if len(value) > most:
        raise ValueRefused(f"must have at most {most} characters")
    return value


def _email(value: object, limits: Limits) -> str:
    address = plain_email(_text(value, limits))
    if address is None:
        raise ValueRefused("must be an email address")
    return address


def _radio(value: object, limits: Limits) -> str:
    text = _text(value, limits)
    ids = [option.id for option in limits.options]
    if ids and text not in ids:
        raise ValueRefused(f"must be one of {', '.join(ids)}")
    return text


def _checkbox(value: object, limits: Limits) -> str:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueRefused("must be an array of option ids")
    if len(set(value)) != len(value):
        raise ValueRefused("must not name an option twice")
    if any("|" in item or "\0" in item or not item for item in value):
        raise ValueRefused("must not have empty options, nor any with a vertical bar")
    ids = [option.id for option in limits.options]
    if ids and not set(value) <= set(ids):
        raise ValueRefused(f"may only have {', '.join(ids)}")
    return _text("|".join(value), Limits())


def _boolean(value: object, _: Limits) -> bool:
    if not isinstance(value, bool):
        raise ValueRefused("must be true or false")
    return value


def _integer(value: object, limits: Limits) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise ValueRefused("must be a whole number")
    _check_bounds(value, limits)
    return value


def _decimal(value: object, limits: Limits) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueRefused("must be a number")
    if not math.isfinite(value) or abs(value) >= _MOST_WHOLE:
        raise ValueRefused("must be a number with at most 12 digits before the point")
    _check_bounds(value, limits)
    rounded = Decimal(str(value)).quantize(_SIX_PLACES)
    if abs(rounded) >= _MOST_WHOLE:
        raise ValueRefused("must be a number with at most 12 digits before the point")
    return rounded


def _check_bounds(value: float, limits: Limits) -> None:
    if limits.min_value is not None and value < limits.min_value:
        raise ValueRefused(f"must be at least {limits.min_value:g}")
    if limits.max_value is not None and value > limits.max_value:
        raise ValueRefused(f"must be at most {limits.max_value:g}")


def _day(value: object, limits: Limits) -> date:
    try:
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            raise ValueError
        day = date.fromisoformat(value)
    except ValueError:
        raise ValueRefused("must be a day such as 2026-03-05") from None
    if limits.min_date is not None and day < limits.min_date:
        raise ValueRefused(f"must not be before {limits.min_date}")
    if limits.max_date is not None and day > limits.max_date:
        raise ValueRefused(f"must not be after {limits.max_date}")
    return day


def _never(_: object, __: Limits) -> Any:
    raise ValueRefused("cannot be set")


_READERS: Mapping[FieldType, Callable[[object, Limits], Any]] = {
    FieldType.TEXT: _text,
    FieldType.PHONE: _text,
    FieldType.EMAIL: _email,
    FieldType.RADIO: _radio,
    FieldType.CHECKBOX: _checkbox,
    FieldType.BOOLEAN: _boolean,
    FieldType.INTEGER: _integer,
    FieldType.DECIMAL: _decimal,
    FieldType.MONEY: _decimal,
    FieldType.DATE: _day,
    # Custom fields of these types come only from imports; nothing sets them over HTTP.
    FieldType.INSTANT: _never,
    FieldType.IP: _never,
    FieldType.JSON: _never,
}
