"""What programs in the field do, request by request, against a real server.

Imports sent in chunks without a length are in `test_imports_api`.
"""

import csv
import io
import itertools
import json
import re
import time
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api_client import Client
from tests.api_server import serving

HALF_A_SECOND = 0.5
OCTOBER = {"fromDate": "2026-10-01T00:00:00.000Z", "toDate": "2026-10-31T23:59:59.999Z"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with serving(tmp_path / "data", rate_limit=1_000_000) as address:
        yield Client(address)


def bought(client: Client) -> None:
    """A purchase every day of September and October, by two buyers in turn."""
    lines = [
        {
            "type": "purchase",
            "createdAt": f"{date(2026, 9, 1) + timedelta(number)}T10:00:00Z",
            "email": f"c{number % 2}@shop.example",
            "totalPrice": 469,
        }
        for number in range(61)
    ]
    kind = {"Content-Type": "application/x-ndjson"}
    text = "\n".join(map(json.dumps, lines))
    client.done("POST", "/activities/", 200, content=text, headers=kind)


def table(archive: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    """The rows of the first file, which is all that most programs look at."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        text = opened.read(opened.infolist()[0]).decode()
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))


def test_a_create_without_a_slash_and_with_empty_filters(client: Client):
    """A program of 2023: polls until `finished` with a bar of progress and total, then fetches
    the file without a key."""
    client.done("PATCH", "/contacts/ann@shop.example", 201, json={"_name": "Ann"})
    body = {"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO", "filters": {}}
    export_id = client.done("POST", "/exports", 201, json=body)["id"]
    bars = []
    while True:
        export = client.done("GET", f"/exports/{export_id}", 200)
        bars.append((export["progress"], export["total"]))
        if export["status"] == "finished":
            break
        assert export["status"] in {"queued", "inProgress"}
        assert "fileUrl" not in export
    assert bars == sorted(bars)
    assert bars[-1] == (1, 1)
    [row] = table(httpx.get(export["fileUrl"]).content)
    assert row["Email"] == "ann@shop.example"


def test_contacts_of_a_segment_in_version_6(client: Client):
    """A program of 2026: reads `Email` and `Last update date`, and passes over rows without an
    email."""
    for name in ("ann", "bob"):
        client.done("PATCH", f"/contacts/{name}@shop.example", 201, json={})
    client.done("PATCH", "/contacts/external-id/till-7", 201, json={})
    [anonymous] = [row["Tracker"] for row in client.rows() if not row["Email"]]
    segment = client.done("POST", "/segments/", 201, json={"name": "Best"})["id"]
    members = ["ann@shop.example", anonymous]
    client.done("POST", f"/segments/{segment}/members", 200, json=members)
    body = {"exportType": "contacts", "delimiter": ";", "dateFormat": "ISO", "version": "v6"}
    headers = {"Content-Type": "application/json;charset=UTF-8"}
    created = client.ask(
        "POST", "/exports/", json=body | {"filters": {"segmentId": segment}}, headers=headers
    )
    assert created.status_code == 201
    ended = client.until(f"/exports/{created.json()['id']}", "finished")
    rows = table(httpx.get(ended["fileUrl"]).content, ";")
    assert len(rows) == 2
    assert [row["Email"] for row in rows if row["Email"]] == ["ann@shop.example"]
    for row in rows:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row["Last update date"])
    assert re.fullmatch(r"export-contacts-[0-9a-f-]{36}\.zip", ended["fileName"])


def test_a_misspelt_filter_is_refused_with_its_path(client: Client):
    """A program that writes `activityType`: it prints the detail and each path with its reason,
    and gets no file of everything."""
    body = {
        "exportType": "activities",
        "delimiter": ",",
        "dateFormat": "ISO",
        "filters": OCTOBER | {"activityType": ["purchase"]},
    }
    refused = client.ask("POST", "/exports/", json=body)
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/json"
    told = refused.json()
    printed = [f"{fault['path']}: {fault['reason']}" for fault in told["validationErrors"]]
    assert told["detail"] == "The export request is not valid."
    assert printed == ["/filters/activityType: is not a known property"]
    assert client.done("GET", "/exports/", 200)["results"] == []


def test_34_reports_are_created_half_a_second_apart_and_fetched_from_the_list(client: Client):
    """A weekly program: 17 reports over last month and this month, for which a 400 would be a
    lost export; then pages of the list until there is no next, files by the links in them, rows
    put together by year, month and day."""
    bought(client)
    metrics = ["numberOfPurchases", "totalPurchaseAmount", "numberOfContacts"]
    reports = [
        client.done(
            "POST",
            "/reports/",
            201,
            json={
                "name": f"V! Métricas {number:02}",
                "dimensions": ["year", "month", "day"][: 3 - number % 2],
                "metrics": metrics,
            },
        )["id"]
        for number in range(17)
    ]
    months = [("2026-09-01", "2026-09-30"), ("2026-10-01", "2026-10-25")]
    created = []
    for report, (first, last) in itertools.product(reports, months):
        filters = {"reportId": report, "fromDate": first, "toDate": last}
        answer = client.ask(
            "POST", "/exports/type/data-explorer", json={"delimiter": ",", "filters": filters}
        )
        assert answer.status_code == 201, answer.text
        created.append(answer.json()["id"])
        spend_half_a_second(client, created[-1])
    for export_id in created:
        client.until(f"/exports/{export_id}", "finished")

    found: dict[str, dict[tuple[str, ...], dict[str, str]]] = {}
    pages = 0
    page: dict[str, Any] = {"links": {"next": "/exports/?page=1&pageSize=10"}}
    while link := page["links"].get("next"):
        pages += 1
        page = client.done("GET", link[link.index("/exports/") :], 200)
        for export in page["results"]:
            [tail] = re.findall(r"-\d{8}-\d{8}-[0-9a-f-]{36}\.zip$", export["fileName"])
            report = found.setdefault(export["fileName"].removesuffix(tail), {})
            for row in table(httpx.get(export["fileUrl"]).content):
                key = tuple(row[part] for part in ("year", "month", "day") if part in row)
                report[key] = {metric: row[metric] for metric in metrics}
    assert pages == 4
    assert sorted(found) == [f"V! M_tricas {number:02}" for number in range(17)]
    daily, monthly = found["V! M_tricas 00"], found["V! M_tricas 01"]
    days = (date(2026, 9, 1) + timedelta(number) for number in range(30 + 25))
    once = {"numberOfPurchases": "1", "totalPurchaseAmount": "469.00", "numberOfContacts": "1"}
    assert daily == {(f"{day.year}", f"{day.month}", f"{day.day}"): once for day in days}
    assert monthly == {
        ("2026", "9"): dict(zip(metrics, ("30", "14070.00", "2"), strict=True)),
        ("2026", "10"): dict(zip(metrics, ("25", "11725.00", "2"), strict=True)),
    }


def spend_half_a_second(client: Client, export_id: str) -> None:
    """What the server gets done in that time, without the rest of it: it is idle once the newest
    export is finished."""
    end = time.monotonic() + HALF_A_SECOND
    while time.monotonic() < end:
        if client.done("GET", f"/exports/{export_id}", 200)["status"] == "finished":
            return


def test_whatever_is_not_queued_is_taken_for_the_end(client: Client):
    """A program that reads `fileUrl` as soon as the status is another, and takes the first file
    of the archive; its key stands in the header as it was typed."""
    bought(client)
    definition = {"name": "Ventas", "dimensions": ["date"], "metrics": ["numberOfPurchases"]}
    report = client.done("POST", "/reports/", 201, json=definition)["id"]
    bare = {"Authorization": client.address.key}
    filters = {"fromDate": "2026-10-01", "reportId": report, "toDate": "2026-10-31"}
    made = client.done(
        "POST",
        "/exports/type/data-explorer",
        201,
        json={"delimiter": ";", "filters": filters},
        headers=bare,
    )
    while True:
        export = client.done("GET", f"/exports/{made['id']}", 200, headers=bare)
        if export["status"] != "queued":
            break
    rows = table(httpx.get(export["fileUrl"]).content, ";")
    assert [row["date"] for row in rows] == [f"2026-10-{day:02}" for day in range(1, 32)]
