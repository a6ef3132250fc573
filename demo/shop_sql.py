"""The SQL of the sample shop: contacts, activities and segment members, computed from row numbers.

`i` is the number of an activity, `c` of a contact, both from 0 in order of time. `hashed` stands in
for a random generator; its salt, a text, makes one draw independent of the next. The words of
`demo.words` are DuckDB variables, reached with `word`.

Everything is computed within the row: a join or an `IN` of many constants would let DuckDB hand
the rows over in another order.
"""

from collections.abc import Sequence

LOYAL_IN, WHOLESALE_IN, ANONYMOUS_IN = 5, 500, 25
"""One contact in so many is a returning customer, a wholesaler, or has no known e-mail address."""

_LINE = (
    "'productId': product_id(p), 'productName': word('products', p, 'product'),"
    " 'brand': word('brands', p, 'brand'), 'categories': word('product_categories', p, 'category'),"
    " 'unitPrice': price(p), 'quantity': q, 'price': (price(p) * q)::DECIMAL(12, 2)"
)


def macros(*, seed: int, contacts: int, first_ms: int, until_ms: int) -> list[str]:
    """The statements that define the functions which the shop's queries are written in.

    The contacts join at an even pace from `first_ms` to `until_ms`.
    """
    step_ms = max(1, (until_ms - first_ms) // contacts)
    bodies = {
        "hashed(n, salt)": f"hash(n, salt, {seed})",
        "roll(n, salt, sides)": "(hashed(n, salt) % sides::UBIGINT)::BIGINT",
        "share(n, salt)": "hashed(n, salt)::DOUBLE / 18446744073709551616.0",
        "pick(list, n, salt)": "list[1 + roll(n, salt, len(list))]",
        "word(list, n, salt)": "pick(getvariable(list), n, salt)",
        "often(n, salt, value)": (
            "CASE roll(n, salt, 10) WHEN 0 THEN NULL WHEN 1 THEN '' ELSE value END"
        ),
        "iso(ms)": "strftime(make_timestamp_ms(ms), '%Y-%m-%dT%H:%M:%S.%gZ')",
        "hex_id(ms, n, kind)": (
            "lpad(lower(hex(ms // 1000)), 8, '0') || lpad(lower(hex(hashed(n, kind))), 16, '0')"
        ),
        "few_id(n, salt, sides)": (
            "'5e70' || lpad(lower(hex(hashed(roll(n, salt, sides), salt))), 20, '0')"
        ),
        "joined(c)": f"{first_ms} + c * {step_ms} + roll(c, 'joined', {step_ms})",
        "known(ms)": f"greatest(1, least({contacts}, (ms - {first_ms}) // {step_ms}))",
        "closing()": f"{until_ms}",
        "contact_id(c)": "hex_id(joined(c), c, 'contact')",
        "anonymous(c)": f"roll(c, 'anonymous', {ANONYMOUS_IN}) = 0",
        "email_of(c)": (
            "CASE WHEN NOT anonymous(c) THEN word('address_first_names', c, 'name') || '.' ||"
            " word('address_surnames', c, 'surname') || c ||"
            " CASE roll(c, 'domain', 3) WHEN 0 THEN '@example.org' ELSE '@example.com' END END"
        ),
        # A range of numbers that is kept free for films and examples.
        "phone_of(c)": "'+447700900' || lpad(roll(c, 'phone', 1000)::VARCHAR, 3, '0')",
        "address(n)": (
            "CASE roll(n, 'ip', 9) WHEN 0 THEN '2001:db8::' || lower(hex(roll(n, 'host', 65536)))"
            " ELSE '203.0.113.' || roll(n, 'host', 256) END"
        ),
        "product_id(p)": "'P-' || lpad(p::VARCHAR, 5, '0')",
        "price(p)": "((199 + roll(p, 'price', 19800)) / 100)::DECIMAL(12, 2)",
        "line(p, q)": f"{{{_LINE}}}",
        "page(i)": "'https://shop.example.com/' || word('page_slugs', i, 'page')",
    }
    return [f"CREATE MACRO {name} AS {body}" for name, body in bodies.items()]


def segments_sql(contacts: int, ids: Sequence[str]) -> str:
    """The members of the two segments, the returning customers (large) and the wholesalers."""
    sizes = (("loyal", LOYAL_IN), ("wholesale", WHOLESALE_IN))
    return " UNION ALL ".join(
        f"SELECT '{id_}' AS \"segmentId\","
        f" getvariable('segment_names')[{number}] AS \"segmentName\","
        ' email_of(c) AS email, CASE WHEN anonymous(c) THEN contact_id(c) END AS "contactId"'
        f" FROM range({contacts}) numbers(c) WHERE roll(c, '{salt}', {one_in}) = 0"
        for number, (id_, (salt, one_in)) in enumerate(zip(ids, sizes, strict=True), start=1)
    )
