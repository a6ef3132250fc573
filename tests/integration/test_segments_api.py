"""Segments over HTTP, and the exports that they narrow."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api_client import Client
from tests.api_server import serving

UNKNOWN = "0" * 24


@pytest.fixture
def client(tmp_path) -> Iterator[Client]:
    with serving(tmp_path / "data", rate_limit=1_000_000) as address:
        yield Client(address)


def exported(client: Client, segment_id: str) -> set[str]:
    return {row["Email"] for row in client.rows(filters={"segmentId": segment_id})}


def test_members_come_and_go_and_exports_follow(client: Client):
    """Named by email or id, each counted once; adding or removing again changes nothing."""
    ids = {
        name: client.done("PATCH", f"/contacts/{name}@b.example", 201, json={})["id"]
        for name in ("ann", "bob", "eve")
    }
    made = client.done("POST", "/segments", 201, json={"name": "Best"})
    assert made == {"id": made["id"], "name": "Best", "type": "static"}
    path = f"/segments/{made['id']}"
    named = [" ANN@b.example", ids["ann"], ids["bob"], "eve@b.example"]
    assert client.done("POST", f"{path}/members", 200, json=named) == {"added": 3}
    assert client.done("POST", f"{path}/members", 200, json=named[:2]) == {"added": 0}
    assert client.done("DELETE", f"{path}/members", 200, json=[ids["bob"]]) == {"removed": 1}
    assert client.done("DELETE", f"{path}/members", 200, json=["bob@b.example"]) == {"removed": 0}
    assert client.done("GET", f"{path}/count", 200) == {"count": 2}
    assert exported(client, made["id"]) == {"ann@b.example", "eve@b.example"}
    client.done("DELETE", "/contacts/ann@b.example", 204)
    assert client.done("GET", f"{path}/count", 200) == {"count": 1}


def test_a_list_with_unknown_contacts_changes_nothing_and_names_them_all(client: Client):
    """Each place in the list gets its path."""
    client.done("PATCH", "/contacts/ann@b.example", 201, json={})
    made = client.done("POST", "/segments", 201, json={"name": "Best"})
    path = f"/segments/{made['id']}"
    for method in ("POST", "DELETE"):
        faults = client.faults(
            method, f"{path}/members", json=["no@b.example", "ann@b.example", UNKNOWN]
        )
        assert faults == dict.fromkeys(("/0", "/2"), "must be the email or id of a contact")
        assert set(client.faults(method, f"{path}/members", json=[1, "", "x\0"])) == {
            "/0",
            "/1",
            "/2",
        }
        client.faults(method, f"{path}/members", json={"email": "ann@b.example"})
    assert client.done("GET", f"{path}/count", 200) == {"count": 0}


def test_a_segment_is_listed_renamed_and_deleted(client: Client):
    """What is deleted is gone for everybody; its id is refused by new exports."""
    made = client.done("POST", "/segments/", 201, json={"name": "Best"})
    other = client.done("POST", "/segments/", 201, json={"name": "All"})
    path = f"/segments/{made['id']}"
    renamed = client.done("PUT", path, 200, json={"name": "Finest"})
    assert renamed == made | {"name": "Finest"}
    assert client.done("GET", path, 200) == renamed
    assert client.done("GET", "/segments", 200) == {"results": [other, renamed]}
    client.done("DELETE", path, 204)
    assert client.done("GET", "/segments", 200) == {"results": [other]}
    for gone in (path, f"/segments/{UNKNOWN}", "/segments/x%00"):
        client.done("GET", gone, 404)
        client.done("GET", f"{gone}/count", 404)
        client.done("PUT", gone, 404, json={"name": "x"})
        client.done("POST", f"{gone}/members", 404, json=[])
        client.done("DELETE", f"{gone}/members", 404, json=[])
        client.done("DELETE", gone, 404)
    wanted: dict[str, Any] = {
        "exportType": "contacts",
        "delimiter": ",",
        "dateFormat": "ISO",
        "filters": {"segmentId": made["id"]},
    }
    assert "/filters/segmentId" in client.faults("POST", "/exports/", json=wanted)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": "x" * 251}, "/name"),
        ({"name": "x\0"}, "/name"),
        ({"name": 1}, "/name"),
        ({"name": "x", "colour": "red"}, "/colour"),
        ([], ""),
    ],
)
def test_a_body_that_breaks_a_rule_is_refused_with_its_path(client: Client, body: Any, path: str):
    """Name and nothing else."""
    assert path in client.faults("POST", "/segments/", json=body)
