"""What a request may ask for beyond the contract: files made of it, held against plain ones."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from outhaul.archive.manifest import read_manifest
from outhaul.archive.verify import verify
from outhaul.domain.export import MemberKind
from outhaul.domain.extras import Extras
from outhaul.domain.imports import ImportKind
from tests.api_client import Client
from tests.api_server import serving
from tests.pipeline_shop import PipelineShop, activities, request

AT = "2026-03-05T14:07:09.000Z"
_ACTIVITIES: list[dict[str, Any]] = [
    {"type": "web-page-visited", "url": 'https://x/"y"'},
    {"type": "search", "searchText": "shoes"},
    {"type": "purchase", "totalPrice": 3, "products": [{"productId": "x"}]},
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipelineShop]:
    """A few contacts with a field of their own; a visit, a search and a purchase."""
    made = PipelineShop(tmp_path_factory.mktemp("extras"))
    made.take(
        ImportKind.CONTACTS,
        (
            {
                "id": f"c{n}",
                "_email": f"c{n}@example.com",
                "_points": -n,
                "size": f"v{n}",
                "_createdAt": AT,
            }
            for n in range(5)
        ),
    )
    made.take(
        ImportKind.ACTIVITIES,
        (
            more | {"id": f"a{n}", "createdAt": AT, "contactId": f"c{n}"}
            for n, more in enumerate(_ACTIVITIES)
        ),
    )
    yield made
    made.engine.close()


def table(text: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.decode(), newline="")))


def columns(text: bytes, *labels: str) -> list[list[str]]:
    """These columns of a file, its header among them."""
    header, *rows = table(text)
    places = [header.index(label) for label in labels]
    return [[row[place] for place in places] for row in (header, *rows)]


def test_columns_are_chosen_and_ordered(shop: PipelineShop) -> None:
    """Each value is that of the plain file; also a field of the account's own."""
    [plain] = shop.export(request())
    [chosen] = shop.export(request(extras=Extras(columns=("_points", "size", "id"))))
    assert table(chosen) == columns(plain, "Points", "size", "Tracker")
    assert chosen.startswith(b'"Points","size","Tracker"\n"0","v0","c0"\n')


def test_the_product_file_has_a_choice_of_its_own(shop: PipelineShop) -> None:
    """Columns of activities leave the product lines as they are, and the other way round."""
    plain = shop.export(activities())
    first, products = shop.export(activities(extras=Extras(columns=("url", "activityId"))))
    assert table(first) == columns(plain[0], "URL", "Activity ID")
    assert products == plain[1]
    first, products = shop.export(activities(extras=Extras(product_columns=("productId",))))
    assert first == plain[0]
    assert table(products) == columns(plain[1], "Product ID")


def test_a_chosen_column_is_there_whatever_types_are_selected(shop: PipelineShop) -> None:
    """Without rows that have it, it is empty: the file's shape does not change with the filter."""
    filters = replace(activities().filters, activity_types=("search",))
    [text] = shop.export(
        activities(filters=filters, extras=Extras(columns=("searchText", "url", "email")))
    )
    assert text == b'"Search text","URL","Email"\n"shoes",,"c1@example.com"\n'


def test_a_field_deleted_since_keeps_its_place(shop: PipelineShop) -> None:
    """The column is empty, its header is the id; the others do not move."""
    [text] = shop.export(request(extras=Extras(columns=("id", "formerField", "_email"))))
    assert text.startswith(b'"Tracker","formerField","Email"\n"c0",,"c0@example.com"\n')


def test_a_byte_order_mark_is_all_that_bom_adds(shop: PipelineShop) -> None:
    """Every file of the archive begins with it and goes on as the plain one."""
    for wanted in (request, activities):
        plain, marked = shop.export(wanted()), shop.export(wanted(extras=Extras(bom=True)))
        assert marked == [b"\xef\xbb\xbf" + text for text in plain]


def test_formula_guard_changes_only_text_that_a_spreadsheet_would_run(tmp_path: Path) -> None:
    """In contacts, activities and product lines; numbers, dates and phones stay."""
    shop = PipelineShop(tmp_path)
    texts = ["=1+1", "plain", "-5", '@SUM("A1")', "+34 600 111 222", "", "\n=x"]
    shop.take(
        ImportKind.CONTACTS,
        (
            {"id": f"{n}", "_name": text, "_points": -n, "_createdAt": AT}
            for n, text in enumerate(texts)
        ),
    )
    lines = [{"productId": text, "price": -1.5} for text in texts]
    purchase: dict[str, Any] = {"id": "p", "type": "purchase", "products": lines}
    shop.take(
        ImportKind.ACTIVITIES,
        (
            one | {"createdAt": AT, "contactId": "0"}
            for one in [
                purchase,
                *(
                    {"id": f"{n}", "type": "search", "searchText": text}
                    for n, text in enumerate(texts)
                ),
            ]
        ),
    )
    escaped = {"=1+1": "'=1+1", '@SUM("A1")': '\'@SUM("A1")', "\n=x": "'\n=x"}
    for wanted in (request, activities):
        guarded = shop.export(wanted(extras=Extras(formula_guard=True)))
        for text, found in zip(shop.export(wanted()), guarded, strict=True):
            assert table(found) == [
                [escaped.get(value, value) for value in row] for row in table(text)
            ]
            assert found.count(b"'") == len(escaped)
    shop.engine.close()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with serving(tmp_path / "data", rate_limit=1_000_000) as address:
        yield Client(address)


def fetched(client: Client, tmp_path: Path, **body: Any) -> tuple[dict[str, Any], bytes, Path]:
    """A finished export, its manifest and its file."""
    export = client.export(**body)
    manifest = client.ask("GET", f"/exports/{export['id']}/manifest").content
    path = tmp_path / export["fileName"]
    path.write_bytes(httpx.get(export["fileUrl"], timeout=30).content)
    return export, manifest, path


def test_extensions_are_echoed_recorded_and_verified(client: Client, tmp_path: Path) -> None:
    """The export and its manifest tell what was asked; the file is whole by its manifest. A field
    named like a formula is guarded in the header."""
    field = {"id": "sum", "name": "=1+1", "type": "text"}
    client.done("POST", "/contact-fields", 201, json=field)
    client.done("PATCH", "/contacts/ann@shop.example", 201, json={"_name": "=1+1"})
    asked = {"columns": ["_name", "sum"], "bom": True, "formulaGuard": True}
    export, manifest, path = fetched(client, tmp_path, **asked)
    assert asked.items() <= export.items()
    assert json.loads(manifest)["extras"] == asked
    verdict = verify(path, read_manifest(manifest))
    assert verdict.differences == ()
    assert [rows for _, rows in verdict.members] == [1]
    with zipfile.ZipFile(path) as archive:
        text = archive.read(archive.namelist()[0])
    assert text == b"\xef\xbb\xbf" + b'"Name","\'=1+1"\n"\'=1+1",\n'


def test_a_repeated_create_has_to_ask_for_the_same_extensions(client: Client) -> None:
    """Under one Idempotency-Key another choice of columns is another request; what is said in
    words but is the contract's is not."""
    body = {"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"}
    named = {"headers": {"Idempotency-Key": "one"}}
    first = client.done("POST", "/exports/", 201, json=body | {"columns": ["id"]}, **named)
    again = body | {"columns": ["id"], "bom": False}
    assert client.done("POST", "/exports/", 201, json=again, **named)["id"] == first["id"]
    assert client.ask("POST", "/exports/", json=body, **named).status_code == 422


def test_an_estimate_shows_the_chosen_columns(client: Client) -> None:
    """Columns, sample and guard are those of the file to be."""
    client.done("PATCH", "/contacts/ann@shop.example", 201, json={"_name": "=1+1"})
    body = {"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"}
    extras = {"columns": ["_name", "_surname"], "formulaGuard": True}
    told = client.done("POST", "/exports/estimate", 200, json=body | extras)
    [member] = told["members"]
    assert [column["id"] for column in member["columns"]] == extras["columns"]
    assert member["sample"] == [{"_name": "'=1+1"}]
    assert member["kind"] == MemberKind.CONTACTS


def test_a_long_window_is_one_export(client: Client, tmp_path: Path) -> None:
    """Years in one file, in order, read at one instant and cut into slices; its parts are those
    of the months."""
    days = [f"{year}-{month:02}-05" for year in (2023, 2024, 2025) for month in range(1, 13)]
    lines = "".join(
        json.dumps({"id": day, "type": "login", "createdAt": day, "email": "a@shop.example"}) + "\n"
        for day in days
    )
    headers = {"Content-Type": "application/x-ndjson"}
    client.done("POST", "/activities", 200, content=lines, headers=headers)
    window = {"fromDate": "2023-01-05", "toDate": "2025-12-05"}
    body = {"exportType": "activities", "filters": window}
    export, manifest, path = fetched(client, tmp_path, **body, allowLongWindow=True)
    assert export["allowLongWindow"] is True
    assert json.loads(manifest)["extras"] == {"allowLongWindow": True}
    assert verify(path, read_manifest(manifest)).differences == ()
    with zipfile.ZipFile(path) as archive:
        text = archive.read(archive.namelist()[0])
    assert [row[0] for row in columns(text, "Activity ID")] == ["Activity ID", *days]
    plain = {"delimiter": ",", "dateFormat": "ISO"} | body
    assert list(client.faults("POST", "/exports/", json=plain)) == ["/filters/toDate"]
