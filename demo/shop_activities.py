"""The activities of the sample shop as one query."""

from demo.shop_types import TYPE_FIELDS, TYPES


def activities_sql(activities: int, *, starts_ms: int, step_ms: int, stride: int) -> str:
    """All activities; a stride of 1 keeps them in order of time, a larger one spreads them.

    About one in fifty comes at the very instant of the one before. Older contacts do more. Whoever
    has no e-mail address is told by `contactId`, everybody else by `email`. Reads the table
    `numbers`, whose column `n` counts the activities from 0.
    """
    fields = ", ".join(_field(name, expression) for name, expression in _FIELDS.items())
    return f"""
    SELECT type, iso(ms) AS "createdAt", email_of(c) AS email,
        CASE WHEN anonymous(c) THEN contact_id(c) END AS "contactId",
        hex_id(ms, i, 'activity') AS id, {fields}, products
    FROM (SELECT *, getvariable('types')[1 + t] AS type, {_field("products", _LINES)} FROM (
    SELECT *, CASE WHEN anonymous(c) THEN word('anonymous_mix', i, 'type')
        ELSE word('mix', i, 'type') END AS t FROM (
    SELECT *, floor(known(ms) * share(i, 'who') * share(i, 'again'))::BIGINT AS c FROM (
    SELECT i, {starts_ms} + slot * {step_ms} + roll(slot, 'instant', {step_ms}) AS ms FROM (
    SELECT i, greatest(0, i - (roll(i, 'together', 50) = 0)::BIGINT) AS slot FROM (
    SELECT n * {stride} % {activities} AS i FROM numbers
    ))))))"""


def _field(name: str, expression: str) -> str:
    """The column of a field, empty for all activity types that do not have it."""
    carriers = sum(1 << t for t, type_ in enumerate(TYPES) if name in TYPE_FIELDS[type_])
    return (
        f'CASE WHEN ({carriers}::UBIGINT >> t::UBIGINT) & 1 = 1 THEN {expression} END AS "{name}"'
    )


_LINES = (
    "list_transform(range(1 + roll(i, 'lines', 4)), lambda k:"
    " line(roll(i * 4 + k, 'item', 1000), 1 + roll(i * 4 + k, 'quantity', 3)))"
)

_FIELDS = {
    "url": "page(i)",
    "pageTitle": "word('page_titles', i, 'page')",
    "pageTags": "often(i, 'tagged', word('page_tags', i, 'tags'))",
    "pageCategories": "often(i, 'filed', word('page_categories', i, 'categories'))",
    "pageKeywords": "often(i, 'keyed', word('page_keywords', i, 'keywords'))",
    "referer": "often(i, 'referred', word('referers', i, 'referer'))",
    "deviceType": "word('devices', i, 'device')",
    "device": "word('devices', i, 'device')",
    "ip": "address(i)",
    "userAgent": "word('user_agents', i, 'agent')",
    "origin": "word('origins', i, 'origin')",
    "searchText": "often(i, 'searched', word('searches', i, 'search'))",
    "linkUrl": "page(i) || '#more'",
    "resolvedUrl": "page(i) || '#more'",
    "productId": "product_id(roll(i, 'item', 1000))",
    "productName": "word('products', roll(i, 'item', 1000), 'product')",
    "productQuantity": "1 + roll(i, 'quantity', 3)",
    "cartId": "'cart-' || i",
    "purchaseId": "'order/' || i",
    "purchaseDate": "iso(ms - roll(i, 'paid', 90000))",
    "paymentMethod": "word('payment_methods', i, 'payment')",
    "totalQuantity": "list_sum(list_transform(products, lambda l: l.quantity))::BIGINT",
    "totalPrice": "list_sum(list_transform(products, lambda l: l.price))::DECIMAL(12, 2)",
    "sourceType": "word('sources', i, 'source')",
    "sourceName": "word('source_names', i, 'source')",
    "couponCode": "'AUTUMN-' || i",
    "couponSetId": "few_id(i, 'coupons', 3)",
    "formType": "word('form_types', i, 'form')",
    "formData": (
        "json_object('message', word('notes', i, 'form data'), 'age', 18 + i % 60)::VARCHAR"
    ),
    "sentTo": "CASE WHEN type[:4] = 'sms-' THEN phone_of(c) ELSE email_of(c) END",
    "emailType": "word('email_types', i, 'email type')",
    "smsType": "word('email_types', i, 'email type')",
    "emailSendId": "few_id(i, 'send', 60)",
    "contentId": "few_id(i, 'campaign', 8)",
    "contentName": "word('campaigns', i, 'campaign')",
    "contentTags": "often(i, 'content', word('page_tags', i, 'content tags'))",
    "workflowId": "few_id(i, 'workflow', 4)",
    "workflowName": "word('workflows', i, 'workflow')",
    "workflowTags": "word('workflow_tags', i, 'workflow tags')",
    "attributionConfidence": "(roll(i, 'confidence', 101) / 100)::DECIMAL(4, 2)",
    "attributionScenario": "word('scenarios', i, 'scenario')",
    "bouncedEmail": "email_of(c)",
    "bounceType": "word('bounce_types', i, 'bounce type')",
    "bounceCode": "word('bounce_codes', i, 'bounce')",
    "bounceStatus": "word('bounce_statuses', i, 'bounce')",
    "emailSubscribedToNewsletter": "email_of(c)",
    "pushUnsubscriptionDate": "iso(ms)",
    "segmentId": "few_id(i, 'segments', 2)",
    "segmentName": "word('segment_names', i, 'segments')",
    "previousContactId": "hex_id(ms, i, 'merged contact')",
    "customEventId": "few_id(i, 'event', 3)",
    "customEventName": "word('events', i, 'event')",
    "eventData": (
        "json_object('score', roll(i, 'score', 11), 'text', word('notes', i, 'event'))::VARCHAR"
    ),
}
