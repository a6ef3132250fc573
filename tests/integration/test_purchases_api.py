"""Purchases over HTTP, and what a contact's purchases add up to, however they came in."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outhaul.domain.cancellation import Cancellation
from outhaul.domain.export import Filters
from outhaul.domain.ids import new_id
from outhaul.domain.imports import ImportKind
from outhaul.ingest.purchase_service import Purchases
from outhaul.ingest.segment_service import Segments
from outhaul.store.commits import Commits
from outhaul.store.compaction import Compactor
from outhaul.store.contact_reads import ContactReads
from outhaul.store.segment_reads import SegmentReads
from outhaul.store.single_activities import PurchaseReads
from tests import golden
from tests.api_client import Client
from tests.api_server import serving
from tests.integration.ingest_shop import Shop, json_lines
from tests.pipeline_shop import PipelineShop, activities, members, request

EVER = {"fromDate": "2026-03-01", "toDate": "2026-03-31"}
MADE = {
    "purchaseId": 'p "1"',
    "contactEmail": "Ann@shop.example",
    "cartId": "c-1",
    "purchaseDate": "2026-03-05T10:00:00+01:00",
    "paymentMethod": "card",
    "totalPrice": 19.99,
    "totalQuantity": 3,
    "sourceType": "point-of-sale",
    "sourceName": "High street",
    "products": [
        {"productId": "x", "productName": "A", "unitPrice": 5, "quantity": 2, "price": 10},
        {"productId": "y", "categories": ["/a", "/b"], "quantity": 1, "price": 9.99},
    ],
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with serving(tmp_path_factory.mktemp("shop") / "data", rate_limit=1_000_000) as address:
        yield Client(address)


def buy(client: Client, id_: str, email: str, price: float, day: int) -> None:
    body = {
        "purchaseId": id_,
        "contactEmail": email,
        "totalPrice": price,
        "totalQuantity": 1,
        "purchaseDate": f"2026-03-{day:02}",
        "products": [],
    }
    client.done("POST", "/purchases", 201, json=body)


def totals(client: Client, email: str) -> tuple[Any, ...]:
    contact = client.done("GET", f"/contacts/{email}", 200)
    ids = ("TotalPurchases", "TotalPurchasesAmount", "AveragePurchasesAmount")
    dates = [contact.get(f"_{place}PurchaseDate", "")[:10] for place in ("first", "last")]
    return (*(contact.get(f"_{id_[0].lower()}{id_[1:]}") for id_ in ids), *dates)


def test_a_purchase_is_made_read_and_exported(client: Client):
    """201 with the purchase; both paths read it; files have its activity and product lines."""
    client.done("PATCH", "/contacts/ann@shop.example", 201, json={})
    made = client.done("POST", "/purchases/?triggerPurchaseEvent=true", 201, json=MADE)
    date, email = "2026-03-05T09:00:00.000Z", "ann@shop.example"
    told = {name: value for name, value in made.items() if name not in {"id", "contactId"}}
    assert told == MADE | {"purchaseDate": date, "contactEmail": email}
    assert client.done("GET", f"/purchases/{made['id']}/", 200) == made
    assert client.done("GET", "/purchases/purchase-id/p%20%221%22", 200) == made
    (row,) = client.rows(exportType="activities", filters=EVER, version="v3")
    assert (row["Activity type"], row["Creation date"], row["Email"]) == ("purchase", date, email)
    assert (row["Purchase ID"], row["Total price"]) == ('p "1"', "19.99")
    assert (row["Source type"], row["Source name"]) == ("point-of-sale", "High street")
    lines = client.rows(1, exportType="activities", filters=EVER, version="v3")
    assert [(line["Product ID"], line["Categories"], line["Price"]) for line in lines] == [
        ("x", "", "10.00"),
        ("y", "/a|/b", "9.99"),
    ]


def test_a_purchase_is_taken_once_and_only_for_a_contact_that_is_there(client: Client):
    """409 for the same purchaseId, E0101 for an unknown contact, 404 for an unknown purchase."""
    client.ask("PATCH", "/contacts/bob@shop.example", json={"_externalId": "bob"})
    body = MADE | {"purchaseId": "once", "contactExternalId": "bob"}
    del body["contactEmail"]
    client.done("POST", "/purchases/", 201, json=body)
    client.done("POST", "/purchases/", 409, json=body)
    stranger = body | {"purchaseId": "other", "contactExternalId": "nobody"}
    assert client.done("POST", "/purchases/", 400, json=stranger)["code"] == "E0101"
    client.done("GET", "/purchases/nothing", 404)
    client.done("GET", "/purchases/purchase-id/other", 404)
    assert totals(client, "bob@shop.example")[0] == 1


def test_a_purchase_is_taken_back(client: Client):
    """By either id: it is gone for everybody, files and totals follow; its purchaseId is free."""
    email = "fay@shop.example"
    client.done("PATCH", f"/contacts/{email}", 201, json={})
    first = client.done(
        "POST",
        "/purchases/",
        201,
        json=MADE | {"purchaseId": "fay/1", "contactEmail": email, "purchaseDate": "2026-05-02"},
    )
    second = MADE | {"purchaseId": "fay-2", "contactEmail": email, "purchaseDate": "2026-05-01"}
    client.done("POST", "/purchases/", 201, json=second)
    assert totals(client, email) == (2, 39.98, 19.99, "2026-05-01", "2026-05-02")
    client.done("DELETE", f"/purchases/{first['id']}", 204)
    for path in (f"/purchases/{first['id']}", "/purchases/purchase-id/fay%2F1"):
        client.done("GET", path, 404)
        client.done("DELETE", path, 404)
    assert totals(client, email) == (1, 19.99, 19.99, "2026-05-01", "2026-05-01")
    may: dict[str, Any] = {
        "exportType": "activities",
        "filters": {"fromDate": "2026-05-01", "toDate": "2026-05-31"},
    }
    assert [row["Purchase ID"] for row in client.rows(**may)] == ["fay-2"]
    assert len(client.rows(1, **may)) == 2
    client.done("DELETE", "/purchases/purchase-id/fay-2/", 204)
    assert totals(client, email) == (None, None, None, "", "")
    client.done("POST", "/purchases/", 201, json=second)
    assert totals(client, email)[0] == 1


def test_an_export_planned_before_still_has_a_purchase_that_was_taken_back(tmp_path: Path):
    """So do segments and reports as of that snapshot; later ones do not, also once compaction has
    removed it."""
    shop = PipelineShop(tmp_path)
    at = "2026-03-05T10:00:00Z"
    sold = {"type": "purchase", "createdAt": at, "contactId": "c1", "totalPrice": 7}
    shop.take(ImportKind.CONTACTS, [{"id": "c1", "_email": "a@b.example"}])
    lines = {"products": [{"productId": "x"}]}
    shop.take(
        ImportKind.ACTIVITIES,
        [sold | lines | {"id": "p1", "purchaseId": "p1"}, sold | {"id": "p2", "purchaseId": "p2"}],
    )
    segments = Segments(shop.commits, SegmentReads(shop.engine))
    rule = {"activity": "purchase", "atLeast": 2}
    segment = segments.create(shop.account, "Twice", rule)
    report = next(report for name, report in golden.report_cases() if name == "totals.csv")
    wanted = [activities(), request(filters=Filters(segment_id=segment.id)), report]
    planned = [shop.plan(one) for one in wanted]
    before = [shop.export(one) for one in wanted]

    reads = PurchaseReads(shop.engine)
    purchases = Purchases(shop.commits, ContactReads(shop.engine), reads)
    purchases.delete(shop.account.id, "purchaseId", "p1")
    for (pipeline, export, plan, parts), expected in zip(planned, before, strict=True):
        done = [(part, shop.slice(pipeline, export, plan, part)) for part in parts]
        facts, _ = pipeline.assemble(export, plan, done, attempt=1, cancellation=Cancellation())
        assert members(b"".join(shop.files.read(facts.key))) == expected
    after = [shop.export(one) for one in wanted]
    assert [[text.count(b"\n") - 1 for text in files] for files in after] == [[1, 0], [0], [1]]
    assert b'"7.00"' in after[2][0]
    assert b'"14.00"' in before[2][0]
    assert segments.count(shop.account, segment.id) == 0

    compactor = Compactor(shop.engine, shop.commits, least=1)
    assert compactor.compact(shop.account.id, lambda newest: newest) > 0
    with shop.engine.session(shop.account.id) as connection:
        held = connection.execute("SELECT id FROM activities_purchase").fetchall()
        assert held == [("p2",)]
        assert connection.execute("SELECT count(*) FROM product_lines").fetchall() == [(0,)]
    assert [shop.export(one) for one in wanted] == after
    shop.engine.close()


def test_every_fault_of_a_purchase_is_named(client: Client):
    """Missing, unknown and wrong properties, also those of products; both keys at once."""
    body = {
        "purchaseId": "",
        "contactEmail": "nobody",
        "contactExternalId": "x",
        "purchaseDate": "2026-02-30",
        "totalPrice": -1,
        "sourceType": "shop",
        "products": [{"quantity": 1.5, "colour": "red"}],
    }
    faults = client.faults("POST", "/purchases/", json=body)
    assert set(faults) == {
        "/purchaseId",
        "/totalPrice",
        "/totalQuantity",
        "/sourceType",
        "/products/0/productId",
        "/products/0/quantity",
        "/products/0/colour",
    }
    nulls = MADE | {"cartId": None, "products": [{"productId": "x", "brand": None}]}
    assert set(client.faults("POST", "/purchases/", json=nulls)) == {"/cartId", "/products/0/brand"}
    late = MADE | {"contactExternalId": "x", "purchaseDate": "2026-02-30"}
    assert set(client.faults("POST", "/purchases/", json=late)) == {
        "/contactEmail",
        "/purchaseDate",
    }


def test_totals_follow_each_purchase_in_the_same_commit(client: Client):
    """Count, exact amount, average and dates; a file shows the totals of its own moment."""
    client.done("PATCH", "/contacts/cat@shop.example", 201, json={})
    for number, (price, day) in enumerate([(0.1, 9), (0.2, 3), (0.3, 12)]):
        buy(client, f"cat-{number}", "cat@shop.example", price, day)
    assert totals(client, "cat@shop.example") == (3, 0.6, 0.2, "2026-03-03", "2026-03-12")
    row = next(row for row in client.rows() if row["Email"] == "cat@shop.example")
    assert (row["Total purchases"], row["Total purchases amount"]) == ("3", "0.60")


def test_concurrent_purchases_of_a_contact_are_all_counted(client: Client):
    """Purchases that share a commit do not lose each other."""
    client.done("PATCH", "/contacts/dan@shop.example", 201, json={})
    with ThreadPoolExecutor(8) as pool:
        done = pool.map(lambda n: buy(client, f"dan-{n}", "dan@shop.example", 1.01, 5), range(24))
        assert len(list(done)) == 24
    assert totals(client, "dan@shop.example")[:3] == (24, 24.24, 1.01)


_purchases = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(0, 10**9),
        st.integers(1, 28),
        st.sampled_from(["single", "bulk", "taken back"]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=15, deadline=None)
@given(bought=_purchases)
def test_totals_are_those_of_all_purchases_however_they_came(
    client: Client, bought: list[tuple[int, int, int, str]]
):
    """One by one or in bulk, without those taken back: count, sum, average (half up, six decimals)
    and dates are those that exact arithmetic gives."""
    salt = new_id()
    emails = [f"{salt}-{number}@shop.example" for number in range(3)]
    for email in emails:
        client.done("PATCH", f"/contacts/{email}", 201, json={})
    bulk = []
    for number, (who, cents, day, way) in enumerate(bought):
        if way != "bulk":
            buy(client, f"{salt}-{number}", emails[who], cents / 100, day)
        else:
            created = f"2026-03-{day:02}T00:00:00Z"
            line = {"type": "purchase", "createdAt": created, "email": emails[who]}
            bulk.append(json.dumps(line | {"totalPrice": cents / 100}))
    if bulk:
        headers = {"Content-Type": "application/x-ndjson"}
        client.done("POST", "/activities/", 200, content="\n".join(bulk), headers=headers)
    for number, (*_, way) in enumerate(bought):
        if way == "taken back":
            client.done("DELETE", f"/purchases/purchase-id/{salt}-{number}", 204)
    for number, email in enumerate(emails):
        mine = [
            (cents, day) for who, cents, day, way in bought if who == number and way != "taken back"
        ]
        if not mine:
            assert totals(client, email) == (None, None, None, "", "")
            continue
        amount = Fraction(sum(cents for cents, _ in mine), 100)
        millionths = amount / len(mine) * 10**6
        average = Decimal(int(millionths + Fraction(1, 2))) / 10**6
        days = [f"2026-03-{day:02}" for _, day in mine]
        assert totals(client, email) == (
            len(mine),
            float(amount),
            float(average),
            min(days),
            max(days),
        )


def test_totals_that_a_file_has_set_stand_for_everything_before(tmp_path: Path):
    """A file of contacts sets them; of purchases that come later, only later ones are added, and
    taken back again."""
    shop = Shop(tmp_path)
    shown = ("_email", "_totalPurchases", "_totalPurchasesAmount", "_averagePurchasesAmount")
    try:
        said = "_email,_totalPurchases,_totalPurchasesAmount\na@b.example,3,30\n"
        shop.take("contacts", "contacts.csv", said)
        for year in (2026, 2199):
            lines = [
                {
                    "type": "purchase",
                    "createdAt": f"{year}-03-05T10:00:00Z",
                    "email": email,
                    "totalPrice": 7,
                }
                for email in ("a@b.example", "c@d.example")
            ]
            shop.take("activities", f"{year}.jsonl", json_lines(lines))
            if year == 2026:
                assert shop.contacts(*shown) == [
                    ("a@b.example", 3, 30, None),
                    ("c@d.example", 1, 7, 7),
                ]
        assert shop.contacts(*shown) == [
            ("a@b.example", 4, 37, Decimal("9.25")),
            ("c@d.example", 2, 14, 7),
        ]
        commits, engine = Commits(shop.engine), shop.engine
        purchases = Purchases(commits, ContactReads(engine), PurchaseReads(engine))
        for (id_,) in shop.rows("SELECT id FROM activities_purchase"):
            purchases.delete(shop.account_id, "id", id_)
        assert shop.contacts(*shown) == [
            ("a@b.example", 3, 30, 10),
            ("c@d.example", None, None, None),
        ]
    finally:
        shop.close()
