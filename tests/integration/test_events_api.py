"""Custom events over HTTP."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from tests.api_client import Client
from tests.api_server import serving


@pytest.fixture
def client(tmp_path) -> Iterator[Client]:
    with serving(tmp_path / "data", rate_limit=1_000_000) as address:
        yield Client(address)


def test_an_event_becomes_an_activity(client: Client):
    """By alias and by id, of contacts named by either key; files show the event's fields."""
    contact = client.done("PATCH", "/contacts/a@b.example", 201, json={"_externalId": "a"})
    fields = {"size": 42, "said": 'a "b"', "list": [1, None]}
    sent = {"_email": "A@b.example"} | fields
    first = client.done("POST", "/custom-events/alias/fitted%20shoe/", 201, json=sent)
    second = client.done("POST", "/custom-events/id/6f1", 201, json={"_externalId": "a"})
    now = datetime.fromisoformat(contact["_createdAt"])
    window = {"fromDate": contact["_createdAt"], "toDate": (now + timedelta(days=1)).isoformat()}
    rows = {row["Activity ID"]: row for row in client.rows(exportType="activities", filters=window)}
    assert set(rows) == {first["id"], second["id"]}
    row = rows[first["id"]]
    assert (row["Activity type"], row["Email"]) == ("custom-event", "a@b.example")
    assert (row["Tracker"], row["Custom event name"]) == (contact["id"], "fitted shoe")
    assert json.loads(row["Event data"]) == fields
    assert (rows[second["id"]]["Custom event ID"], rows[second["id"]]["Event data"]) == ("6f1", "")


def test_a_contact_that_is_missing_is_made_only_when_asked_for(client: Client):
    """E0501 otherwise, and then nothing is left behind."""
    path, sent = "/custom-events/alias/seen", {"_email": "new@b.example"}
    assert client.done("POST", path, 400, json=sent)["code"] == "E0501"
    client.done("GET", "/contacts/new@b.example", 404)
    client.done("POST", path + "?createContact=true", 201, json=sent)
    assert client.done("GET", "/contacts/new@b.example", 200)["_isAnonymous"] is False


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        ({}, "/_email"),
        ({"_email": "a@b.example", "_externalId": "a"}, "/_email"),
        ({"_email": "nobody"}, "/_email"),
        ({"_email": 5}, "/_email"),
        ({"_externalId": "x" * 51}, "/_externalId"),
        ([], ""),
    ],
)
def test_an_event_names_its_contact(client: Client, sent: object, path: str):
    """By exactly one of its keys."""
    assert list(client.faults("POST", "/custom-events/alias/seen", json=sent)) == [path]


def test_an_event_may_be_longer_than_other_bodies(client: Client):
    """Up to 512 KiB; 413 beyond."""
    path = "/custom-events/alias/seen?createContact=true"
    body = {"_email": "a@b.example", "text": "x" * 500_000}
    client.done("POST", path, 201, json=body)
    client.done("POST", path, 413, json=body | {"more": "x" * 30_000})
