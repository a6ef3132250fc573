"""The body of POST /purchases/ and the purchase as the API shows it."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from outhaul.api.violations import violations_from
from outhaul.api.wire import Wire, WrittenInstant
from outhaul.domain.contact_fields import LONGEST_EXTERNAL_ID
from outhaul.domain.contact_values import plain_email
from outhaul.domain.errors import Invalid, Violation
from outhaul.domain.instants import DATE_PATTERN, EXPECTED_DATE, parse_instant
from outhaul.domain.json_pointer import pointer
from outhaul.domain.purchase import ProductLine, Purchase

_Text = Annotated[str, Field(min_length=1, max_length=10_000, pattern=r"^[^\x00]*$")]
_Word = Annotated[str, Field(min_length=1, max_length=1_000, pattern=r"^[^|\x00]*$")]
_Money = Annotated[float, Field(allow_inf_nan=False, ge=0, le=999_999_999_999)]
_Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
_SIX_PLACES = Decimal("0.000001")
_LAST_YEAR = 2200


class ProductBody(Wire):
    """One product of a purchase. Amounts are exact to six decimals."""

    product_id: _Text
    product_name: _Text | None = None
    brand: _Text | None = None
    categories: list[_Word] | None = None
    unit_price: _Money | None = None
    quantity: _Count | None = None
    price: _Money | None = None


class PurchaseBody(Wire):
    """A purchase of a contact that exists; name it by one of its two keys."""

    purchase_id: _Text
    contact_email: Annotated[str, Field(examples=["ann@shop.example"])] | None = None
    contact_external_id: (
        Annotated[str, Field(min_length=1, max_length=LONGEST_EXTERNAL_ID)] | None
    ) = None
    cart_id: _Text | None = None
    purchase_date: Annotated[str, Field(pattern=DATE_PATTERN)] | None = Field(
        default=None, description="ISO 8601, UTC where no offset is given; default: now."
    )
    payment_method: _Text | None = None
    total_price: _Money
    total_quantity: _Count
    source_type: (
        Literal["marketplace", "digital-store", "point-of-sale", "third-party", "other"] | None
    ) = None
    source_name: _Text | None = None
    products: list[ProductBody]


class PurchaseResource(Wire):
    """A purchase; what has no value is left out."""

    id: str = Field(description="The id of its activity.")
    contact_id: str
    contact_email: str | None = None
    contact_external_id: str | None = None
    purchase_id: str | None = None
    cart_id: str | None = None
    purchase_date: WrittenInstant | None = None
    payment_method: str | None = None
    total_price: float | None = None
    total_quantity: int | None = None
    source_type: str | None = None
    source_name: str | None = None
    products: list[dict[str, Any]]


def read_purchase(body: object) -> Purchase:
    """The purchase that the body means. Raises Invalid with every violation."""
    try:
        read = PurchaseBody.model_validate(body)
    except ValidationError as error:
        raise _invalid(violations_from(error.errors())) from None
    faults = _nulls(body, ())
    date = None if read.purchase_date is None else parse_instant(read.purchase_date)
    if read.purchase_date is not None and (date is None or date.year > _LAST_YEAR):
        faults.append(_fault("purchaseDate", EXPECTED_DATE.replace("2999", str(_LAST_YEAR))))
    email = None if read.contact_email is None else plain_email(read.contact_email)
    if read.contact_email is not None and email is None:
        faults.append(_fault("contactEmail", "must be an email address"))
    if (read.contact_email is None) is (read.contact_external_id is None):
        reason = "is required, or contactExternalId in its place; not both"
        faults.append(_fault("contactEmail", reason))
    if faults:
        raise _invalid(faults)
    return _purchase(read, email, date)


def _purchase(read: PurchaseBody, email: str | None, date: datetime | None) -> Purchase:
    total = _exact(read.total_price)
    assert total is not None
    return Purchase(
        purchase_id=read.purchase_id,
        contact_email=email,
        contact_external_id=read.contact_external_id,
        cart_id=read.cart_id,
        purchase_date=date,
        payment_method=read.payment_method,
        total_price=total,
        total_quantity=read.total_quantity,
        source_type=read.source_type,
        source_name=read.source_name,
        products=tuple(
            ProductLine(
                product_id=line.product_id,
                product_name=line.product_name,
                brand=line.brand,
                categories=None if line.categories is None else tuple(line.categories),
                unit_price=_exact(line.unit_price),
                quantity=line.quantity,
                price=_exact(line.price),
            )
            for line in read.products
        ),
    )


def _nulls(value: object, place: tuple[str, ...]) -> list[Violation]:
    """A property without a value is left out, which the models by themselves would not ask."""
    if value is None:
        return [Violation(name=place[-1], path=pointer(place), reason="must not be null")]
    parts: Iterable[tuple[object, object]] = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    return [fault for key, part in parts for fault in _nulls(part, (*place, str(key)))]


def _exact(amount: float | None) -> Decimal | None:
    # The shortest text of a floating number is what the caller wrote.
    return None if amount is None else Decimal(str(amount)).quantize(_SIX_PLACES)


def _invalid(faults: list[Violation]) -> Invalid:
    return Invalid(faults, detail="The purchase is not valid.")


def _fault(name: str, reason: str) -> Violation:
    return Violation(name=name, path=f"/{name}", reason=reason)
