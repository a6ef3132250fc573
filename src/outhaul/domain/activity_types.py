"""The activity types and their fields (contract sections 9 and 10).

A field has one id over all versions, the camelCase of its newest English label; `versions`
knows what older files called it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from outhaul.domain.export import FieldType, Version


@dataclass(frozen=True, kw_only=True)
class ActivityField:
    """A field of activities or of product lines. The store's column is named like the id."""

    id: str
    type: FieldType
    label_en: str
    label_es: str | None = None
    """None: no Spanish wording is documented, the English one stands in."""


@dataclass(frozen=True, kw_only=True)
class ActivityType:
    """A kind of activity; `added` tells which field ids each version brought to its rows."""

    id: str
    added: Mapping[Version, tuple[str, ...]]
    has_product_lines: bool = False

    def fields_in(self, version: Version) -> tuple[str, ...]:
        """The field ids that files of this version show, oldest first."""
        return tuple(
            field
            for since, fields in self.added.items()
            if since.number <= version.number
            for field in fields
        )

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field id that an activity of this type may carry."""
        return tuple(field for fields in self.added.values() for field in fields)


def _by_id(*fields: ActivityField) -> dict[str, ActivityField]:
    return {field.id: field for field in fields}


def _field(
    id_: str, label_en: str, label_es: str | None = None, type_: FieldType = FieldType.TEXT
) -> ActivityField:
    return ActivityField(id=id_, type=type_, label_en=label_en, label_es=label_es)


ACTIVITY_FIELDS: dict[str, ActivityField] = _by_id(
    _field("segmentId", "Segment ID"),
    _field("segmentName", "Segment name"),
    _field("url", "URL", "URL"),
    _field("linkUrl", "Link URL", "URL del enlace"),
    _field("resolvedUrl", "Resolved URL", "URL resuelta"),
    _field("referer", "Referer"),
    _field("pageTitle", "Page title"),
    _field("pageTags", "Page tags", type_=FieldType.CHECKBOX),
    _field("pageCategories", "Page categories", type_=FieldType.CHECKBOX),
    _field("pageKeywords", "Page keywords", type_=FieldType.CHECKBOX),
    _field("deviceType", "Device type"),
    _field("ip", "IP", type_=FieldType.IP),
    _field("userAgent", "User agent", "User agent"),
    _field("searchText", "Search text", "Texto de búsqueda"),
    _field("formType", "Form type", "Tipo de formulario"),
    _field("formData", "Form data", "Datos del formulario", FieldType.JSON),
    _field("productId", "Product ID"),
    _field("productName", "Product name"),
    _field("productQuantity", "Product quantity", "Cantidad de producto", FieldType.INTEGER),
    _field("cartId", "Cart ID"),
    _field("purchaseId", "Purchase ID"),
    _field("purchaseDate", "Purchase date", type_=FieldType.INSTANT),
    _field("paymentMethod", "Payment method"),
    _field("totalQuantity", "Total quantity", "Cantidad total", FieldType.INTEGER),
    _field("totalPrice", "Total price", type_=FieldType.MONEY),
    _field("origin", "Origin"),
    _field("couponCode", "Coupon code"),
    _field("couponSetId", "Coupon set ID"),
    _field("sentTo", "Sent to", "Enviado a"),
    _field("emailType", "Email type", "Tipo de email"),
    _field("emailSendId", "Email send ID"),
    _field("contentId", "Content ID"),
    _field("contentName", "Content name"),
    _field("workflowId", "Workflow ID"),
    _field("workflowName", "Workflow name"),
    _field("bouncedEmail", "Bounced email", "Email rebotado", FieldType.EMAIL),
    _field("bounceType", "Bounce type", "Tipo de rebote"),
    _field("bounceCode", "Bounce code", "Código de rebote"),
    _field("bounceStatus", "Bounce status", "Estado de rebote"),
    _field("emailSubscribedToNewsletter", "Email subscribed to newsletter", type_=FieldType.EMAIL),
    _field("smsType", "SMS type", "Tipo de SMS"),
    _field(
        "pushUnsubscriptionDate",
        "Push unsubscription date",
        "Fecha de baja push",
        FieldType.INSTANT,
    ),
    _field("customEventId", "Custom event ID"),
    _field("customEventName", "Custom event name"),
    _field("eventData", "Event data", type_=FieldType.JSON),
    _field("sdkVersion", "SDK version"),
    _field("appVersion", "App version"),
    _field("mobileOperatingSystem", "Mobile operating system"),
    _field("osVersion", "OS version"),
    _field("device", "Device"),
    _field("sourceType", "Source type"),
    _field("sourceName", "Source name"),
    _field("previousContactId", "Previous contact ID"),
    _field("contentTags", "Content tags", type_=FieldType.CHECKBOX),
    _field("workflowTags", "Workflow tags", type_=FieldType.CHECKBOX),
    _field("attributionConfidence", "Attribution confidence"),
    _field("attributionScenario", "Attribution scenario"),
)
"""Every field by its id, in the one order that columns have in a file."""

PRODUCT_FIELDS: dict[str, ActivityField] = _by_id(
    _field("productId", "Product ID"),
    _field("productName", "Product name"),
    _field("brand", "Brand"),
    _field("categories", "Categories", type_=FieldType.CHECKBOX),
    _field("unitPrice", "Unit price", type_=FieldType.MONEY),
    _field("quantity", "Quantity", type_=FieldType.INTEGER),
    _field("price", "Price", type_=FieldType.MONEY),
)
"""The fields of one product line of a cart or purchase, in the order of the file."""

MOBILE_FIELDS = ("sdkVersion", "appVersion", "mobileOperatingSystem", "osVersion")
"""Shown only for accounts whose mobile push channel is on."""

_MESSAGE = ("contentId", "contentName", "workflowId", "workflowName")
_EMAIL = ("sentTo", "emailType", "emailSendId", *_MESSAGE)
_SMS = ("sentTo", "smsType", *_MESSAGE)
_SEGMENT = ("segmentId", "segmentName")
_CART_PRODUCT = ("cartId", "productId", "productName", "productQuantity")
_WEB_CONTENT = ("url", "linkUrl", *_MESSAGE)


def _type(
    id_: str, *fields: str, v2: tuple[str, ...] = (), has_product_lines: bool = False
) -> ActivityType:
    return ActivityType(
        id=id_,
        added={Version.V1: fields, Version.V2: v2},
        has_product_lines=has_product_lines,
    )


ACTIVITY_TYPES: dict[str, ActivityType] = {
    type_.id: type_
    for type_ in (
        ActivityType(id="contact-created", added={Version.V5: ("origin",)}),
        ActivityType(id="contact-merged", added={Version.V4: ("previousContactId",)}),
        _type("entity-identified"),
        _type("entity-entered-segment", *_SEGMENT),
        _type("entity-exited-segment", *_SEGMENT),
        _type("login"),
        _type("register"),
        _type(
            "web-page-visited",
            "url",
            "referer",
            "pageTitle",
            "pageTags",
            "pageCategories",
            "pageKeywords",
            "deviceType",
            "ip",
            "userAgent",
        ),
        _type("search", "searchText"),
        _type("web-link-clicked", "url", "linkUrl", "resolvedUrl"),
        _type("web-content-opened", *_WEB_CONTENT),
        _type("web-content-clicked", *_WEB_CONTENT),
        _type("web-form-submitted", "url", "formType", "formData", "ip"),
        _type(
            "product-visited",
            "productId",
            "productName",
            "url",
            v2=("origin", *MOBILE_FIELDS, "device"),
        ),
        _type("product-searched", "searchText"),
        # A product put into or taken out of a cart is told by fields of the activity itself, so
        # only whole carts and purchases have lines in the product file.
        _type("cart-product-added", *_CART_PRODUCT, v2=("origin", "device")),
        _type("cart-product-removed", *_CART_PRODUCT, v2=("origin", "device")),
        _type("cart-abandoned", "cartId", "totalQuantity", "totalPrice", has_product_lines=True),
        ActivityType(
            id="purchase",
            added={
                Version.V1: (
                    "purchaseId",
                    "cartId",
                    "purchaseDate",
                    "paymentMethod",
                    "totalQuantity",
                    "totalPrice",
                    "origin",
                ),
                Version.V2: (*MOBILE_FIELDS, "device"),
                Version.V3: ("sourceType", "sourceName"),
                Version.V4: (
                    "contentId",
                    "contentName",
                    "contentTags",
                    "workflowId",
                    "workflowName",
                    "workflowTags",
                    "attributionConfidence",
                    "attributionScenario",
                ),
            },
            has_product_lines=True,
        ),
        _type("coupon-assigned", "couponCode", "couponSetId"),
        _type("email-sent", *_EMAIL),
        _type("email-sent-alert", *_EMAIL),
        _type("email-opened", *_EMAIL),
        _type(
            "email-link-clicked", *_EMAIL, "linkUrl", "resolvedUrl", "ip", "referer", "userAgent"
        ),
        _type("email-bounce", "bouncedEmail", "bounceType", "bounceCode", "bounceStatus"),
        _type("email-spam-report", "emailSendId", *_MESSAGE),
        _type("email-unsubscribed", "emailSendId", *_MESSAGE),
        _type(
            "newsletter-subscribe",
            "emailSubscribedToNewsletter",
            v2=("origin", *MOBILE_FIELDS),
        ),
        _type("sms-sent", *_SMS),
        _type("sms-sent-alert", *_SMS),
        _type("sms-bounce", *_SMS, "bounceCode"),
        _type("push-notification-subscribed", *_MESSAGE),
        _type("push-notification-unsubscribed", *_MESSAGE, "pushUnsubscriptionDate"),
        _type("push-notification-opened", *_MESSAGE),
        _type("push-notification-link-clicked", *_MESSAGE, "linkUrl"),
        _type("push-notification-error", *_MESSAGE),
        _type("push-notification-migrate-subscription", *_MESSAGE),
        _type("contact-added-to-gads-audience"),
        _type("contact-removed-from-gads-audience"),
        _type("facebook-contact-sent"),
        _type(
            "custom-event",
            "customEventId",
            "customEventName",
            "eventData",
            v2=("origin", *MOBILE_FIELDS, "device"),
        ),
    )
}
"""Every type by the id that files show in the column `Activity type`."""

_FORMER_IDS = {
    "banner-link-clicked": "web-content-clicked",
    "web-modal-opened": "web-content-opened",
}
_SAME_WORD = (("contact-", "entity-"), ("entity-", "contact-"))


def canonical(spelling: str) -> str | None:
    """The type id that this spelling means, or None when it means none.

    `contact-` and `entity-` at the start mean the same; ids of former years are understood too.
    """
    if spelling in ACTIVITY_TYPES:
        return spelling
    for prefix, other in _SAME_WORD:
        swapped = other + spelling.removeprefix(prefix)
        if spelling.startswith(prefix) and swapped in ACTIVITY_TYPES:
            return swapped
    return _FORMER_IDS.get(spelling)
