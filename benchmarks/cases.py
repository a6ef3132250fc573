"""What is exported in the benchmark: a request to Outhaul, columns and rows for a rival."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from demo.shop import LARGE_SEGMENT_ID, UNTIL
from outhaul.domain.account import Language
from outhaul.domain.columns import Column
from outhaul.domain.export import CustomField, DateFormat, FieldType, Frozen, MemberKind, Version
from outhaul.domain.versions import columns

WINDOW = UNTIL - timedelta(days=31), UNTIL
TIMEZONE = "Europe/Madrid"

_TYPES = (
    "cart-product-added",
    "email-link-clicked",
    "email-opened",
    "product-visited",
    "purchase",
    "search",
)
_CUSTOM = {
    "tier": FieldType.TEXT,
    "favouriteStore": FieldType.TEXT,
    "deliveryNotes": FieldType.TEXT,
    "interests": FieldType.CHECKBOX,
    "householdSize": FieldType.INTEGER,
    "creditLimit": FieldType.DECIMAL,
    "shoeSize": FieldType.DECIMAL,
    "ownsPet": FieldType.BOOLEAN,
    "lastStoreVisit": FieldType.DATE,
    "referredBy": FieldType.TEXT,
}
_FROZEN = Frozen(
    timezone=TIMEZONE,
    language=Language.ES,
    mobile_push=False,
    custom_fields=tuple(
        CustomField(id=id_, name=id_, type=type_, ordinal=ordinal)
        for ordinal, (id_, type_) in enumerate(_CUSTOM.items(), start=1)
    ),
)


@dataclass(frozen=True, kw_only=True)
class Member:
    """One CSV of a case: the table of the same name in every home, and its columns in order."""

    table: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One export: contacts, or activities of a window with or without a filter."""

    name: str
    date_format: DateFormat = DateFormat.ISO
    contacts: bool = False
    types: tuple[str, ...] | None = None
    segment: bool = False
    window: tuple[datetime, datetime] = WINDOW
    """From the first instant (included) up to the second (excluded)."""

    @property
    def body(self) -> dict[str, Any]:
        """The request's body."""
        filters: dict[str, Any] = {}
        if not self.contacts:
            last = self.window[1] - timedelta(milliseconds=1)
            filters = {"fromDate": self.window[0].isoformat(), "toDate": last.isoformat()}
        if self.types is not None:
            filters["activityTypes"] = list(self.types)
        if self.segment:
            filters["segmentId"] = LARGE_SEGMENT_ID
        return {
            "exportType": "contacts" if self.contacts else "activities",
            "delimiter": ",",
            "dateFormat": self.date_format.value,
            "version": Version.V6.value,
            "filters": filters,
        }

    @property
    def members(self) -> Sequence[Member]:
        if self.contacts:
            return [Member(table="contacts", columns=_columns(MemberKind.CONTACTS, None))]
        return [
            Member(table="activities", columns=_columns(MemberKind.ACTIVITIES, self.types)),
            Member(table="product_lines", columns=_columns(MemberKind.PRODUCTS, None)),
        ]


def _columns(kind: MemberKind, types: tuple[str, ...] | None) -> tuple[Column, ...]:
    return columns(kind, Version.V6, _FROZEN, types)


def column_name(column: Column) -> str:
    """The column's name in every home."""
    return column.id if column.source.startswith("x") and column.id in _CUSTOM else column.source


CASES = {
    case.name: case
    for case in (
        Case(name="q1", types=_TYPES, segment=True),
        Case(name="q2"),
        Case(name="q3", contacts=True),
        Case(name="q1-lll", types=_TYPES, segment=True, date_format=DateFormat.LLL),
        Case(name="q2-lll", date_format=DateFormat.LLL),
        Case(name="q3-lll", contacts=True, date_format=DateFormat.LLL),
    )
}
"""q1: one segment (a contact in five) and six types over 31 days; q2: all types over 31 days;
q3: all contacts; each also with LLL dates, which no rival writes of its own accord."""
