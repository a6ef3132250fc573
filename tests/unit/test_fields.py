"""The registry of contact fields."""

import re

from outhaul.domain.export import FieldType, Version
from outhaul.domain.fields import CONTACT_FIELDS

BY_ID = {field.id: field for field in CONTACT_FIELDS}


def test_ids_are_unique_and_look_like_the_contract_s():
    """Every id but the contact's own starts with an underscore; none comes twice."""
    assert len(BY_ID) == len(CONTACT_FIELDS) == 40
    assert [id_ for id_ in BY_ID if not re.fullmatch(r"_[a-z][A-Za-z]*", id_)] == ["id"]


def test_the_api_may_write_what_the_contract_lists():
    """Section 11 names the writable fields; everything else is the server's own."""
    assert {field.id for field in CONTACT_FIELDS if field.writable} == {
        "_email",
        "_externalId",
        "_name",
        "_surname",
        "_birthdate",
        "_mobilePhone",
        "_mobilePhoneStatus",
        "_emailStatus",
        "_newsletterSubscriptionStatus",
        "_smsSubscriptionStatus",
        "_points",
    }


def test_only_the_birthdate_is_a_day_without_a_zone():
    """All other system dates are instants."""
    assert [field.id for field in CONTACT_FIELDS if field.type is FieldType.DATE] == ["_birthdate"]
    dates = [field.id for field in CONTACT_FIELDS if field.id.endswith(("Date", "At"))]
    assert {BY_ID[id_].type for id_ in dates} == {FieldType.INSTANT}


def test_statuses_allow_the_values_of_the_contract():
    """An email can be banned, a phone cannot."""
    assert BY_ID["_emailStatus"].options == ("active", "bounced", "paused", "banned")
    assert BY_ID["_mobilePhoneStatus"].options == ("active", "bounced", "paused")
    assert BY_ID["_smsSubscriptionStatus"].options == ("subscribed", "unsubscribed", "none")


def test_later_versions_added_the_fields_that_section_9_lists():
    """v3 brought the external id and v5 five facts about subscriptions and origin."""
    added = {
        version: [field.id for field in CONTACT_FIELDS if field.since is version]
        for version in Version
        if version is not Version.V1
    }
    assert added == {
        Version.V2: [],
        Version.V3: ["_externalId"],
        Version.V4: [],
        Version.V5: [
            "_emailLastSubscribedDate",
            "_emailLastSubscribedIp",
            "_emailLastSubscribedOrigin",
            "_emailLastUnsubscribedOrigin",
            "_createdOrigin",
        ],
        Version.V6: [],
    }
