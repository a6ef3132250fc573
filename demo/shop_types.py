"""Which activities a shop sees, how often, and which fields each of them carries."""

_CAMPAIGN = ("contentId", "contentName", "workflowId", "workflowName")
_EMAIL = ("sentTo", "emailType", "emailSendId", *_CAMPAIGN)
_SMS = ("sentTo", "smsType", *_CAMPAIGN)
_CART_LINE = ("cartId", "productId", "productName", "productQuantity", "origin", "device")
_CUSTOM_EVENT = ("customEventId", "customEventName", "eventData", "origin", "device")

# Activity type: how many in a thousand, and the ids of its fields.
_SHOP: dict[str, tuple[int, tuple[str, ...]]] = {
    "web-page-visited": (
        268,
        (
            "url", "referer", "pageTitle", "pageTags", "pageCategories", "pageKeywords",
            "deviceType", "ip", "userAgent",
        ),
    ),
    "product-visited": (170, ("productId", "productName", "url", "origin", "device")),
    "email-sent": (180, _EMAIL),
    "email-opened": (90, _EMAIL),
    "email-link-clicked": (
        40,
        (*_EMAIL, "linkUrl", "resolvedUrl", "ip", "referer", "userAgent"),
    ),
    "search": (40, ("searchText",)),
    "product-searched": (20, ("searchText",)),
    "cart-product-added": (40, _CART_LINE),
    "cart-product-removed": (10, _CART_LINE),
    "cart-abandoned": (10, ("cartId", "totalQuantity", "totalPrice", "products")),
    "purchase": (
        24,
        (
            "purchaseId", "cartId", "purchaseDate", "paymentMethod", "totalQuantity",
            "totalPrice", "origin", "device", "sourceType", "sourceName", "contentId",
            "contentName", "contentTags", "workflowId", "workflowName", "workflowTags",
            "attributionConfidence", "attributionScenario", "products",
        ),
    ),
    "coupon-assigned": (6, ("couponCode", "couponSetId")),
    "web-link-clicked": (10, ("url", "linkUrl", "resolvedUrl")),
    "web-content-opened": (15, ("url", "linkUrl", *_CAMPAIGN)),
    "web-content-clicked": (6, ("url", "linkUrl", *_CAMPAIGN)),
    "web-form-submitted": (5, ("url", "formType", "formData", "ip")),
    "login": (10, ()),
    "register": (2, ()),
    "contact-created": (3, ("origin",)),
    "contact-merged": (1, ("previousContactId",)),
    "entity-identified": (4, ()),
    "entity-entered-segment": (6, ("segmentId", "segmentName")),
    "entity-exited-segment": (4, ("segmentId", "segmentName")),
    "email-sent-alert": (2, _EMAIL),
    "email-bounce": (4, ("bouncedEmail", "bounceType", "bounceCode", "bounceStatus")),
    "email-spam-report": (1, ("emailSendId", *_CAMPAIGN)),
    "email-unsubscribed": (2, ("emailSendId", *_CAMPAIGN)),
    "newsletter-subscribe": (3, ("emailSubscribedToNewsletter", "origin")),
    "sms-sent": (6, _SMS),
    "sms-bounce": (1, (*_SMS, "bounceCode")),
    "push-notification-subscribed": (2, _CAMPAIGN),
    "push-notification-unsubscribed": (1, (*_CAMPAIGN, "pushUnsubscriptionDate")),
    "push-notification-opened": (4, _CAMPAIGN),
    "push-notification-link-clicked": (2, (*_CAMPAIGN, "linkUrl")),
    "facebook-contact-sent": (1, ()),
    "custom-event": (7, _CUSTOM_EVENT),
}  # fmt: skip

TYPE_FIELDS = {type_: fields for type_, (_, fields) in _SHOP.items()}
"""The field ids of each activity type that the shop has, `products` being the product lines."""

TYPES = tuple(_SHOP)

MIX = tuple(type_ for type_, (share, _) in _SHOP.items() for _ in range(share))
"""Every type as often as it comes in a thousand activities."""

ANONYMOUS_MIX = tuple(
    type_ for type_ in MIX if type_.startswith(("web-", "search", "product-", "cart-product-"))
)
"""The same for contacts whose e-mail address the shop does not know."""
