"""Contact fields over HTTP: their rules, their values, and the columns that follow."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api_client import Client
from tests.api_server import serving


@pytest.fixture
def client(tmp_path) -> Iterator[Client]:
    with serving(tmp_path / "data", rate_limit=1_000_000) as address:
        yield Client(address)


COLOURS = [{"id": "r", "label": "Red"}, {"id": "g", "label": "Green"}]


def test_every_type_of_field_takes_its_values_and_no_others(client: Client):
    """Made, listed, read back; values land in the export as the file format says."""
    fields: dict[str, tuple[dict[str, Any], Any, str, Any, str]] = {
        "note": ({"type": "text", "maxLength": 5}, "ünder", "ünder", "longer", "most 5 characters"),
        "mail": ({"type": "email"}, "A@b.example", "a@b.example", "a", "an email address"),
        "fon": ({"type": "phone"}, "+34 600", "+34 600", 600, "a string"),
        "born": (
            {"type": "date", "minDate": "2000-01-01"},
            "2001-02-03",
            "2001-02-03",
            "1999-12-31",
            "not be before 2000-01-01",
        ),
        "one": ({"type": "radio", "options": COLOURS}, "g", "g", "Green", "one of r, g"),
        "many": ({"type": "checkbox", "options": COLOURS}, ["g", "r"], "g|r", ["x"], "have r, g"),
        "size": ({"type": "integer", "maxValue": 9}, 9, "9", 10, "at most 9"),
        "rate": ({"type": "decimal"}, 1.25, "1.25", "1.25", "a number"),
        "vip": ({"type": "boolean"}, True, "true", "yes", "true or false"),
    }
    for id_, (more, *_) in fields.items():
        made = client.done("POST", "/contact-fields", 201, json={"id": id_, "name": id_, **more})
        assert (made["custom"], made["status"], made["type"]) == (True, "active", more["type"])
        assert client.done("GET", f"/contact-fields/{id_}/", 200) == made
    good = {id_: value for id_, (_, value, *_) in fields.items()}
    client.done("PATCH", "/contacts/a@b.example", 201, json=good)
    read = client.done("GET", "/contacts/a@b.example", 200)
    assert {id_: read[id_] for id_ in fields} == good | {"mail": "a@b.example"}
    bad = {id_: value for id_, (_, _, _, value, _) in fields.items()}
    faults = client.faults("PATCH", "/contacts/a@b.example", json=bad)
    for id_, (*_, reason) in fields.items():
        assert reason in faults[f"/{id_}"]
    (row,) = client.rows()
    assert {id_: row[id_] for id_ in fields} == {
        id_: cell for id_, (_, _, cell, *_) in fields.items()
    }
    listed = client.done("GET", "/contact-fields/", 200)["results"]
    assert [one["id"] for one in listed if one["custom"]] == list(fields)
    assert {"_email", "_createdAt"} <= {one["id"] for one in listed if not one["custom"]}


def test_a_deleted_field_ends_and_its_id_can_be_used_again(client: Client):
    """Exports lose the column; a new field of that id starts empty."""
    wanted = {"id": "size", "name": "Size", "type": "text"}
    client.done("POST", "/contact-fields/", 201, json=wanted)
    client.done("POST", "/contact-fields/", 409, json=wanted)
    client.done("PATCH", "/contacts/a@b.example", 201, json={"size": "XL"})
    assert client.rows()[0]["Size"] == "XL"
    client.done("DELETE", "/contact-fields/size", 204)
    client.done("DELETE", "/contact-fields/size", 404)
    client.done("GET", "/contact-fields/size", 404)
    assert "Size" not in client.rows()[0]
    assert "size" not in client.done("GET", "/contacts/a@b.example", 200)
    assert client.faults("PATCH", "/contacts/a@b.example", json={"size": "M"}) == {
        "/size": "is not a contact field of this account"
    }
    client.done("POST", "/contact-fields/", 201, json=wanted | {"type": "integer"})
    assert client.rows()[0]["Size"] == ""
    client.done("DELETE", "/contact-fields/_email", 409)
    client.done("POST", "/contact-fields/", 422, json=wanted | {"id": "_email"} | {"type": "x"})


def test_required_read_only_and_default_values_hold(client: Client):
    """A default is given to new contacts only; a read-only field is refused, a required kept."""
    for field in (
        {"id": "plan", "name": "Plan", "type": "radio", "options": COLOURS, "defaultValue": "r"},
        {"id": "must", "name": "Must", "type": "text", "required": True},
        {"id": "look", "name": "Look", "type": "text", "readOnly": True},
    ):
        client.done("POST", "/contact-fields/", 201, json=field)
    assert client.done("PATCH", "/contacts/a@b.example", 201, json={})["plan"] == "r"
    assert client.faults("PATCH", "/contacts/a@b.example", json={"must": None, "look": "x"}) == {
        "/must": "is required and cannot be cleared",
        "/look": "cannot be set; leave it out",
    }


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"id": "1a"}, "/id"),
        ({"id": "a" * 151}, "/id"),
        ({"id": "ID"}, "/id"),
        ({"id": "a b"}, "/id"),
        ({"name": ""}, "/name"),
        ({"type": "json"}, "/type"),
        ({"type": "radio"}, "/options"),
        ({"type": "radio", "options": [{"id": "a|b", "label": "x"}]}, "/options/0/id"),
        ({"type": "radio", "options": [COLOURS[0], COLOURS[0]]}, "/options"),
        (
            {"type": "radio", "options": [{"id": str(n), "label": "x"} for n in range(121)]},
            "/options",
        ),
        ({"options": COLOURS}, "/options"),
        ({"minValue": 1}, "/minValue"),
        ({"maxLength": 0}, "/maxLength"),
        ({"maxLength": 2, "defaultValue": "abc"}, "/defaultValue"),
        ({"type": "date", "minDate": "2026-02-30"}, "/minDate"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_a_field_that_breaks_a_rule_is_refused_with_its_path(
    client: Client, change: dict[str, Any], path: str
):
    """Ids, names, types, options, limits and defaults."""
    body = {"id": "size", "name": "Size", "type": "text"} | change
    assert path in client.faults("POST", "/contact-fields/", json=body)


def test_an_account_has_at_most_140_fields_of_its_own(client: Client):
    """The 141st is refused."""
    for number in range(140):
        body = {"id": f"f{number}", "name": f"F {number}", "type": "text"}
        client.done("POST", "/contact-fields/", 201, content=json.dumps(body), headers=JSON)
    body = {"id": "more", "name": "More", "type": "text"}
    assert "/id" in client.faults("POST", "/contact-fields/", json=body)


JSON = {"Content-Type": "application/json"}
