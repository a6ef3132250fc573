"""What an account's data is, in plain Python: every state that it has been in, by commit number."""

import copy
import operator
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from outhaul.domain.activity_types import ACTIVITY_TYPES
from outhaul.domain.export import ExportRequest, ExportType
from outhaul.domain.instants import to_text

OWN_FIELD = {
    "web-page-visited": ("url", "URL"),
    "purchase": ("purchaseId", "Purchase ID"),
    "cart-abandoned": ("cartId", "Cart ID"),
}
"""By activity type: the field that the model's activities fill, and its header."""

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "equals": operator.eq,
    "contains": operator.contains,
    "startsWith": str.startswith,
    "atLeast": operator.ge,
}

Row = dict[str, str]
"""The cells of a file that are not empty, by header."""


@dataclass
class Contact:
    """A contact as it is now."""

    id: str
    created: datetime
    updated: datetime
    email: str | None = None
    external_id: str | None = None
    name: str | None = None
    custom: dict[str, str | None] = field(default_factory=dict)
    """By the id of a field that the account has added."""

    def row(self) -> Row:
        """Its row in a file."""
        return _filled(
            {
                "Tracker": self.id,
                "Email": self.email,
                "External ID": self.external_id,
                "Name": self.name,
                "Unknown email": "false",
                "Creation date": to_text(self.created),
                "Last update date": to_text(self.updated),
            }
        )


@dataclass(frozen=True, kw_only=True)
class Activity:
    """An activity; `lines` are its product ids with quantities."""

    id: str
    type: str
    created: datetime
    contact_id: str
    lines: tuple[tuple[str, int], ...] = ()
    purchase: tuple[str, Decimal] | None = None
    """Id and price of a purchase that came over the API."""


@dataclass
class State:
    """All of an account's data."""

    contacts: dict[str, Contact] = field(default_factory=dict)
    activities: list[Activity] = field(default_factory=list)
    members: set[tuple[str, str]] = field(default_factory=set)
    """Pairs of segment id and contact id."""
    segments: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    """Rules by segment id; a static segment has none."""
    fields: dict[str, str] = field(default_factory=dict)
    """Headers of the fields that the account has added, by id, in their order."""

    def by_email(self, email: str) -> Contact | None:
        return next((one for one in self.contacts.values() if one.email == email), None)

    def by_external_id(self, value: str) -> Contact | None:
        return next((one for one in self.contacts.values() if one.external_id == value), None)

    def erase(self, contact_id: str) -> None:
        del self.contacts[contact_id]
        self.activities = [one for one in self.activities if one.contact_id != contact_id]
        self.members = {pair for pair in self.members if pair[1] != contact_id}

    def files(self, request: ExportRequest) -> list[list[Row]]:
        """The rows of every file that an export of this state has."""
        if request.export_type is ExportType.CONTACTS:
            found = sorted(
                (one for one in self.contacts.values() if self._selected(request, one.id)),
                key=lambda one: (one.created, one.id),
            )
            return [[self._contact_row(one) for one in found]]
        wanted = sorted(self._activities(request), key=lambda one: (one.created, one.id))
        files = [[self._activity_row(one) for one in wanted]]
        types = request.filters.activity_types
        if types is None or any(ACTIVITY_TYPES[type_].has_product_lines for type_ in types):
            files.append([row for one in wanted for row in self._line_rows(one)])
        return files

    def holds(self, request: ExportRequest, contact_id: str) -> bool:
        """Whether an export of this state has a row of the contact; of a segment with a rule it
        counts as having one, for no membership tells otherwise."""
        if self.segments.get(request.filters.segment_id or "") is not None:
            request = replace(request, filters=replace(request.filters, segment_id=None))
        if request.export_type is ExportType.CONTACTS:
            return contact_id in self.contacts and self._selected(request, contact_id)
        return any(one.contact_id == contact_id for one in self._activities(request))

    def _selected(self, request: ExportRequest, contact_id: str) -> bool:
        segment = request.filters.segment_id
        rule = self.segments.get(segment or "")
        if rule is not None:
            return self._judged(rule, self.contacts[contact_id])
        return segment is None or (segment, contact_id) in self.members

    def _judged(self, rule: dict[str, Any], contact: Contact) -> bool:
        match rule:
            case {"all": rules}:
                return all(self._judged(one, contact) for one in rules)
            case {"any": rules}:
                return any(self._judged(one, contact) for one in rules)
            case {"not": inner}:
                return not self._judged(inner, contact)
            case {"activity": type_}:
                days = rule.get("lastDays")
                since = datetime.now(UTC) - timedelta(days=days) if days else None
                done = [
                    one
                    for one in self.activities
                    if (one.type, one.contact_id) == (type_, contact.id)
                    and (since is None or one.created > since)
                ]
                return len(done) >= int(rule.get("atLeast", 1))
        known: dict[str, Any] = {
            "_name": contact.name,
            "_email": contact.email,
            "_externalId": contact.external_id,
            "_totalPurchases": len(self._bought(contact)) or None,
            **{id_: contact.custom.get(id_) for id_ in self.fields},
        }
        if rule["field"] not in known:
            return False
        value, wanted = known[rule["field"]], rule["value"]
        if rule["is"] == "exists":
            return (value is not None) is wanted
        return value is not None and _COMPARISONS[rule["is"]](value, wanted)

    def _bought(self, contact: Contact) -> list[Activity]:
        return [one for one in self.activities if one.contact_id == contact.id and one.purchase]

    def _contact_row(self, contact: Contact) -> Row:
        own = {header: contact.custom.get(id_) for id_, header in self.fields.items()}
        bought = self._bought(contact)
        if bought:
            amount = sum((one.purchase[1] for one in bought if one.purchase), Decimal(0))
            own |= {
                "First purchase date": to_text(min(one.created for one in bought)),
                "Last purchase date": to_text(max(one.created for one in bought)),
                "Total purchases": str(len(bought)),
                "Total purchases amount": _money(amount),
                "Average purchases amount": _money(amount / len(bought)),
            }
        return contact.row() | _filled(own)

    def _activities(self, request: ExportRequest) -> list[Activity]:
        filters = request.filters
        assert filters.from_date is not None
        assert filters.to_date is not None
        return [
            one
            for one in self.activities
            if filters.from_date <= one.created <= filters.to_date
            and (filters.activity_types is None or one.type in filters.activity_types)
            and self._selected(request, one.contact_id)
        ]

    def _activity_row(self, one: Activity) -> Row:
        row = self._base(one) | {"Tracker": one.contact_id}
        if one.purchase is not None:
            id_, price = one.purchase
            quantity = str(sum(quantity for _, quantity in one.lines))
            row |= {"Purchase ID": id_, "Purchase date": to_text(one.created)}
            row |= {"Total price": _money(price), "Total quantity": quantity}
        elif one.type in OWN_FIELD:
            row[OWN_FIELD[one.type][1]] = f'the "{one.id}"'
        return row

    def _line_rows(self, one: Activity) -> list[Row]:
        return [
            self._base(one) | {"Product ID": product, "Quantity": str(quantity)}
            for product, quantity in one.lines
        ]

    def _base(self, one: Activity) -> Row:
        return _filled(
            {
                "Activity type": one.type,
                "Creation date": to_text(one.created),
                "Email": self.contacts[one.contact_id].email,
                "Activity ID": one.id,
            }
        )


class History:
    """Every state of an account by the number of the commit that made it."""

    def __init__(self) -> None:
        self.now = State()
        self._states = {0: copy.deepcopy(self.now)}

    def commit(self, number: int) -> None:
        """The state as it is now is that of commit `number`, the newest."""
        if number == len(self._states) - 1:
            assert self.now == self._states[number], "changed without a commit"
        assert number in {len(self._states) - 1, len(self._states)}
        self._states[number] = copy.deepcopy(self.now)

    def as_of(self, number: int) -> State:
        return self._states[number]


def _money(amount: Decimal) -> str:
    """With two decimals, and up to six where they say something."""
    exact = f"{amount.quantize(Decimal('0.000001'), ROUND_HALF_UP):f}"
    whole, _, rest = exact.partition(".")
    return f"{whole}.{rest.rstrip('0').ljust(2, '0')}"


def _filled(cells: dict[str, Any]) -> Row:
    return {header: cell for header, cell in cells.items() if cell is not None}
