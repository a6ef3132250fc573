"""Imports over HTTP."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api_client import Client
from tests.api_server import serving

CONTACTS = "_email,_name,_points\na@b.example,Ann,1\nnobody,x,1\nc@d.example,,2\n"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with serving(tmp_path / "data", rate_limit=1_000_000) as address:
        yield Client(address)


def sent(text: str | bytes, **fields: str) -> dict[str, Any]:
    return {"data": {"type": "contacts"} | fields, "files": {"file": ("c.csv", text, "text/csv")}}


def taken(client: Client, text: str | bytes, **fields: str) -> dict[str, Any]:
    """The import of the text once it has ended."""
    made = client.done("POST", "/imports/", 201, **sent(text, **fields))
    return client.until(f"/imports/{made['id']}", "finished", "error", "cancelled")


def contact(client: Client, email: str) -> tuple[Any, Any]:
    found = client.done("GET", f"/contacts/{email}", 200)
    return found.get("_name"), found.get("_points")


def test_a_file_is_imported_and_refused_rows_are_reported(client: Client, tmp_path: Path):
    """Counts in the resource, reasons behind a link without a key; the file is not kept."""
    ended = taken(client, CONTACTS)
    assert (ended["status"], ended["type"], ended["origin"]) == ("finished", "contacts", "api")
    assert (ended["total"], ended["success"], ended["errors"]) == (3, 2, 1)
    assert ended["createdAt"] <= ended["startedAt"] <= ended["finishedAt"]
    report = httpx.get(ended["errorReportFileUrl"])
    assert report.status_code == 200
    assert [json.loads(line)["line"] for line in report.text.splitlines()] == [3]
    assert httpx.get(ended["errorReportFileUrl"][:-1] + "x").status_code == 403
    assert contact(client, "c@d.example") == (None, 2)
    end = time.monotonic() + 10
    while list((tmp_path / "data" / "uploads").rglob("*.csv")):
        assert time.monotonic() < end, "the file is still there"
        time.sleep(0.02)  # It goes a moment after the import is seen to have ended.
    assert [one["id"] for one in client.done("GET", "/imports", 200)["results"]] == [ended["id"]]
    client.done("DELETE", f"/imports/{ended['id']}", 204)
    client.done("GET", f"/imports/{ended['id']}", 404)
    assert httpx.get(ended["errorReportFileUrl"]).status_code == 404
    assert list((tmp_path / "data" / "uploads").iterdir()) == []


@pytest.mark.parametrize(
    ("fields", "after"),
    [
        ({}, ("Ann", None)),
        ({"overrideExisting": "true"}, (None, 9)),
        ({"overrideExisting": "true", "updateOnlyEmptyFields": "true"}, ("Ann", 9)),
    ],
)
def test_what_happens_to_a_contact_that_is_there(
    client: Client, fields: dict[str, str], after: tuple[Any, Any]
):
    """It is kept, overridden, or given what it lacks; new ones are made in any case."""
    client.done("PATCH", "/contacts/a@b.example", 201, json={"_name": "Ann"})
    text = "_email;_name;_points\na@b.example;;9\nn@b.example;New;1\n"
    assert taken(client, text, delimiter=";", **fields)["success"] == 2
    assert contact(client, "a@b.example") == after
    assert contact(client, "n@b.example") == ("New", 1)


def test_a_file_comes_in_chunks_without_a_length(client: Client):
    """As a program does that makes the file while it sends it."""
    request = httpx.Request("POST", client.address.url, **sent(CONTACTS))
    content = iter([request.read()])
    headers = {"Content-Type": request.headers["content-type"]}
    made = client.done("POST", "/imports", 201, content=content, headers=headers)
    assert client.until(f"/imports/{made['id']}", "finished", "error")["success"] == 2


@pytest.mark.parametrize(
    ("fields", "paths"),
    [
        ({"type": "products"}, {"/type"}),
        ({"type": "coupons", "couponSetId": "x"}, {"/type", "/couponSetId"}),
        (
            {"delimiter": "|", "updateOnlyEmptyFields": "true"},
            {"/delimiter", "/updateOnlyEmptyFields"},
        ),
        ({"overrideExisting": "yes"}, {"/overrideExisting"}),
    ],
)
def test_every_fault_of_a_form_is_named(client: Client, fields: dict[str, str], paths: set[str]):
    """And nothing is queued."""
    assert set(client.faults("POST", "/imports/", **sent(CONTACTS, **fields))) == paths
    assert client.done("GET", "/imports", 200)["results"] == []


def test_what_cannot_be_a_form_is_refused(client: Client, tmp_path: Path):
    """Another media type, no form, no file, too long a file; nothing of it stays on the disk."""
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    client.done("POST", "/imports/", 415, json={})
    client.done("POST", "/imports/", 400, content=b"no form", headers=form)
    client.done(
        "POST", "/imports/", 400, content=b"", headers={"Content-Type": form["Content-Type"][:19]}
    )
    assert client.faults("POST", "/imports/", data={"type": "contacts"}, files={"f": b""})
    client.done("POST", "/imports/", 413, **sent(b"x" * 50_000_001))
    assert list((tmp_path / "data" / "uploads").iterdir()) == []


@pytest.mark.parametrize(
    "text", ["", "id,_name\n1,x\n", "_email,_totalPurchases\na@b.example,5\n", b"_email\n\xff\n"]
)
def test_a_file_that_cannot_be_taken_says_why(client: Client, text: str | bytes):
    """Empty, without emails, with a field that cannot be set, not UTF-8."""
    ended = taken(client, text)
    assert (ended["status"], ended["success"]) == ("error", 0)
    assert ended["error"].startswith("The file")


def test_files_that_a_crash_left_without_an_import_are_removed(tmp_path: Path):
    """At the next start."""
    left = tmp_path / "data" / "uploads" / "0123" / "contacts.csv"
    left.parent.mkdir(parents=True)
    left.write_text(CONTACTS)
    with serving(tmp_path / "data"):
        assert not left.parent.exists()
