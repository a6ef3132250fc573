"""A purchase as it comes in over HTTP."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class ProductLine:
    """One product of a purchase."""

    product_id: str
    product_name: str | None
    brand: str | None
    categories: tuple[str, ...] | None
    unit_price: Decimal | None
    quantity: int | None
    price: Decimal | None


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """What was bought; amounts have six decimals at most. Of the two keys of the contact one is
    given."""

    purchase_id: str
    contact_email: str | None
    """In lower case."""
    contact_external_id: str | None
    cart_id: str | None
    purchase_date: datetime | None
    """UTC; None: now."""
    payment_method: str | None
    total_price: Decimal
    total_quantity: int
    source_type: str | None
    source_name: str | None
    products: tuple[ProductLine, ...]
