"""Reports over HTTP, and the exports made of them."""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest

from outhaul.api.app import create_app
from outhaul.archive.manifest import read_manifest
from outhaul.archive.verify import verify
from outhaul.domain.report_parts import DIMENSIONS, METRICS
from outhaul.edges import Edges
from outhaul.wiring import Outhaul
from tests.api_client import Client
from tests.api_server import Address, idle_outhaul, listening, serving

DOCS = (Path(__file__).parents[2] / "docs" / "reports.md").read_text()
UNKNOWN = "0" * 24
SALES = {
    "name": "V! Ventas Diarias / Año",
    "dimensions": ["year", "month", "day"],
    "metrics": ["numberOfPurchases", "totalPurchaseAmount", "numberOfContacts"],
}
ALL_FILTERS = {"/filters/reportId", "/filters/fromDate", "/filters/toDate"}
SOLD = [
    ("2026-02-28T22:59:59.999Z", "ann", 1),
    ("2026-02-28T23:00:00Z", "ann", 469),
    ("2026-03-01T12:00:00Z", "ann", 0.1),
    ("2026-03-01T12:00:00Z", "bob", 0.2),
    ("2026-03-31T21:59:59.999Z", "bob", 7),
    ("2026-03-31T22:00:00Z", "bob", 1),
]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Client]:
    """A client of an empty account."""
    with serving(tmp_path / "data", rate_limit=1_000_000) as address:
        yield Client(address)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of an account that tests share."""
    with serving(tmp_path_factory.mktemp("data") / "data", rate_limit=1_000_000) as address:
        yield Client(address)


@contextmanager
def listening_client(outhaul: Outhaul, key: str) -> Iterator[Client]:
    """A client of a server whose worker is asleep."""
    with listening(create_app(Edges(outhaul).services)) as (host, port):
        yield Client(Address(host=host, port=port, key=key))


def sell(client: Client) -> None:
    lines = [
        {"type": "purchase", "createdAt": at, "email": f"{who}@shop.example", "totalPrice": price}
        for at, who, price in SOLD
    ]
    kind = {"Content-Type": "application/x-ndjson"}
    text = "\n".join(map(json.dumps, lines))
    client.done("POST", "/activities/", 200, content=text, headers=kind)


def asked(report_id: str, first: str = "2026-03-01", last: str = "2026-03-31") -> dict[str, Any]:
    filters = {"reportId": report_id, "fromDate": first, "toDate": last}
    return {"delimiter": ",", "filters": filters}


def test_a_report_is_exported_over_days_of_the_account(shop: Client, tmp_path: Path):
    """From the first day's start to the last day's end in Madrid; sums are exact; the file bears
    the report's name and days, and agrees with its manifest."""
    sell(shop)
    report = shop.done("POST", "/reports/", 201, json=SALES)
    made = shop.done("POST", "/exports/type/data-explorer", 201, json=asked(report["id"]))
    started = {name: made[name] for name in made.keys() - {"id", "createdAt"}}
    assert started == {
        "exportType": "data-explorer",
        "status": "queued",
        "origin": "api",
        "version": "v1",
        "dateFormat": "ISO",
        "delimiter": ",",
        "filters": {
            "fromDate": "2026-02-28T23:00:00.000Z",
            "toDate": "2026-03-31T21:59:59.999Z",
            "reportId": report["id"],
        },
        "progress": 0,
        "total": 0,
    }
    ended = shop.until(f"/exports/{made['id']}", "finished", "error")
    assert (ended["status"], ended["progress"], ended["total"]) == ("finished", 2, 2)
    assert re.fullmatch(
        r"V! Ventas Diarias _ A_o-20260301-20260331-[0-9a-f-]{36}\.zip", ended["fileName"]
    )
    answer = httpx.get(ended["fileUrl"])
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        [member] = archive.namelist()
        assert member == ended["fileName"].removesuffix(".zip") + ".csv"
        assert archive.read(member).decode() == (
            '"year","month","day","numberOfPurchases","totalPurchaseAmount","numberOfContacts"\n'
            '"2026","3","1","3","469.30","2"\n'
            '"2026","3","31","1","7.00","1"\n'
        )
    proof = read_manifest(shop.ask("GET", f"/exports/{made['id']}/manifest").content)
    assert (proof.rows, proof.filters.report_id) == (2, report["id"])
    path = tmp_path / "sales.zip"
    path.write_bytes(answer.content)
    assert verify(path, proof).differences == ()


def test_a_small_report_goes_from_queued_to_finished(tmp_path: Path):
    """Programs take every status but `queued` for the end: none of its steps shows another."""
    with idle_outhaul(tmp_path / "data", rate_limit=1_000_000) as (outhaul, key):
        exports = outhaul.worker._work[0]
        with listening_client(outhaul, key) as client:
            sell(client)
            report = client.done("POST", "/reports/", 201, json=SALES)
            made = client.done("POST", "/exports/type/data-explorer", 201, json=asked(report["id"]))
            seen = []
            while exports.do_one("1" * 24):
                seen.append(client.done("GET", f"/exports/{made['id']}", 200)["status"])
        outhaul.engine.close()
    assert seen == ["queued", "queued", "finished"]


def test_an_export_keeps_the_report_that_it_was_made_of(tmp_path: Path):
    """Whatever becomes of the report before a worker gets to it."""
    with idle_outhaul(tmp_path / "data", rate_limit=1_000_000) as (outhaul, key):
        with listening_client(outhaul, key) as client:
            sell(client)
            report = client.done("POST", "/reports/", 201, json=SALES)
            path = f"/reports/{report['id']}"
            one, two = (
                client.done("POST", "/exports/type/data-explorer", 201, json=asked(report["id"]))
                for _ in range(2)
            )
            client.done("PUT", path, 200, json=SALES | {"dimensions": []})
            changed = client.done(
                "POST", "/exports/type/data-explorer", 201, json=asked(report["id"])
            )
            client.done("DELETE", path, 204)
            outhaul.start()
            totals = [
                client.until(f"/exports/{made['id']}", "finished", "error")["total"]
                for made in (one, two, changed)
            ]
        outhaul.stop()
    assert totals == [2, 2, 1]


def test_a_create_can_be_repeated_although_the_report_has_changed(client: Client):
    """The Idempotency-Key gives the first export; with other days it is refused."""
    report = client.done("POST", "/reports/", 201, json=SALES)
    key = {"headers": {"Idempotency-Key": "monday"}}
    path = "/exports/type/data-explorer"
    first = client.done("POST", path, 201, json=asked(report["id"]), **key)
    client.done("PUT", f"/reports/{report['id']}", 200, json=SALES | {"name": "Other"})
    assert client.done("POST", path, 201, json=asked(report["id"]), **key)["id"] == first["id"]
    client.faults("POST", path, json=asked(report["id"], last="2026-03-30"), **key)


def test_reports_are_listed_changed_and_deleted(shop: Client):
    """By name; what is deleted is gone for everybody, and its id is refused by new exports."""
    made = shop.done("POST", "/reports", 201, json=SALES)
    assert made == SALES | {"id": made["id"]}
    body = {"name": "A", "dimensions": [], "metrics": ["numberOfActivities"]}
    other = shop.done("POST", "/reports/", 201, json=body | {"activityTypes": ["entity-created"]})
    assert other == body | {"id": other["id"], "activityTypes": ["entity-created"]}
    path = f"/reports/{made['id']}"
    changed = shop.done("PUT", path, 200, json=body)
    assert changed == body | {"id": made["id"]}
    assert shop.done("GET", f"/reports/{made['id'].upper()}/", 200) == changed
    found = shop.done("GET", "/reports", 200)["results"]
    assert sorted(found, key=lambda one: one["id"]) == [changed, other]
    shop.done("DELETE", path, 204)
    assert shop.done("GET", "/reports/", 200) == {"results": [other]}
    for gone in (path, f"/reports/{UNKNOWN}", "/reports/x%00"):
        shop.done("GET", gone, 404)
        shop.done("PUT", gone, 404, json=body)
        shop.done("DELETE", gone, 404)
    refused = shop.faults("POST", "/exports/type/data-explorer", json=asked(made["id"]))
    assert refused == {"/filters/reportId": "must be the id of a report of this account"}


def test_every_fault_of_a_report_is_named_with_its_path(client: Client):
    """Shape and rules at once."""
    body = {
        "name": "",
        "dimensions": ["year", "years", "year", 7],
        "metrics": ["numberOfPurchases", "numberOfLogins", "numberOfPurchases"],
        "activityTypes": ["email-sent", "mail"],
        "colour": "red",
    }
    faults = client.faults("POST", "/reports/", json=body)
    assert set(faults) == {
        "/name",
        "/dimensions/1",
        "/dimensions/2",
        "/dimensions/3",
        "/metrics/0",
        "/metrics/1",
        "/metrics/2",
        "/activityTypes/1",
        "/colour",
    }
    assert faults["/metrics/0"] == "counts purchase, which activityTypes leaves out"
    lists = {"name": "x", "dimensions": [*DIMENSIONS][:11], "metrics": []}
    assert client.faults("POST", "/reports/", json=lists) == {
        "/dimensions": "must have at most 10",
        "/metrics": "must have at least one",
    }
    missing = client.faults("POST", "/reports/", json={"activityTypes": None})
    assert set(missing) == {"/name", "/dimensions", "/metrics", "/activityTypes"}
    assert set(client.faults("POST", "/reports/", json=[])) == {""}


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, {"/delimiter"} | ALL_FILTERS),
        ([], {""}),
        ({"delimiter": ",", "filters": []}, {"/filters"}),
        (asked(UNKNOWN), {"/filters/reportId"}),
        (asked("7"), {"/filters/reportId"}),
        (asked(UNKNOWN, "2026-03-01", "2026-04-02"), {"/filters/reportId", "/filters/toDate"}),
        (asked(UNKNOWN, "2026-03-02", "2026-03-01"), {"/filters/reportId", "/filters/toDate"}),
        (asked(UNKNOWN, "2026-W10-1", "20260331"), ALL_FILTERS),
        (asked("7", "2026-02-30", "1969-01-01"), ALL_FILTERS),
        (asked("7", "2026-03-01T00:00:00Z"), {"/filters/reportId", "/filters/fromDate"}),
        (
            asked("7") | {"dateFormat": "ISO", "version": "v1"},
            {"/filters/reportId", "/dateFormat", "/version"},
        ),
        (asked("7") | {"delimiter": "|"}, {"/filters/reportId", "/delimiter"}),
    ],
)
def test_every_fault_of_an_export_of_a_report_is_named(client: Client, body: Any, faults: set[str]):
    """Missing, unknown and wrong properties, and days that lie too far apart."""
    assert set(client.faults("POST", "/exports/type/data-explorer", json=body)) == faults


def test_days_may_be_31_apart(client: Client):
    """And no export of contacts or activities can be of this type."""
    report = client.done("POST", "/reports/", 201, json=SALES)
    body = asked(report["id"], "2026-03-01", "2026-04-01")
    client.done("POST", "/exports/type/data-explorer/", 201, json=body)
    assert "/exportType" in client.faults("POST", "/exports/", json={"exportType": "data-explorer"})
    client.faults("GET", "/exports/describe?exportType=data-explorer")


def test_an_erased_contact_leaves_the_reports_that_count_it(shop: Client):
    """The file is deleted as every other that holds something of the contact; others stay."""
    sell(shop)
    report = shop.done("POST", "/reports/", 201, json=SALES)
    path = "/exports/type/data-explorer"
    counted, later = (
        shop.done("POST", path, 201, json=asked(report["id"], first, last))
        for first, last in (("2026-03-01", "2026-03-02"), ("2026-03-30", "2026-03-31"))
    )
    for made in (counted, later):
        shop.until(f"/exports/{made['id']}", "finished")
    shop.done("DELETE", "/contacts/ann@shop.example", 204)
    assert shop.done("GET", f"/exports/{counted['id']}", 200)["error"]["cause"] == "erased"
    assert shop.done("GET", f"/exports/{later['id']}", 200)["status"] == "finished"


def test_the_form_of_reports_is_published(client: Client):
    """A JSON Schema that takes what the server takes; the documentation has every id."""
    schema = client.done("GET", "/reports/definitions/schema", 200)
    assert jsonschema_rs.is_valid(schema, SALES)
    for bad in (SALES | {"metrics": []}, SALES | {"dimensions": ["years"]}, {"name": "x"}):
        assert not jsonschema_rs.is_valid(schema, bad)
    described = set(re.findall(r"`(\w+)`", DOCS))
    assert METRICS.keys() <= described
    named = {id_ for id_, dimension in DIMENSIONS.items() if dimension.field != id_}
    assert named <= described


def test_accounts_whose_data_lies_in_a_warehouse_have_no_exports_of_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """409, since the report would be made of a store without rows."""
    with idle_outhaul(tmp_path / "data", rate_limit=1_000_000) as (outhaul, key):
        monkeypatch.setattr(outhaul.exports, "_elsewhere", lambda _: True)
        with listening_client(outhaul, key) as client:
            report = client.done("POST", "/reports/", 201, json=SALES)
            client.done("POST", "/exports/type/data-explorer", 409, json=asked(report["id"]))
        outhaul.engine.close()
