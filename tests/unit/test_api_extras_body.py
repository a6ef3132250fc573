"""The part of a create's body that goes beyond the contract."""

from typing import Any

import pytest

from outhaul.domain.extras import Extras
from tests.api_fakes import NEWEST_COMMIT, SEGMENT
from tests.unit.test_api_create_body import ACTIVITIES, CONTACTS, read, violations


def test_left_out_everything_is_the_contracts():
    """And so it is when the contract's own way is said in words."""
    assert read(CONTACTS).extras == Extras()
    assert read(CONTACTS | {"bom": False, "formulaGuard": False}) == read(CONTACTS)


def test_extensions_are_read_whole():
    """Every property arrives."""
    asked = {"columns": ["url", "email"], "productColumns": ["price"]} | {
        "bom": True,
        "formulaGuard": True,
    }
    assert read(ACTIVITIES | asked).extras == Extras(
        columns=("url", "email"), product_columns=("price",), bom=True, formula_guard=True
    )


@pytest.mark.parametrize(
    ("body", "path", "part"),
    [
        ({"columns": []}, "/columns", "leave it out"),
        ({"columns": None}, "/columns", "null"),
        ({"columns": "email"}, "/columns", "array"),
        ({"columns": ["url", 5]}, "/columns/1", "string"),
        ({"columns": ["url", "nope"]}, "/columns/1", "GET /exports/describe"),
        ({"columns": ["url", "email", "url"]}, "/columns/2", "twice"),
        ({"columns": ["price"]}, "/columns/0", "GET /exports/describe"),
        ({"productColumns": ["url"]}, "/productColumns/0", "GET /exports/describe"),
        ({"bom": "yes"}, "/bom", "true or false"),
        ({"bom": None}, "/bom", "true or false"),
        ({"formulaGuard": 1}, "/formulaGuard", "true or false"),
        ({"allowLongWindow": "yes"}, "/allowLongWindow", "true or false"),
        ({"changedSince": 1}, "/changedSince", "only for contacts"),
        ({"format": "parket"}, "/format", "parquet"),
        ({"formula_guard": True}, "/formula_guard", "not a known property"),
    ],
)
def test_each_wrong_extension_is_named_with_what_would_be_right(
    body: dict[str, Any], path: str, part: str
):
    """One wrong value breaks one rule, at its own path."""
    found = violations(ACTIVITIES | body)
    assert list(found) == [path]
    assert part in found[path]


def test_columns_are_those_of_the_version():
    """A column that came with v3 is not chosen from v1."""
    assert list(violations(CONTACTS | {"columns": ["_externalId"]})) == ["/columns/0"]
    assert read(CONTACTS | {"columns": ["_externalId"], "version": "v3"}).extras.columns


@pytest.mark.parametrize("more", [{"productColumns": ["price"]}, {"allowLongWindow": True}])
def test_what_is_for_activities_is_refused_for_contacts(more: dict[str, Any]):
    """Contacts have neither product lines nor a window."""
    reason = "is only for activities exports; leave it out"
    assert violations(CONTACTS | more) == {f"/{next(iter(more))}": reason}


@pytest.mark.parametrize(
    ("since", "part"),
    [
        (-1, "at least 0"),
        ("7", "whole number"),
        (7.0, "whole number"),
        (True, "whole number"),
        (None, "null"),
        (NEWEST_COMMIT + 1, "newest commit, 7"),
        (10**30, "newest commit, 7"),
    ],
)
def test_a_cursor_is_a_commit_that_there_was(since: Any, part: str):
    """Nobody can have read a commit that is still to come."""
    found = violations(CONTACTS | {"changedSince": since})
    assert list(found) == ["/changedSince"]
    assert part in found["/changedSince"]
    assert read(CONTACTS | {"changedSince": 0}).extras.changed_since == 0
    assert read(CONTACTS | {"changedSince": NEWEST_COMMIT}).extras.changed_since == NEWEST_COMMIT


def test_changes_are_told_of_all_contacts_only():
    """Who leaves a segment has not changed, so changes of a segment would be incomplete."""
    body = CONTACTS | {"changedSince": 1, "filters": {"segmentId": SEGMENT}}
    assert list(violations(body)) == ["/filters/segmentId"]


def test_a_long_window_has_to_be_allowed():
    """With allowLongWindow it may have any length; reversed dates stay wrong."""
    year = ACTIVITIES | {"filters": {"fromDate": "2025-01-01", "toDate": "2026-01-01"}}
    assert list(violations(year)) == ["/filters/toDate"]
    assert list(violations(year | {"allowLongWindow": False})) == ["/filters/toDate"]
    assert read(year | {"allowLongWindow": True}).extras.allow_long_window
    reversed_dates = {"filters": {"fromDate": "2026-01-01", "toDate": "2025-01-01"}}
    assert list(violations(year | reversed_dates | {"allowLongWindow": True})) == [
        "/filters/toDate"
    ]


@pytest.mark.parametrize("wrong", [{"version": "v9"}, {"exportType": "people"}, {"version": []}])
def test_while_type_or_version_is_wrong_columns_are_not_judged(wrong: dict[str, Any]):
    """Nobody could say which columns there are."""
    assert list(violations(CONTACTS | {"columns": ["nope"]} | wrong)) == [f"/{next(iter(wrong))}"]
