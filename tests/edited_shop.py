"""The modelled shop with what callers of the API edit one by one: segments, fields, purchases."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from outhaul.catalog.database import Database
from outhaul.domain.contact_fields import ContactFieldDefinition
from outhaul.domain.errors import Conflict, Invalid, NotFound, OuthaulError, Refused
from outhaul.domain.export import FieldType, Filters
from outhaul.domain.purchase import ProductLine, Purchase
from outhaul.ingest.field_service import Fields
from outhaul.ingest.purchase_service import Purchases
from outhaul.ingest.segment_service import Segments
from outhaul.store.contact_fields import ContactFields
from outhaul.store.contact_reads import ContactReads
from outhaul.store.engine import Engine
from outhaul.store.field_definitions import FieldDefinitions
from outhaul.store.segment_reads import SegmentReads
from outhaul.store.single_activities import PurchaseReads
from tests.modelled_shop import ModelledShop
from tests.oracle import Activity
from tests.pipeline_shop import request


class EditedShop(ModelledShop):
    """Every edit is made in the store and in the oracle; what cannot be is refused as it should."""

    def __init__(
        self, folder: Path, engine: Engine, database: Database, *, unloading: bool = False
    ) -> None:
        super().__init__(folder, engine, database, unloading=unloading)
        self.segments = Segments(self.commits, SegmentReads(engine))
        self.fields = Fields(self.commits, FieldDefinitions(engine, ContactFields(engine)))
        self.purchases = Purchases(self.commits, ContactReads(engine), PurchaseReads(engine))
        self.made_segments: list[str] = []
        """Ids of those made by `create_segment`, also of those that have ended."""

    def create_segment(self, rule: dict[str, Any] | None) -> None:
        """A static segment without members, or a dynamic one."""
        if rule is not None and not self._is_known(rule):
            self._refused(Invalid, lambda: self.segments.create(self.account, "A", rule))
        else:
            id_ = self.segments.create(self.account, "A", rule).id
            self.made_segments.append(id_)
            self.history.now.segments[id_] = rule
        self._committed()

    def replace_segment(self, id_: str, rule: dict[str, Any] | None) -> None:
        """Another name, and for a dynamic segment another rule."""
        now = self.history.now

        def put() -> object:
            return self.segments.replace(self.account, id_, "B", rule)

        if id_ not in now.segments:
            self._refused(NotFound, put)
        elif (now.segments[id_] is None) != (rule is None) or (
            rule is not None and not self._is_known(rule)
        ):
            self._refused(Invalid, put)
        else:
            put()
            now.segments[id_] = rule
        self._committed()

    def end_segment(self, id_: str) -> None:
        """From now on nobody is in it."""
        now = self.history.now
        if id_ not in now.segments:
            self._refused(NotFound, lambda: self.segments.delete(self.account.id, id_))
        else:
            self.segments.delete(self.account.id, id_)
            del now.segments[id_]
            now.members = {pair for pair in now.members if pair[0] != id_}
        self._committed()

    def change_members(self, id_: str, emails: Sequence[str], *, joining: bool) -> None:
        """All of these contacts join the segment or leave it, or none does."""
        now = self.history.now
        call = self.segments.add if joining else self.segments.remove
        found = [now.by_email(email) for email in emails]
        refusal: type[OuthaulError] | None = None
        if id_ not in now.segments:
            refusal = NotFound
        elif now.segments[id_] is not None:
            refusal = Conflict
        elif None in found:
            refusal = Invalid
        if refusal is not None:
            self._refused(refusal, lambda: call(self.account.id, id_, emails))
        else:
            pairs = {(id_, one.id) for one in found if one is not None}
            changed = len(pairs - now.members) if joining else len(pairs & now.members)
            assert call(self.account.id, id_, emails) == changed
            now.members = now.members | pairs if joining else now.members - pairs
        self._committed()

    def count_segments(self) -> None:
        """The API counts those who are in each segment now."""
        now = self.history.now
        for id_ in now.segments:
            wanted = replace(request(), filters=Filters(segment_id=id_))
            assert self.segments.count(self.account, id_) == len(now.files(wanted)[0])

    def add_field(self, id_: str) -> None:
        """A text field; contacts have no value in it, whatever an ended one of that id held."""
        definition = ContactFieldDefinition(
            id=id_, name=id_.title(), type=FieldType.TEXT, column="", custom=True, read_only=False
        )
        if id_ in self.history.now.fields:
            self._refused(Conflict, lambda: self.fields.create(self.account.id, definition))
        else:
            self.fields.create(self.account.id, definition)
            self.history.now.fields[id_] = id_.title()
        self._committed()

    def end_field(self, id_: str) -> None:
        """The column goes, and with it its values."""
        now = self.history.now
        if id_ not in now.fields:
            self._refused(NotFound, lambda: self.fields.delete(self.account.id, id_))
        else:
            self.fields.delete(self.account.id, id_)
            del now.fields[id_]
            for contact in now.contacts.values():
                contact.custom.pop(id_, None)
        self._committed()

    def buy(self, id_: str, email: str, price: Decimal, at: datetime, quantity: int) -> None:
        """A purchase over the API; its contact's totals follow in the same commit."""
        now = self.history.now
        purchase = _purchase(id_, email, price, at, quantity)

        def create() -> dict[str, Any]:
            return self.purchases.create(self.account.id, purchase)

        contact = now.by_email(email)
        if contact is None:
            self._refused(Refused, create)
        elif any(one.purchase is not None and one.purchase[0] == id_ for one in now.activities):
            self._refused(Conflict, create)
        else:
            now.activities.append(
                Activity(
                    id=create()["id"],
                    type="purchase",
                    created=at,
                    contact_id=contact.id,
                    lines=(("p1", quantity),),
                    purchase=(id_, price),
                )
            )
        self._committed()

    def _is_known(self, rule: dict[str, Any]) -> bool:
        """Whether the account has all fields that the rule names."""
        negated = [rule["not"]] if "not" in rule else []
        parts = [*rule.get("all", ()), *rule.get("any", ()), *negated]
        named = rule.get("field", "_")
        own = self.history.now.fields
        return (named.startswith("_") or named in own) and all(map(self._is_known, parts))

    def _refused(self, error: type[OuthaulError], call: Callable[[], object]) -> None:
        with pytest.raises(error):
            call()


def _purchase(id_: str, email: str, price: Decimal, at: datetime, quantity: int) -> Purchase:
    line = ProductLine(
        product_id="p1",
        product_name=None,
        brand=None,
        categories=None,
        unit_price=None,
        quantity=quantity,
        price=None,
    )
    return Purchase(
        purchase_id=id_,
        contact_email=email,
        contact_external_id=None,
        cart_id=None,
        purchase_date=at,
        payment_method=None,
        total_price=price,
        total_quantity=quantity,
        source_type=None,
        source_name=None,
        products=(line,),
    )
