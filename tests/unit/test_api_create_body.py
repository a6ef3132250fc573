from datetime import UTC, datetime
from typing import Any

import pytest

from outhaul.api.create_body import read_export_request
from outhaul.api.extras_body import Holdings
from outhaul.domain.errors import Invalid
from outhaul.domain.export import (
    DateFormat,
    Delimiter,
    ExportRequest,
    ExportType,
    Filters,
    Version,
)
from tests.api_fakes import NEWEST_COMMIT, SEGMENT, an_account, described

CONTACTS = {"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"}
MARCH = {"fromDate": "2026-03-01", "toDate": "2026-03-31"}
ACTIVITIES = CONTACTS | {"exportType": "activities", "filters": MARCH}


def read(body: Any) -> ExportRequest:
    return read_export_request(
        body,
        account=an_account(),
        holdings=Holdings(
            segment_known=SEGMENT.__eq__,
            describe=described,
            newest_commit=lambda: NEWEST_COMMIT,
        ),
    )


def violations(body: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        read(body)
    found = {violation.path: violation.reason for violation in caught.value.violations}
    assert len(found) == len(caught.value.violations)
    return found


def test_a_contacts_request_has_version_1_and_no_filters_by_default():
    """The seed's smallest body is a whole request; an empty `filters` changes nothing."""
    request = ExportRequest(
        export_type=ExportType.CONTACTS,
        delimiter=Delimiter.COMMA,
        date_format=DateFormat.ISO,
        version=Version.V1,
        filters=Filters(),
    )
    assert read(CONTACTS) == request
    assert read(CONTACTS | {"filters": {}}) == request


def test_an_activities_request_is_read_whole():
    """Every property arrives; a segment id in capitals is the same id."""
    types = ["purchase", "entity-created", "purchase"]
    filters = MARCH | {"activityTypes": types, "segmentId": SEGMENT.upper()}
    assert read(ACTIVITIES | {"version": "v6", "delimiter": ";", "filters": filters}) == (
        ExportRequest(
            export_type=ExportType.ACTIVITIES,
            delimiter=Delimiter.SEMICOLON,
            date_format=DateFormat.ISO,
            version=Version.V6,
            filters=Filters(
                segment_id=SEGMENT,
                from_date=datetime(2026, 3, 1, tzinfo=UTC),
                to_date=datetime(2026, 3, 31, tzinfo=UTC),
                activity_types=("purchase", "entity-created", "purchase"),
            ),
        )
    )


@pytest.mark.parametrize("body", [[], "text", 3, None, True])
def test_a_body_must_be_an_object(body):
    """Any other JSON value breaks one rule, at the root."""
    assert violations(body) == {"": "must be an object"}


def test_an_empty_body_names_everything_it_lacks():
    """All required properties are told at once."""
    assert violations({}) == dict.fromkeys(
        ("/exportType", "/delimiter", "/dateFormat"), "is required"
    )


def test_activities_without_filters_name_both_dates():
    """The caller learns what the filters have to hold, not only that they are missing."""
    body = CONTACTS | {"exportType": "activities"}
    assert violations(body) == {
        "/filters/fromDate": "is required",
        "/filters/toDate": "is required",
    }


def test_shape_and_rules_are_judged_together():
    """A missing property does not hide a window that is too long, nor an unknown segment."""
    filters = {"fromDate": "2026-03-01", "toDate": "2026-05-01", "segmentId": "0" * 24}
    body = {"exportType": "activities", "delimiter": "|", "filters": filters, "a/b~c": 1}
    assert violations(body) == {
        "/dateFormat": "is required",
        "/delimiter": 'must be one of "," or ";"',
        "/a~1b~0c": "is not a known property",
        "/filters/toDate": "must be at most 31 days after fromDate",
        "/filters/segmentId": "must be the id of a segment of this account",
    }


def test_an_unknown_type_does_not_hide_the_rest():
    """With a wrong exportType everything else is still judged."""
    body = ACTIVITIES | {"exportType": "people", "version": "v7", "filters": {"fromDate": 5}}
    assert list(violations(body)) == ["/version", "/exportType", "/filters/fromDate"]


def test_contacts_take_neither_dates_nor_activity_types():
    """What belongs to activities is refused for contacts, with the reason."""
    body = CONTACTS | {"filters": MARCH | {"activityTypes": ["purchase"]}}
    reason = "is only for activities exports; leave it out"
    assert violations(body) == dict.fromkeys(
        ("/filters/fromDate", "/filters/toDate", "/filters/activityTypes"), reason
    )


@pytest.mark.parametrize(
    ("filters", "path", "part"),
    [
        ({"activityTypes": []}, "/filters/activityTypes", "leave it out"),
        ({"activityTypes": "purchase"}, "/filters/activityTypes", "array"),
        ({"activityTypes": None}, "/filters/activityTypes", "null"),
        ({"activityTypes": ["purchase", "nap"]}, "/filters/activityTypes/1", "known"),
        ({"activityTypes": ["\x00"]}, "/filters/activityTypes/0", "known"),
        ({"activityTypes": [7]}, "/filters/activityTypes/0", "known"),
        ({"activityType": ["purchase"]}, "/filters/activityType", "not a known property"),
        ({"from_date": "2026-03-01"}, "/filters/from_date", "not a known property"),
        ({"segmentId": "xyz"}, "/filters/segmentId", "24 hex"),
        ({"segmentId": 5}, "/filters/segmentId", "24 hex"),
        ({"segmentId": None}, "/filters/segmentId", "null"),
        ({"segmentId": "0" * 24}, "/filters/segmentId", "of this account"),
        ({"fromDate": 1772719629}, "/filters/fromDate", "ISO 8601"),
        ({"fromDate": None}, "/filters/fromDate", "ISO 8601"),
        ({"toDate": "tomorrow"}, "/filters/toDate", "ISO 8601"),
        ({"toDate": "2026-02-01"}, "/filters/toDate", "before fromDate"),
    ],
)
def test_each_wrong_filter_is_named_with_what_would_be_right(filters, path, part):
    """One wrong filter breaks one rule, at its own path."""
    found = violations(ACTIVITIES | {"filters": MARCH | filters})
    assert list(found) == [path]
    assert part in found[path]


@pytest.mark.parametrize("value", [None, 1, True, [], {}, "V1", "v0", "v7", ""])
def test_only_known_versions_are_taken(value):
    """No other type or spelling stands for a version."""
    assert list(violations(CONTACTS | {"version": value})) == ["/version"]


@pytest.mark.parametrize("value", [None, [], "x", 0])
def test_filters_must_be_an_object(value):
    """Null is not the same as leaving the filters out."""
    assert violations(CONTACTS | {"filters": value}) == {"/filters": "must be an object"}


def test_python_names_are_no_property_names():
    """Only the contract's spelling counts."""
    body = {"export_type": "contacts", "delimiter": ",", "dateFormat": "ISO"}
    assert set(violations(body)) == {"/export_type", "/exportType"}
