"""Segments over HTTP, and the exports that they narrow."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from outhaul.domain.account import Scope
from tests.api_client import Client
from tests.api_server import serving
from tests.console_site import site

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


def test_the_contacts_of_a_segment_are_listed_page_by_page(client: Client):
    """Static or dynamic, by creation instant; an erased contact is in none, and a contact without
    an email has only its id."""
    lines = [
        {"type": "login", "createdAt": f"2026-03-0{day}T12:00:00Z", "email": f"{name}@b.example"}
        for day, name in ((3, "ann"), (2, "bob"), (1, "eve"))
    ]
    kind = {"Content-Type": "application/x-ndjson"}
    client.done(
        "POST", "/activities/", 200, content="\n".join(map(json.dumps, lines)), headers=kind
    )
    loose = client.done("PATCH", "/contacts/external-id/7", 201, json={})["id"]
    names = ("eve", "bob", "ann")
    people = [
        {
            "id": client.done("GET", f"/contacts/{name}@b.example", 200)["id"],
            "email": f"{name}@b.example",
        }
        for name in names
    ]
    made = client.done("POST", "/segments", 201, json={"name": "All"})
    path = f"/segments/{made['id']}/members"
    assert client.done("GET", path, 200) == {"links": {}, "results": []}
    everybody = [loose, *(one["id"] for one in people)]
    client.done("POST", path, 200, json=everybody)
    listed = client.done("GET", path, 200)["results"]
    assert sorted(one["id"] for one in listed) == sorted(everybody)
    assert {"id": loose} in listed
    seen, link, pages = [], f"{client.address.url}{path}?pageSize=3", 0
    while link:
        page = client.done("GET", link.removeprefix(client.address.url), 200)
        seen += page["results"]
        link, pages = page["links"].get("next"), pages + 1
    assert (seen, pages) == (listed, 2)
    assert page["links"] == {"prev": f"{client.address.url}{path}?page=1&pageSize=3"}
    rule = {"field": "_email", "is": "exists", "value": True}
    ruled = client.done("POST", "/segments", 201, json={"name": "Known", "rule": rule})
    found = client.done("GET", f"/segments/{ruled['id']}/members", 200)["results"]
    assert found == [one for one in listed if one["id"] != loose]
    client.done("DELETE", "/contacts/bob@b.example", 204)
    for segment, left in ((made, 3), (ruled, 2)):
        results = client.done("GET", f"/segments/{segment['id']}/members", 200)["results"]
        assert "bob@b.example" not in [one.get("email") for one in results]
        assert len(results) == left
    client.done("GET", f"/segments/{UNKNOWN}/members", 404)
    assert set(client.faults("GET", f"{path}?page=0&pageSize=x")) == {"/page", "/pageSize"}


def test_whom_a_segment_holds_is_told_to_readers_of_contacts_only(tmp_path: Path):
    """Both scopes are needed, since emails are told."""
    with site(tmp_path / "data") as here:
        made = here.api.done("POST", "/segments", 201, json={"name": "Any"})
        path = f"/segments/{made['id']}/members"
        for scopes in ((Scope.SEGMENT_READ,), (Scope.CONTACT_READ,)):
            address = replace(here.address, key=here.new_key(*scopes))
            refused = Client(address).done("GET", path, 403)
            assert "lacks the scope" in refused["detail"]
        both = here.new_key(Scope.SEGMENT_READ, Scope.CONTACT_READ)
        Client(replace(here.address, key=both)).done("GET", path, 200)
        other = here.new_key(account=here.new_account("Another"))
        Client(replace(here.address, key=other)).done("GET", path, 404)


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
        ({"name": "x", "rule": None}, "/rule"),
        ({"name": "x", "rule": []}, "/rule"),
        ([], ""),
    ],
)
def test_a_body_that_breaks_a_rule_is_refused_with_its_path(client: Client, body: Any, path: str):
    """Name and nothing else."""
    assert path in client.faults("POST", "/segments/", json=body)


def test_a_dynamic_segment_follows_its_rule(client: Client):
    """Made with a rule, changed with another; counts and exports follow, members cannot be set."""
    client.done("PATCH", "/contacts/ann@b.example", 201, json={"_points": 5})
    client.done("PATCH", "/contacts/bob@b.example", 201, json={"_points": 1})
    rule: dict[str, Any] = {"field": "_points", "is": "atLeast", "value": 3}
    made = client.done("POST", "/segments", 201, json={"name": "Rich", "rule": rule})
    assert made == {"id": made["id"], "name": "Rich", "type": "dynamic", "rule": rule}
    path = f"/segments/{made['id']}"
    assert client.done("GET", path, 200) == made
    assert client.done("GET", f"{path}/count", 200) == {"count": 1}
    assert exported(client, made["id"]) == {"ann@b.example"}
    client.done("PATCH", "/contacts/bob@b.example", 200, json={"_points": 9})
    assert exported(client, made["id"]) == {"ann@b.example", "bob@b.example"}
    for method in ("POST", "DELETE"):
        client.done(method, f"{path}/members", 409, json=["ann@b.example"])
    changed = client.done("PUT", path, 200, json={"name": "Poor", "rule": {"not": rule}})
    assert changed == made | {"name": "Poor", "rule": {"not": rule}}
    assert client.done("GET", f"{path}/count", 200) == {"count": 0}
    assert exported(client, made["id"]) == set()
    assert client.faults("PUT", path, json={"name": "Poor"}) == {
        "/rule": "is required for a dynamic segment"
    }
    static = client.done("POST", "/segments", 201, json={"name": "Best"})
    refused = client.faults("PUT", f"/segments/{static['id']}", json={"name": "x", "rule": rule})
    assert refused == {"/rule": "is only for dynamic segments"}


def test_every_fault_of_a_rule_is_named_with_its_path(client: Client):
    """Unknown fields and types, operators and values that do not fit, wrong shapes: at once."""
    client.done(
        "POST",
        "/contact-fields",
        201,
        json={
            "id": "tags",
            "name": "T",
            "type": "checkbox",
            "options": [{"id": "r", "label": "R"}],
        },
    )
    rule = {
        "all": [
            {"field": "nope", "is": "equals", "value": 1},
            {"field": "_points", "is": "contains", "value": 1},
            {"field": "_points", "is": "equals", "value": "1"},
            {"field": "_name", "is": "equals"},
            {"field": "_name", "is": "equals", "value": None},
            {"field": "tags", "is": "has", "value": "blue"},
            {"field": "_createdAt", "is": "before", "value": "yesterday"},
            {"field": "_createdAt", "is": "before", "value": {"daysAgo": "1"}},
            {"field": "_birthdate", "is": "before", "value": {"daysAgo": 1, "hours": 2}},
            {"field": "_name", "is": "exists", "value": "yes"},
            {"any": []},
            {"not": {"not": 7}},
            {"activity": "nope", "atLeast": 0, "lastDays": True},
            {"activity": "login", "value": 1},
            {},
            {"field": ["_name"], "is": "equals", "value": "x"},
            {"field": "_name", "is": "contains", "value": "x\0"},
            {"field": "_points", "is": "equals", "value": 2**63},
        ]
    }
    assert set(client.faults("POST", "/segments", json={"name": "x", "rule": rule})) == {
        "/rule/all/0/field",
        "/rule/all/1/is",
        "/rule/all/2/value",
        "/rule/all/3/value",
        "/rule/all/4/value",
        "/rule/all/5/value",
        "/rule/all/6/value",
        "/rule/all/7/value",
        "/rule/all/8/value",
        "/rule/all/9/value",
        "/rule/all/10/any",
        "/rule/all/11/not/not",
        "/rule/all/12/activity",
        "/rule/all/12/atLeast",
        "/rule/all/12/lastDays",
        "/rule/all/13/value",
        "/rule/all/14",
        "/rule/all/15/field",
        "/rule/all/16/value",
        "/rule/all/17/value",
    }
    deep: dict[str, Any] = {"activity": "login"}
    for _ in range(16):
        deep = {"not": deep}
    assert client.faults("POST", "/segments", json={"name": "x", "rule": deep}) == {
        "/rule" + "/not" * 16: "is nested deeper than 16 levels"
    }
    wide = {"any": [{"activity": "login"}] * 200}
    assert set(client.faults("POST", "/segments", json={"name": "x", "rule": wide})) == {
        "/rule/any/199"
    }
    assert client.done("GET", "/segments", 200) == {"results": []}


def test_the_form_of_rules_is_published(client: Client):
    """A JSON Schema that takes rules of every kind and refuses others."""
    schema = client.done("GET", "/segments/rules/schema", 200)
    for good in (
        {"all": [{"activity": "purchase", "atLeast": 2, "lastDays": 30}]},
        {"not": {"field": "_birthdate", "is": "before", "value": {"daysAgo": 1}}},
    ):
        assert jsonschema_rs.is_valid(schema, good)
    bad_ones: tuple[dict[str, Any], ...] = (
        {},
        {"any": []},
        {"all": [], "any": []},
        {"activity": "login", "atLeast": 0},
    )
    for bad in bad_ones:
        assert not jsonschema_rs.is_valid(schema, bad)
