"""The registry of activity types and the spellings it understands."""

import re

import pytest

from outhaul.domain.activity_types import (
    ACTIVITY_FIELDS,
    ACTIVITY_TYPES,
    MOBILE_FIELDS,
    PRODUCT_FIELDS,
    canonical,
)
from outhaul.domain.export import Version


@pytest.mark.parametrize(
    ("spelling", "id_"),
    [
        ("purchase", "purchase"),
        ("entity-created", "contact-created"),
        ("contact-created", "contact-created"),
        ("entity-merged", "contact-merged"),
        ("contact-identified", "entity-identified"),
        ("contact-entered-segment", "entity-entered-segment"),
        ("entity-exited-segment", "entity-exited-segment"),
        ("entity-added-to-gads-audience", "contact-added-to-gads-audience"),
        ("banner-link-clicked", "web-content-clicked"),
        ("web-modal-opened", "web-content-opened"),
    ],
)
def test_spellings_of_one_type_are_understood(spelling, id_):
    """Old and new ids, and `contact-` as well as `entity-`, mean the same type."""
    assert canonical(spelling) == id_


@pytest.mark.parametrize("spelling", ["", "Purchase", "purchases", "entity-", "entity-purchase"])
def test_what_is_no_type_is_none(spelling):
    """A misspelt type is not guessed at."""
    assert canonical(spelling) is None


def test_every_type_is_its_own_canonical_spelling():
    """What a file shows can be asked for."""
    assert [canonical(id_) for id_ in ACTIVITY_TYPES] == list(ACTIVITY_TYPES)


def test_types_carry_only_known_fields_and_every_field_has_a_type():
    """No type names a field that does not exist, and no column could never be filled."""
    carried = [field for type_ in ACTIVITY_TYPES.values() for field in type_.fields]
    assert set(carried) == set(ACTIVITY_FIELDS)


def test_no_type_gets_a_field_twice():
    """A version adds only what the versions before it did not have."""
    for type_ in ACTIVITY_TYPES.values():
        assert len(type_.fields) == len(set(type_.fields)), type_.id


def test_a_field_s_id_is_the_camel_case_of_its_label():
    """One rule gives all ids, so that importers can guess them."""
    for field in (*ACTIVITY_FIELDS.values(), *PRODUCT_FIELDS.values()):
        first, *rest = re.findall(r"[A-Za-z]+", field.label_en)
        assert field.id == first.lower() + "".join(word.capitalize() for word in rest)


def test_carts_and_purchases_have_product_lines():
    """A single product put into a cart is told by the activity's own fields."""
    with_lines = [type_.id for type_ in ACTIVITY_TYPES.values() if type_.has_product_lines]
    assert with_lines == ["cart-abandoned", "purchase"]


def test_the_mobile_fields_came_with_v2_and_only_to_the_types_of_section_9():
    """Four types tell the app and the system they came from."""
    carriers = {
        type_.id for type_ in ACTIVITY_TYPES.values() if set(MOBILE_FIELDS) <= set(type_.fields)
    }
    assert carriers == {"purchase", "custom-event", "newsletter-subscribe", "product-visited"}
    for id_ in carriers:
        assert not set(MOBILE_FIELDS) & set(ACTIVITY_TYPES[id_].fields_in(Version.V1))


def test_a_purchase_gains_fields_version_by_version():
    """v1 has seven fields; v2 added five, v3 two, v4 eight."""
    purchase = ACTIVITY_TYPES["purchase"]
    assert [len(purchase.fields_in(version)) for version in Version] == [7, 12, 14, 22, 22, 22]
