"""Contacts over HTTP, against a real server in this process."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.api_client import Client
from tests.api_server import serving


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with serving(tmp_path_factory.mktemp("shop") / "data", rate_limit=1_000_000) as address:
        yield Client(address)


def test_a_contact_is_made_changed_read_and_exported(client: Client):
    """201 and 200 answer the whole contact; null clears; what is not named stays."""
    made = client.done(
        "PATCH", "/contacts/ann@shop.example", 201, json={"_name": "Ann", "_points": 3}
    )
    assert made["_email"] == "ann@shop.example"
    assert (made["_name"], made["_points"], made["_isAnonymous"]) == ("Ann", 3, False)
    assert made["_createdAt"] == made["_updatedAt"]
    changed = client.done(
        "PATCH",
        "/contacts/ann@shop.example",
        200,
        json={"_birthdate": "1990-02-28", "_points": None, "_externalId": "shop/7 é"},
    )
    assert changed["id"] == made["id"]
    assert changed["_birthdate"] == "1990-02-28"
    assert "_points" not in changed
    assert client.done("GET", "/contacts/ann@shop.example", 200) == changed
    row = next(row for row in client.rows(version="v5") if row["Email"] == "ann@shop.example")
    assert (row["Tracker"], row["Name"], row["Birthdate"]) == (made["id"], "Ann", "1990-02-28")
    assert row["External ID"] == "shop/7 é"


def test_a_contact_that_changes_often_is_found_as_the_newest_change_left_it(client: Client):
    """By its keys of now alone, beside contacts that hardly change, in answers and in files."""
    calm = client.done("PATCH", "/contacts/calm@shop.example", 201, json={"_points": 1})
    often = "/contacts/often@shop.example"
    id_ = client.done("PATCH", often, 201, json={"_externalId": "often"})["id"]
    for number in range(60):
        path = often if number % 2 else "/contacts/external-id/often"
        changed = client.done("PATCH", path, 200, json={"_points": number})
        assert (changed["id"], changed["_points"]) == (id_, number)
        assert client.done("GET", path, 200) == changed
    by_external = "/contacts/external-id/often"
    moved = client.done("PATCH", by_external, 200, json={"_email": "moved@shop.example"})
    assert (moved["id"], moved["_points"]) == (id_, 59)
    client.done("GET", often, 404)
    assert client.done("PATCH", often, 201, json={})["id"] != id_
    assert client.done("PATCH", "/contacts/calm@shop.example", 200, json={}) == calm
    row = next(row for row in client.rows(version="v5") if row["Tracker"] == id_)
    assert (row["Email"], row["Points"]) == ("moved@shop.example", "59")


@pytest.mark.parametrize(
    "path",
    [
        "/contacts/path@shop.example",
        "/contacts/PATH%40Shop.example/",
        "/contacts/email/path@shop.example/",
        "/contacts/email/path%40shop.example",
        "/contacts/external-id/a%2Fb%20c",
        "/contacts/external-id/a/b%20c/",
    ],
)
def test_every_spelling_of_a_path_means_the_same_contact(client: Client, path: str):
    """Percent-encoded or not, with a slash at the end or not."""
    client.ask("PATCH", "/contacts/path@shop.example", json={"_externalId": "a/b c"})
    assert client.done("GET", path, 200)["_email"] == "path@shop.example"
    assert client.done("PATCH", path, 200, json={})["_externalId"] == "a/b c"


def test_by_external_id_an_email_can_be_changed_and_exports_follow(client: Client):
    """Without an email too, such a contact is not anonymous."""
    made = client.done("PATCH", "/contacts/external-id/x-1", 201, json={"_surname": "Nobody"})
    assert (made["_isAnonymous"], "_email" in made) == (False, False)
    for email in ("one@x.example", "two@x.example"):
        client.done("PATCH", "/contacts/external-id/x-1", 200, json={"_email": email.upper()})
        assert client.done("GET", f"/contacts/{email}", 200)["id"] == made["id"]
    client.done("GET", "/contacts/one@x.example", 404)


def test_everything_wrong_with_a_body_is_listed_at_once(client: Client):
    """Unknown, read-only and mistyped fields, each with its path; nothing is written."""
    body = {
        "_name": 7,
        "_points": "3",
        "_points2": 1,
        "_totalPurchases": 4,
        "id": "x",
        "_email": "other@shop.example",
        "_emailStatus": "sleeping",
        "_birthdate": "2026-02-30",
        "_externalId": "",
        "a/b~c": 1,
    }
    assert client.faults("PATCH", "/contacts/bad@shop.example", json=body) == {
        "/_name": "must be a string",
        "/_points": "must be a whole number",
        "/_points2": "is not a contact field of this account",
        "/_totalPurchases": "cannot be set; leave it out",
        "/id": "cannot be set; leave it out",
        "/_email": "stands in the path; leave it out",
        "/_emailStatus": "must be one of active, bounced, paused, banned",
        "/_birthdate": "must be a day such as 2026-03-05",
        "/_externalId": "must not be empty",
        "/a~1b~0c": "is not a contact field of this account",
    }
    client.done("GET", "/contacts/bad@shop.example", 404)


def test_a_key_belongs_to_one_contact(client: Client):
    """Neither an email nor an external id can be taken from another contact."""
    client.done("PATCH", "/contacts/owner@k.example", 201, json={"_externalId": "k-1"})
    taken = {"/_externalId": "belongs to another contact"}
    assert client.faults("PATCH", "/contacts/thief@k.example", json={"_externalId": "k-1"}) == taken
    client.done("PATCH", "/contacts/external-id/k-2", 201, json={})
    taken = {"/_email": "belongs to another contact"}
    email = {"_email": "owner@k.example"}
    assert client.faults("PATCH", "/contacts/external-id/k-2", json=email) == taken


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/contacts/nobody", b"{}", 400),
        ("/contacts/external-id/" + "x" * 51, b"{}", 400),
        ("/contacts/a%00@b.example", b"{}", 400),
        ("/contacts/%FF@b.example", b"{}", 400),
        ("/contacts/a@b.example", b"[]", 422),
        ("/contacts/a@b.example", b"{", 400),
        ("/contacts/a@b.example", b'{"_name": "a", "_name": "b"}', 400),
    ],
)
def test_what_cannot_be_read_is_refused(client: Client, path: str, body: bytes, status: int):
    """Paths that name no contact, bodies that are no object."""
    headers = {"Content-Type": "application/json"}
    assert client.ask("PATCH", path, content=body, headers=headers).status_code == status


def test_many_writers_of_one_contact_lose_nothing(client: Client):
    """Sixteen at once: one makes the contact, every change is there, and few commits were made."""
    start = threading.Barrier(16)
    fields = ["_name", "_surname", "_mobilePhone", "_points"]

    def write(number: int) -> httpx.Response:
        start.wait()
        value = number if number % 4 == 3 else str(number)
        return client.ask("PATCH", "/contacts/busy@shop.example", json={fields[number % 4]: value})

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(write, range(16)))
    assert sorted(answer.status_code for answer in answers) == [200] * 15 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    contact = client.done("GET", "/contacts/busy@shop.example", 200)
    assert {field: int(contact[field]) % 4 for field in fields} == {
        field: number for number, field in enumerate(fields)
    }


def test_values_of_changes_that_share_a_commit_keep_their_types(client: Client):
    """Short and long decimals, missing values, false and dates of many contacts at once."""
    for id_, type_ in (("rate", "decimal"), ("vip", "boolean"), ("born", "date")):
        body = {"id": id_, "name": id_, "type": type_}
        client.done("POST", "/contact-fields/", 201, json=body)
    start = threading.Barrier(16)
    rates = [1.5, 123456789012.25, 0.000001, -7, None]
    wanted: list[dict[str, Any]] = [
        {
            "rate": rates[number % 5],
            "vip": (True, False, None)[number % 3],
            "born": "0044-03-15" if number % 2 else None,
            "_points": number if number % 4 else None,
        }
        for number in range(16)
    ]

    def write(number: int) -> None:
        start.wait()
        client.done("PATCH", f"/contacts/typed-{number}@shop.example", 201, json=wanted[number])

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(write, range(16)))
    for number, values in enumerate(wanted):
        contact = client.done("GET", f"/contacts/typed-{number}@shop.example", 200)
        assert {name: contact.get(name) for name in values} == values


def test_a_deleted_contact_is_gone_everywhere_soon(client: Client):
    """404 at once, the export's file too; a contact made again is another one."""
    made = client.done("PATCH", "/contacts/gone@shop.example", 201, json={})
    export = client.export()
    assert httpx.get(export["fileUrl"]).status_code == 200
    client.done("DELETE", "/contacts/email/gone@shop.example/", 204)
    client.done("GET", "/contacts/gone@shop.example", 404)
    client.done("DELETE", "/contacts/gone@shop.example", 404)
    assert httpx.get(export["fileUrl"]).status_code == 404
    after = client.done("GET", f"/exports/{export['id']}", 200)
    assert (after["status"], after["error"]["cause"]) == ("error", "erased")
    assert "gone@shop.example" not in {row["Email"] for row in client.rows()}
    again = client.done("PATCH", "/contacts/gone@shop.example", 201, json={})
    assert re.fullmatch("[0-9a-f]{24}", again["id"])
    assert again["id"] != made["id"]
