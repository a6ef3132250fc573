"""Random edits of segments, their rules, contact fields, and purchases, for an `EditedShop`."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from outhaul.ingest.contact_changes import ContactKey
from tests.edited_shop import EditedShop

Edit = Callable[[EditedShop], object]
FIELDS = ["color", "size"]
RULES: list[dict[str, Any]] = [
    {"field": "_name", "is": "equals", "value": "one"},
    {"not": {"field": "_email", "is": "startsWith", "value": "a"}},
    {
        "any": [
            {"activity": "purchase", "atLeast": 2},
            {"field": "_externalId", "is": "exists", "value": True},
        ]
    },
    {"all": [{"activity": "login", "lastDays": 36500}, {"not": {"activity": "purchase"}}]},
    {"activity": "web-page-visited", "lastDays": 1},
    {"field": "color", "is": "equals", "value": "red"},
    {"not": {"field": "color", "is": "contains", "value": "e"}},
    {"field": "_totalPurchases", "is": "atLeast", "value": 2},
]

_nths = st.integers(0, 4)
_rules = st.none() | st.sampled_from(RULES)


def segment_id(shop: EditedShop, imported: list[str], nth: int) -> str:
    """One of the segments that there are or have been: imported ones, then those made."""
    known = [*imported, *shop.made_segments]
    return known[nth % len(known)]


def segment_edits(imported: list[str], emails: st.SearchStrategy[str]) -> st.SearchStrategy[Edit]:
    """A new segment; or some edits of the same one: renamed, given another rule, ended, contacts
    who join and leave."""
    edits: st.SearchStrategy[Callable[[EditedShop, str], object]] = st.one_of(
        _rules.map(lambda rule: lambda shop, id_: shop.replace_segment(id_, rule)),
        st.just(lambda shop, id_: shop.end_segment(id_)),
        st.builds(
            lambda emails, joining: (
                lambda shop, id_: shop.change_members(id_, emails, joining=joining)
            ),
            st.lists(emails, min_size=1, max_size=3),
            st.booleans(),
        ),
    )

    def edit(shop: EditedShop, nth: int, some: list[Callable[[EditedShop, str], object]]) -> None:
        id_ = segment_id(shop, imported, nth)
        for one in some:
            one(shop, id_)

    return _rules.map(lambda rule: lambda shop: shop.create_segment(rule)) | st.builds(
        lambda nth, some: lambda shop: edit(shop, nth, some),
        _nths,
        st.lists(edits, min_size=1, max_size=3),
    )


def field_edits(emails: st.SearchStrategy[str]) -> st.SearchStrategy[Edit]:
    """Some edits of the same field: added, given values, ended."""

    def put(shop: EditedShop, id_: str, email: str, value: str | None) -> None:
        body = {id_: value} if id_ in shop.history.now.fields else {}
        shop.put(ContactKey(column="_email", value=email), body)

    edits: st.SearchStrategy[Callable[[EditedShop, str], object]] = st.one_of(
        st.just(lambda shop, id_: shop.add_field(id_)),
        st.builds(
            lambda email, value: lambda shop, id_: put(shop, id_, email, value),
            emails,
            st.sampled_from(["red", 'gr"een\n', None]),
        ),
        st.just(lambda shop, id_: shop.end_field(id_)),
    )
    return st.builds(
        lambda id_, some: lambda shop: [one(shop, id_) for one in some],
        st.sampled_from(FIELDS),
        st.lists(edits, min_size=1, max_size=4),
    )


def purchases(
    emails: st.SearchStrategy[str], days: st.SearchStrategy[Any]
) -> st.SearchStrategy[Edit]:
    """Purchases over the API, with ids that repeat now and then."""
    prices = st.sampled_from(["10", "0.1", "33.333333", "7.25"]).map(Decimal)
    return st.builds(
        lambda number, email, price, day, quantity: (
            lambda shop: shop.buy(f"order {number}", email, price, day, quantity)
        ),
        st.integers(0, 6),
        emails,
        prices,
        days,
        st.integers(1, 3),
    )
