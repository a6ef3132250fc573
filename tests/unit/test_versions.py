"""The columns of every version: released headers never change by a byte."""

from itertools import pairwise, product
from pathlib import Path

import pytest

from outhaul.domain.account import Language
from outhaul.domain.activity_types import ACTIVITY_TYPES
from outhaul.domain.export import (
    CustomField,
    Delimiter,
    FieldType,
    Frozen,
    MemberKind,
    Version,
)
from outhaul.domain.versions import columns
from outhaul.render.line import header

GOLDEN = Path(__file__).parents[1] / "data" / "golden" / "headers"

MEMBERS = [kind for kind in MemberKind if kind is not MemberKind.REPORT]
ENGLISH = Frozen(timezone="UTC", language=Language.EN, mobile_push=False)
MOBILE = Frozen(timezone="UTC", language=Language.EN, mobile_push=True)


def labels(
    member: MemberKind,
    version: Version,
    frozen: Frozen = ENGLISH,
    activity_types: tuple[str, ...] | None = None,
) -> list[str]:
    return [column.label for column in columns(member, version, frozen, activity_types)]


def custom(ordinal: int, id_: str, name: str) -> CustomField:
    return CustomField(id=id_, name=name, type=FieldType.TEXT, ordinal=ordinal)


def with_custom(*fields: CustomField) -> Frozen:
    return Frozen(timezone="UTC", language=Language.EN, mobile_push=False, custom_fields=fields)


@pytest.mark.parametrize(
    ("member", "language", "mobile"),
    list(product(MEMBERS, [Language.EN, Language.ES], [False, True])),
)
def test_released_headers_are_unchanged(member, language, mobile):
    """Line n of a golden file is the header of version n, byte for byte."""
    frozen = Frozen(timezone="UTC", language=language, mobile_push=mobile)
    written = b"".join(
        header(columns(member, version, frozen, None), Delimiter.COMMA) for version in Version
    )
    name = f"{member}-{language}{'-mobile-push' if mobile else ''}.csv"
    assert written == (GOLDEN / name).read_bytes()


@pytest.mark.parametrize("language", [Language.FR, Language.IT, Language.NL, Language.PT_BR])
def test_languages_without_known_labels_show_the_english_ones(language):
    """Only English and Spanish headers are documented."""
    frozen = Frozen(timezone="UTC", language=language, mobile_push=True)
    for member in MEMBERS:
        assert labels(member, Version.V6, frozen) == labels(member, Version.V6, MOBILE)


@pytest.mark.parametrize(("member", "frozen"), list(product(MEMBERS, [ENGLISH, MOBILE])))
def test_a_later_version_keeps_every_column_in_its_order(member, frozen):
    """Columns are inserted, never dropped and never moved."""
    for activity_types in [None, *((id_,) for id_ in ACTIVITY_TYPES)]:
        lists = [
            [column.id for column in columns(member, version, frozen, activity_types)]
            for version in Version
        ]
        for earlier, later in pairwise(lists):
            assert [id_ for id_ in later if id_ in set(earlier)] == earlier


@pytest.mark.parametrize(
    ("member", "version", "language"), list(product(MEMBERS, Version, Language))
)
def test_headers_and_sources_are_distinct(member, version, language):
    """No file has two columns of one name, and no store column is written twice."""
    frozen = Frozen(timezone="UTC", language=language, mobile_push=True)
    found = columns(member, version, frozen, None)
    assert len({column.label for column in found}) == len(found)
    assert len({column.source for column in found}) == len(found)


@pytest.mark.parametrize(
    ("activity_type", "version", "added"),
    [
        ("purchase", Version.V2, ["Device"]),
        ("purchase", Version.V3, ["Source type", "Source name"]),
        ("contact-merged", Version.V4, ["Previous contact ID"]),
        ("contact-created", Version.V5, ["Origin"]),
        ("custom-event", Version.V2, ["Origin", "Device"]),
        ("newsletter-subscribe", Version.V2, ["Origin"]),
        ("cart-product-added", Version.V2, ["Origin", "Device"]),
        ("login", Version.V6, []),
    ],
)
def test_a_version_adds_what_section_9_says(activity_type, version, added):
    """Compared with the version before, for a file of one type, without mobile push."""
    before = list(Version)[version.number - 2]
    earlier = [c.id for c in columns(MemberKind.ACTIVITIES, before, ENGLISH, (activity_type,))]
    later = columns(MemberKind.ACTIVITIES, version, ENGLISH, (activity_type,))
    assert [column.label for column in later if column.id not in earlier] == added


@pytest.mark.parametrize(
    ("member", "source", "version", "former", "today"),
    [
        (MemberKind.ACTIVITIES, "origin", Version.V2, "Purchase origin", "Origin"),
        (MemberKind.ACTIVITIES, "referer", Version.V2, "Page visit referer", "Referer"),
        (
            MemberKind.CONTACTS,
            "_emailLastUnsubscribedDate",
            Version.V5,
            "Last unsubscribed date",
            "Date of last newsletter unsubscription",
        ),
        (
            MemberKind.CONTACTS,
            "_emailLastUnsubscribedIp",
            Version.V5,
            "Last unsubscribed IP",
            "IP of the last newsletter unsubscription",
        ),
    ],
)
def test_a_renamed_column_keeps_its_source(member, source, version, former, today):
    """Up to the version before the header is the former one, from the version on today's."""
    for each in Version:
        found = {column.source: column.label for column in columns(member, each, ENGLISH, None)}
        assert found[source] == (former if each.number < version.number else today)


def test_mobile_columns_need_the_mobile_push_channel():
    """The four starred columns of section 9 appear when the channel is on, from v2."""
    starred = ["SDK version", "App version", "Mobile operating system", "OS version"]
    off = labels(MemberKind.ACTIVITIES, Version.V2, ENGLISH, ("purchase",))
    on = labels(MemberKind.ACTIVITIES, Version.V2, MOBILE, ("purchase",))
    assert [label for label in on if label not in off] == starred
    assert labels(MemberKind.ACTIVITIES, Version.V1, MOBILE) == labels(
        MemberKind.ACTIVITIES, Version.V1
    )


def test_only_columns_of_the_selected_types_appear():
    """A file of searches has one column beyond those of every activity."""
    assert labels(MemberKind.ACTIVITIES, Version.V6, MOBILE, ("search",)) == [
        "Activity type",
        "Creation date",
        "Email",
        "Tracker",
        "Activity ID",
        "Search text",
    ]


def test_the_order_of_columns_does_not_depend_on_the_order_of_types():
    """Types are a set; fields have one global order."""
    some = ("purchase", "email-opened", "search")
    assert columns(MemberKind.ACTIVITIES, Version.V4, MOBILE, some) == columns(
        MemberKind.ACTIVITIES, Version.V4, MOBILE, some[::-1]
    )


def test_a_column_names_the_types_that_fill_it_in_the_version():
    """The origin belonged to purchases alone in v1 and to contacts from v5."""
    by_version = {}
    for version in Version:
        found = columns(MemberKind.ACTIVITIES, version, ENGLISH, ("purchase",))
        (origin,) = (column for column in found if column.id == "origin")
        by_version[version] = origin.activity_types or frozenset()
    assert by_version[Version.V1] == {"purchase"}
    assert "contact-created" not in by_version[Version.V4]
    assert "contact-created" in by_version[Version.V5]


def test_a_type_that_does_not_exist_is_refused():
    """A misspelt type never gives a file that silently lacks its columns."""
    with pytest.raises(KeyError, match="purchases"):
        columns(MemberKind.ACTIVITIES, Version.V1, ENGLISH, ("purchases",))


def test_custom_fields_come_last_in_creation_order():
    """Whatever the order in which they are handed over."""
    frozen = with_custom(custom(2, "size", "Talla"), custom(1, "colour", "Color de ojos"))
    last = columns(MemberKind.CONTACTS, Version.V1, frozen, None)[-2:]
    assert [(column.label, column.source) for column in last] == [
        ("Color de ojos", "x1"),
        ("Talla", "x2"),
    ]


def test_custom_fields_of_one_name_are_told_apart_by_their_ids():
    """The earlier one keeps the name; a system header and a look-alike are stepped round too."""
    frozen = with_custom(
        custom(1, "a", "Size"),
        custom(2, "b", "Size"),
        custom(3, "c", "Email"),
        custom(4, "d", "Size (b)"),
    )
    assert labels(MemberKind.CONTACTS, Version.V1, frozen)[-4:] == [
        "Size",
        "Size (b)",
        "Email (c)",
        "Size (b) (d)",
    ]


def test_custom_fields_have_no_columns_outside_the_contacts_file():
    """Activities and product lines carry no fields of their contact."""
    frozen = with_custom(custom(1, "a", "Size"))
    for member in (MemberKind.ACTIVITIES, MemberKind.PRODUCTS):
        assert "Size" not in labels(member, Version.V6, frozen)
