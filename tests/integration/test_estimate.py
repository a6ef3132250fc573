"""POST /exports/estimate, held against the exports that are made right after."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api_client import Client
from tests.api_server import serving

MARCH = {"fromDate": "2026-03-01", "toDate": "2026-03-31"}
CONTACTS = {"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"}
ACTIVITIES = CONTACTS | {"exportType": "activities", "filters": MARCH, "delimiter": ";"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with serving(tmp_path / "data", rate_limit=1_000_000, slice_rows=1000) as address:
        yield Client(address)


def add(client: Client, count: int) -> None:
    """Purchases and searches of March; later ones have longer texts, some say nothing."""
    rows = []
    for n in range(count):
        row: dict[str, Any] = {
            "id": f"a{n:05}",
            "type": "search" if n % 3 else "purchase",
            "createdAt": f"2026-03-{1 + n * 30 // count:02}T{n % 24:02}:00:00Z",
            "email": f"u{n % 50}@example.com",
        }
        if n % 3 == 0:
            row |= {"purchaseId": f"p{n}", "products": [{"productId": "x"}, {"price": n}]}
        elif n % 2:
            row["searchText"] = 'say "hi"; \n' + "long " * (n * 40 // count)
        rows.append(row)
    text = "".join(json.dumps(row) + "\n" for row in rows)
    headers = {"Content-Type": "application/x-ndjson"}
    client.done("POST", "/activities", 200, content=text, headers=headers)


def files(client: Client, body: dict[str, Any]) -> list[list[list[str]]]:
    """The rows of each file of a new export, headers left out."""
    archive = httpx.get(client.export(**body)["fileUrl"], timeout=30)
    with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
        texts = [opened.read(name).decode() for name in opened.namelist()]
    delimiter = body["delimiter"]
    return [list(csv.reader(io.StringIO(text), delimiter=delimiter))[1:] for text in texts]


@pytest.mark.parametrize("body", [CONTACTS, ACTIVITIES])
def test_a_small_export_is_estimated_exactly(client: Client, body: dict[str, Any]):
    """Rows, bytes of every file and the first ten rows are those of the export made right after;
    compressed bytes are close to its file's."""
    add(client, 60)
    told = client.done("POST", "/exports/estimate", 200, json=body)
    rows = files(client, body)
    export = client.done("GET", "/exports", 200)["results"][0]
    manifest = client.done("GET", f"/exports/{export['id']}/manifest", 200)
    assert told["rows"] == export["total"] == manifest["rows"]
    assert told["snapshot"] == manifest["snapshot"]["number"]
    assert [(member["rows"], member["bytes"]) for member in told["members"]] == [
        (member["rows"], member["bytes"]) for member in manifest["members"]
    ]
    assert told["bytes"] == sum(member["bytes"] for member in manifest["members"])
    assert told["compressedBytes"] == pytest.approx(manifest["archive"]["bytes"], abs=600)
    for member, proof, found in zip(told["members"], manifest["members"], rows, strict=True):
        assert member["columns"][0]["label"] == proof["columns"][0]["label"]
        ids = [column["id"] for column in member["columns"]]
        assert ids == [column["id"] for column in proof["columns"]]
        shown = [[row.get(id_, "") for id_ in ids] for row in member["sample"]]
        assert shown == found[:10]
        assert len(shown) == min(10, len(found))


def test_a_larger_export_is_estimated_from_a_few_places(client: Client):
    """Rows are exact; bytes are near, although rows grow longer from slice to slice."""
    add(client, 9000)
    told = client.done("POST", "/exports/estimate", 200, json=ACTIVITIES)
    export = client.export(**ACTIVITIES)
    manifest = client.done("GET", f"/exports/{export['id']}/manifest", 200)
    assert len(manifest["members"][0]["slices"]) > 4
    assert told["rows"] == export["total"]
    text = sum(member["bytes"] for member in manifest["members"])
    assert told["bytes"] == pytest.approx(text, rel=0.15)
    assert told["compressedBytes"] == pytest.approx(manifest["archive"]["bytes"], rel=0.15)


def test_an_estimate_writes_nothing(client: Client, tmp_path: Path):
    """There is no export afterwards and no file, even when no more exports may wait."""
    add(client, 30)
    client.done("POST", "/exports/estimate", 200, json=ACTIVITIES)
    assert client.done("GET", "/exports", 200)["results"] == []
    assert [path for path in (tmp_path / "data" / "files").rglob("*") if path.is_file()] == []


def test_seconds_are_learned_from_past_exports(client: Client):
    """The first estimate has nothing to learn from and says so; each export teaches."""
    assert client.done("POST", "/exports/estimate", 200, json=CONTACTS)["learnedFrom"] == 0
    for taught in (1, 2):
        client.export()
        told = client.done("POST", "/exports/estimate", 200, json=CONTACTS)
        assert told["learnedFrom"] == taught
        assert 0 < told["seconds"] < 30


def test_an_empty_account_is_estimated(client: Client):
    """No rows and no sample; the text is the headers of v1, whose bytes never change."""
    told = client.done("POST", "/exports/estimate", 200, json=ACTIVITIES)
    assert (told["rows"], told["snapshot"]) == (0, 0)
    assert [member["sample"] for member in told["members"]] == [[], []]
    assert told["bytes"] == 871
    told = client.done("POST", "/exports/estimate", 200, json=ACTIVITIES | {"format": "jsonl"})
    assert (told["rows"], told["bytes"], told["compressedBytes"]) == (0, 0, 0)


def test_an_estimate_takes_the_body_of_a_create(client: Client):
    """What a create would refuse is refused alike, with every path; reading is enough of a
    scope, and no method but POST is there."""
    wrong = {"exportType": "activities", "delimiter": "|", "filters": {"activityTypes": ["nope"]}}
    refused = client.faults("POST", "/exports/estimate", json=wrong)
    assert refused == client.faults("POST", "/exports/", json=wrong)
    assert set(refused) == {
        "/dateFormat",
        "/delimiter",
        "/filters/activityTypes/0",
        "/filters/fromDate",
        "/filters/toDate",
    }
    assert client.ask("GET", "/exports/estimate").status_code == 405
    assert client.ask("DELETE", "/exports/estimate").status_code == 405
