"""The contacts of the sample shop as one query."""

_BUYER = "roll(c, 'buys', 3) > 0"
_PURCHASES = "1 + roll(c, 'purchases', 12)"
_AMOUNT = "((995 + roll(c, 'amount', 40000)) / 100)::DECIMAL(12, 2)"
_UNSUBSCRIBED = "roll(c, 'newsletter', 10) IN (6, 7)"
_BOUNCED = "roll(c, 'email status', 30) = 0"


def contacts_sql(contacts: int) -> str:
    """All contacts, earliest first: a column a field id, the last ten being the shop's own."""
    columns = ", ".join(f'{expression} AS "{name}"' for name, expression in _FIELDS.items())
    return f"SELECT {columns} FROM range({contacts}) numbers(c)"


def _only(condition: str, value: str) -> str:
    return f"CASE WHEN {condition} THEN {value} END"


def _subscription(salt: str) -> str:
    return (
        f"CASE WHEN roll(c, '{salt}', 10) < 6 THEN 'subscribed'"
        f" WHEN roll(c, '{salt}', 10) < 8 THEN 'unsubscribed' ELSE 'none' END"
    )


def _after_joining(salt: str) -> str:
    """An instant between the contact's creation and the end of the shop's time."""
    return f"iso(joined(c) + ((closing() - joined(c)) * share(c, '{salt}'))::BIGINT)"


_FIELDS = {
    "id": "contact_id(c)",
    "_email": "email_of(c)",
    "_externalId": _only("NOT anonymous(c)", "'crm/' || c"),
    "_name": "often(c, 'named', word('first_names', c, 'name'))",
    "_surname": "often(c, 'surnamed', word('surnames', c, 'surname'))",
    "_birthdate": _only(
        "roll(c, 'dated', 4) > 0", "DATE '1940-01-01' + roll(c, 'birth', 24000)::INT"
    ),
    "_mobilePhone": _only("roll(c, 'phoned', 3) > 0", "phone_of(c)"),
    "_mobilePhoneStatus": _only("roll(c, 'phoned', 3) > 0", "'active'"),
    "_smsSubscriptionStatus": _subscription("sms"),
    "_newsletterSubscriptionStatus": _subscription("newsletter"),
    "_emailStatus": f"CASE WHEN {_BOUNCED} THEN 'bounced' ELSE 'active' END",
    "_emailBouncedReason": _only(_BOUNCED, "word('bounce_statuses', c, 'reason')"),
    "_emailLastBouncedDate": _only(_BOUNCED, _after_joining("bounced")),
    "_emailSoftBounces": "roll(c, 'soft bounces', 4)",
    "_emailLastUnsubscribedDate": _only(_UNSUBSCRIBED, _after_joining("unsubscribed")),
    "_emailLastUnsubscribedIp": _only(_UNSUBSCRIBED, "address(c)"),
    "_points": "roll(c, 'points', 5000)",
    "_hasPushSubscriptions": "roll(c, 'push', 6) = 0",
    "_firstPurchaseDate": _only(_BUYER, "iso(joined(c))"),
    "_lastPurchaseDate": _only(_BUYER, _after_joining("last purchase")),
    "_totalPurchases": _only(_BUYER, _PURCHASES),
    "_totalPurchasesAmount": _only(_BUYER, f"({_AMOUNT} * ({_PURCHASES}))::DECIMAL(12, 2)"),
    "_averagePurchasesAmount": _only(_BUYER, _AMOUNT),
    "_rfm": _only(_BUYER, "word('tiers', c, 'rfm')"),
    "_recency": _only(_BUYER, "1 + roll(c, 'recency', 5)"),
    "_frequency": _only(_BUYER, "1 + roll(c, 'frequency', 5)"),
    "_monetary": _only(_BUYER, "1 + roll(c, 'monetary', 5)"),
    "_churnRate": _only(_BUYER, "(roll(c, 'churn', 10001) / 100)::DECIMAL(12, 2)"),
    "_createdAt": "iso(joined(c))",
    "_updatedAt": _after_joining("updated"),
    "tier": "word('tiers', c, 'tier')",
    "favouriteStore": "often(c, 'stored', word('stores', c, 'store'))",
    "deliveryNotes": "often(c, 'noted', word('notes', c, 'note'))",
    "interests": _only("roll(c, 'interested', 4) > 0", "word('interests', c, 'interests')"),
    "householdSize": _only("roll(c, 'household', 4) > 0", "1 + roll(c, 'size', 6)"),
    "creditLimit": _only(
        "roll(c, 'credit', 3) = 0", "(roll(c, 'limit', 500000) / 100)::DECIMAL(12, 2)"
    ),
    "shoeSize": "(35 + roll(c, 'shoe', 24) / 2)::DECIMAL(4, 1)",
    "ownsPet": _only("roll(c, 'asked', 5) > 0", "roll(c, 'pet', 2) = 0"),
    "lastStoreVisit": _only(
        "roll(c, 'visitor', 3) > 0", "DATE '2026-01-01' + roll(c, 'visit', 300)::INT"
    ),
    "referredBy": "often(c, 'referred', word('first_names', c, 'friend'))",
}
