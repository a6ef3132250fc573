"""The part of a create's body that goes beyond the contract."""

from typing import Any

import pytest

from outhaul.domain.extras import Extras
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


def test_product_columns_are_for_activities():
    """Contacts have no product lines."""
    assert violations(CONTACTS | {"productColumns": ["price"]}) == {
        "/productColumns": "is only for activities exports; leave it out"
    }


@pytest.mark.parametrize("wrong", [{"version": "v9"}, {"exportType": "people"}, {"version": []}])
def test_while_type_or_version_is_wrong_columns_are_not_judged(wrong: dict[str, Any]):
    """Nobody could say which columns there are."""
    assert list(violations(CONTACTS | {"columns": ["nope"]} | wrong)) == [f"/{next(iter(wrong))}"]
