"""Purchases one by one: each becomes an activity and is counted in its contact's totals."""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from outhaul.domain.activity_types import ACTIVITY_FIELDS, PRODUCT_FIELDS, ActivityField
from outhaul.domain.contact_values import json_value
from outhaul.domain.errors import Conflict, NotFound, OuthaulError, Refused
from outhaul.domain.ids import new_id
from outhaul.domain.purchase import ProductLine, Purchase
from outhaul.render.values import cell, text_of
from outhaul.store.commits import Commit, Commits
from outhaul.store.contact_edits import Contact, fetch_open
from outhaul.store.contact_reads import ContactReads
from outhaul.store.group_commit import GroupCommit, NothingWritten
from outhaul.store.purchases import count_purchases
from outhaul.store.single_activities import (
    PurchaseReads,
    SingleActivity,
    Values,
    add_activity,
    purchase_known,
    retract_purchase,
)

_SHOWN = (
    "purchaseId",
    "cartId",
    "purchaseDate",
    "paymentMethod",
    "totalPrice",
    "totalQuantity",
    "sourceType",
    "sourceName",
)


class Purchases:
    """The use cases of single purchases. Methods may be called from any thread."""

    def __init__(self, commits: Commits, contacts: ContactReads, reads: PurchaseReads) -> None:
        self._commits = commits
        self._contacts = contacts
        self._reads = reads
        self._line: GroupCommit[Purchase, str] = GroupCommit(commits, _apply)

    def create(self, account_id: str, purchase: Purchase) -> dict[str, Any]:
        """Add the purchase and give its resource as JSON. Durable when this returns. Raises
        Refused (E0101) without the contact, Conflict when the purchase is there already."""
        return self.get(account_id, "id", self._line.submit(account_id, purchase).result())

    def get(self, account_id: str, key: str, value: str) -> dict[str, Any]:
        """The purchase whose `id` or `purchaseId` (`key`) this is, as JSON. Raises NotFound."""
        found = self._reads.find(account_id, key, _stored(key, value))
        if found is None:
            raise NotFound("purchase", value)
        activity, lines = found
        contact = self._contacts.find(account_id, "id", activity["contactId"])
        return _resource(activity, lines, contact or {})

    def delete(self, account_id: str, key: str, value: str) -> None:
        """Take back the purchase whose `id` or `purchaseId` (`key`) this is; the totals of its
        contact follow. Exports planned before still have it. Raises NotFound."""
        with self._commits.open(account_id, source="api") as commit:
            if not retract_purchase(commit, key, _stored(key, value)):
                raise NotFound("purchase", value)
            count_purchases(commit, retracted=True)


def _stored(key: str, value: str) -> str:
    """The value as the store keeps it."""
    return str(cell(value)) if key == "purchaseId" else value


def _apply(commit: Commit, purchases: Sequence[Purchase]) -> list[str | OuthaulError]:
    """Add purchases one after the other; the totals of all their contacts follow at once."""
    emails = {one.contact_email for one in purchases if one.contact_email}
    external = {one.contact_external_id for one in purchases if one.contact_external_id}
    connection, notes = commit.connection, commit.notes
    by_email = {held["_email"]: held for held in fetch_open(connection, "_email", emails, notes)}
    by_external = {
        held["_externalId"]: held for held in fetch_open(connection, "_externalId", external, notes)
    }
    answers: list[str | OuthaulError] = []
    for purchase in purchases:
        contact = by_email.get(purchase.contact_email) or by_external.get(
            purchase.contact_external_id
        )
        if contact is None:
            answers.append(Refused("E0101", "No contact has this email or external id."))
        elif purchase_known(commit, str(cell(purchase.purchase_id))):
            answers.append(Conflict("A purchase with this purchaseId is there already."))
        else:
            activity = _activity(commit, purchase, contact)
            add_activity(commit, activity)
            answers.append(activity.id)
    if not any(isinstance(answer, str) for answer in answers):
        raise NothingWritten(answers)
    count_purchases(commit)
    return answers


def _activity(commit: Commit, purchase: Purchase, contact: Contact) -> SingleActivity:
    date = (purchase.purchase_date or commit.at).astimezone(UTC).replace(tzinfo=None)
    return SingleActivity(
        id=new_id(),
        type="purchase",
        created_at=date,
        contact_id=contact["id"],
        email=contact["_email"],
        values={
            "purchaseId": cell(purchase.purchase_id),
            "cartId": cell(purchase.cart_id),
            "purchaseDate": date,
            "paymentMethod": cell(purchase.payment_method),
            "totalQuantity": purchase.total_quantity,
            "totalPrice": purchase.total_price,
            "sourceType": cell(purchase.source_type),
            "sourceName": cell(purchase.source_name),
        },
        lines=[_line(line) for line in purchase.products],
    )


def _line(line: ProductLine) -> Values:
    categories = None if line.categories is None else "|".join(line.categories)
    return {
        "productId": cell(line.product_id),
        "productName": cell(line.product_name),
        "brand": cell(line.brand),
        "categories": cell(categories),
        "unitPrice": line.unit_price,
        "quantity": line.quantity,
        "price": line.price,
    }


def _resource(activity: Values, lines: Sequence[Values], contact: Contact) -> dict[str, Any]:
    named = {
        "id": activity["id"],
        "contactId": activity["contactId"],
        "contactEmail": contact.get("_email"),
        "contactExternalId": contact.get("_externalId"),
    }
    return {name: value for name, value in named.items() if value is not None} | {
        **_shown(activity, {id_: ACTIVITY_FIELDS[id_] for id_ in _SHOWN}),
        "products": [_shown(line, PRODUCT_FIELDS) for line in lines],
    }


def _shown(row: Values, fields: Mapping[str, ActivityField]) -> dict[str, Any]:
    return {
        id_: json_value(field.type, text_of(row[id_]) if field.type.is_text else row[id_])
        for id_, field in fields.items()
        if row[id_] is not None
    }
