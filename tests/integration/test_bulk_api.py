"""POST /activities: many at once, all or none, once."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
import zstandard

from tests.api_client import Client
from tests.api_server import serving

LINES = {"Content-Type": "application/x-ndjson"}
EVER = {"fromDate": "2026-03-01", "toDate": "2026-03-31"}


@pytest.fixture
def client(tmp_path) -> Iterator[Client]:
    with serving(tmp_path / "data", rate_limit=1_000_000) as address:
        yield Client(address)


def body(*rows: dict[str, Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _gzip(text: bytes) -> bytes:
    # Without the time in it, so that every process that collects tests names them alike.
    return gzip.compress(text, mtime=0)


def login(email: str = "a@b.example", **more: Any) -> dict[str, Any]:
    return {"type": "login", "createdAt": "2026-03-05T10:00:00Z", "email": email} | more


def exported(client: Client, member: int = 0) -> list[dict[str, str]]:
    return client.rows(member, exportType="activities", filters=EVER)


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [("identity", bytes), ("gzip", gzip.compress), ("zstd", zstandard.compress)],
)
def test_activities_are_taken_in_one_commit(client: Client, encoding: str, encode: Any):
    """Plain or compressed; contacts that are missing are made, product lines come along."""
    sent = body(
        login(),
        {
            "type": "purchase",
            "createdAt": "2026-03-06T10:00:00Z",
            "email": "c@d.example",
            "purchaseId": "p-1",
            "products": [{"productId": "x", "quantity": 2, "price": 3.5}],
        },
    )
    headers = LINES | {"Content-Encoding": encoding}
    answer = client.done("POST", "/activities", 200, content=encode(sent), headers=headers)
    assert answer == {"commit": 1, "taken": 2}
    assert [row["Activity type"] for row in exported(client)] == ["login", "purchase"]
    assert [row["Product ID"] for row in exported(client, 1)] == ["x"]
    assert client.done("GET", "/contacts/c@d.example", 200)["_email"] == "c@d.example"


def test_one_bad_line_and_nothing_is_taken(client: Client):
    """Every bad line is named with its reason, also those that only the store can judge."""
    sent = body(login(), {"type": "dance"}, login(url="x")) + b"{\n"
    faults = client.faults("POST", "/activities/", content=sent, headers=LINES)
    assert list(faults) == ["/2", "/3", "/4"]
    assert "createdAt is missing" in faults["/2"]
    late = body(login(), {**login(), "email": None, "contactId": "nobody"})
    assert client.faults("POST", "/activities/", content=late, headers=LINES) == {
        "/2": "no contact has this contactId"
    }
    assert exported(client) == []
    client.done("GET", "/contacts/a@b.example", 404)


def test_a_list_of_faults_is_bounded(client: Client):
    """A hundred lines are named, the detail counts all."""
    sent = body(*[{"type": "dance"}] * 150, login())
    answer = client.done("POST", "/activities", 422, content=sent, headers=LINES)
    assert len(answer["validationErrors"]) == 100
    assert answer["detail"] == "150 of 151 lines are not valid; nothing was taken."


def test_a_repeated_key_changes_nothing_and_gets_the_same_answer(client: Client):
    """The key belongs to one body; without a key, the same body is taken again."""
    headers = LINES | {"Idempotency-Key": "batch-7"}
    sent = body(login())
    first = client.done("POST", "/activities", 200, content=sent, headers=headers)
    client.done("POST", "/activities", 200, content=sent, headers=LINES)
    assert client.done("POST", "/activities", 200, content=sent, headers=headers) == first
    other = body(login("other@b.example"))
    client.done("POST", "/activities", 409, content=other, headers=headers)
    assert len(exported(client)) == 2


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"", {}, 400),
        (b"\xff\n", {}, 400),
        (b"no gzip", {"Content-Encoding": "gzip"}, 400),
        (b"no zstd", {"Content-Encoding": "zstd"}, 400),
        (_gzip(body(login()) * 9)[:-9], {"Content-Encoding": "gzip"}, 400),
        (_gzip(body(login())) * 2, {"Content-Encoding": "gzip"}, 400),
        (zstandard.compress(body(login()) * 9)[:-9], {"Content-Encoding": "zstd"}, 400),
        (b"{}", {"Content-Encoding": "br"}, 415),
        (b"{}", {"Content-Type": "application/json"}, 415),
        (_gzip(b" " * 200_000_001), {"Content-Encoding": "gzip"}, 413),
    ],
)
def test_what_cannot_be_read_is_refused(
    client: Client, content: bytes, headers: dict[str, str], status: int
):
    """Nothing, no text, a wrong encoding, one cut off or followed by more, too much."""
    answer = client.ask("POST", "/activities/", content=content, headers=LINES | headers)
    assert answer.status_code == status, answer.text
