"""What the exports must hold, worked out from the shop's own files by DuckDB.

Nothing of Outhaul is used here, so that its answers are compared with somebody else's. Each
function returns the columns in order: CSV header label and values, all as CSV text, in row order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from demo.shop import Shop

_CONTACTS = {
    "Tracker": "id",
    "Email": "_email",
    "Name": "_name",
    "Surname": "_surname",
    "Creation date": "_createdAt",
    "Mobile phone": "_mobilePhone",
    "Points": "_points",
    "deliveryNotes": '"deliveryNotes"',
    "favouriteStore": '"favouriteStore"',
}
_ACTIVITIES = {
    "Activity ID": "id",
    "Tracker": "tracker",
    "Activity type": "type",
    "Creation date": '"createdAt"',
    "Email": "email",
    "URL": "url",
    "Page title": '"pageTitle"',
    "Page tags": '"pageTags"',
    "Purchase ID": '"purchaseId"',
    "Payment method": '"paymentMethod"',
}
_PRODUCT_LINES = {
    "Activity ID": "id",
    "Email": "email",
    "Product ID": 'line."productId"',
    "Product name": 'line."productName"',
    "Quantity": "line.quantity",
}


@dataclass(frozen=True, kw_only=True)
class Narrowing:
    """The filters of the activities export. Both instants belong to it, as ISO text in UTC."""

    segment_id: str
    activity_types: Sequence[str]
    from_date: str
    to_date: str


@dataclass(frozen=True, kw_only=True)
class Expected:
    """The columns (header labels) that are compared, and their values in the file's order."""

    labels: tuple[str, ...]
    rows: list[tuple[str, ...]]


def expected_contacts(shop: Shop) -> Expected:
    """All contacts by creation instant, then id."""
    return _expected(
        _CONTACTS,
        'FROM read_parquet($contacts) ORDER BY "_createdAt", id',
        {"contacts": str(shop.contacts)},
    )


def expected_activities(shop: Shop, narrowing: Narrowing) -> Expected:
    """The activities that pass the filters, by creation instant, then id."""
    source, parameters = _narrowed(shop, narrowing)
    return _expected(_ACTIVITIES, f'FROM ({source}) ORDER BY "createdAt", id', parameters)


def expected_product_lines(shop: Shop, narrowing: Narrowing) -> Expected:
    """The product lines of those activities, in the same order and then their own."""
    source, parameters = _narrowed(shop, narrowing)
    lines = (
        "SELECT *, unnest(products) AS line, generate_subscripts(products, 1) AS position"
        f" FROM ({source})"
    )
    return _expected(
        _PRODUCT_LINES, f'FROM ({lines}) ORDER BY "createdAt", id, position', parameters
    )


def _narrowed(shop: Shop, narrowing: Narrowing) -> tuple[str, dict[str, object]]:
    query = """
        SELECT a.*, c.id AS tracker
        FROM read_parquet($activities) a
        JOIN read_parquet($contacts) c ON coalesce(c."_email", c.id) = coalesce(email, "contactId")
        WHERE list_contains($types, type) AND a."createdAt" BETWEEN $first AND $last
            AND coalesce(email, "contactId") IN (
                SELECT coalesce(email, "contactId")
                FROM read_parquet($segments) WHERE "segmentId" = $segment)"""
    return query, {
        "activities": str(shop.activities),
        "contacts": str(shop.contacts),
        "segments": str(shop.segments),
        "types": list(narrowing.activity_types),
        "first": narrowing.from_date,
        "last": narrowing.to_date,
        "segment": narrowing.segment_id,
    }


def _expected(columns: Mapping[str, str], rest: str, parameters: dict[str, object]) -> Expected:
    # The standard library's csv reads a missing value as the empty text, so here they are one too.
    values = ", ".join(f"coalesce(({column})::VARCHAR, '')" for column in columns.values())
    with duckdb.connect() as connection:
        rows = connection.execute(f"SELECT {values} {rest}", parameters).fetchall()
    return Expected(labels=tuple(columns), rows=rows)
