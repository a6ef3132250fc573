"""The sample shop is reproducible and true to the import format, and the demo's checks bite."""

import csv
import io
import json
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from demo.checks import Member, check_archive, check_rows, first_lines, member_name
from demo.shop import FileFormat, Shop, make_shop
from demo.source import Expected, Narrowing, expected_activities, expected_product_lines
from outhaul.domain.activity_types import ACTIVITY_TYPES, PRODUCT_FIELDS
from outhaul.domain.fields import CONTACT_FIELDS

CONTACTS, ACTIVITIES = 2_000, 20_000
MEMBER = "export-contacts-5f0e4a52-8f4e-4d6b-9a53-2f1f6c1d0e11.csv"


def small_shop(
    folder: Path, file_format: FileFormat = "jsonl", *, seed: int = 1, shuffled: bool = False
) -> Shop:
    return make_shop(
        folder,
        contacts=CONTACTS,
        activities=ACTIVITIES,
        file_format=file_format,
        seed=seed,
        shuffled=shuffled,
    )


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return small_shop(tmp_path_factory.mktemp("shop"))


def json_rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]


def csv_rows(path: Path) -> list[dict]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_same_arguments_give_the_same_bytes(shop: Shop, tmp_path: Path) -> None:
    """Two shops made alike do not differ in a byte."""
    again = small_shop(tmp_path)
    for one, other in (
        (shop.contacts, again.contacts),
        (shop.activities, again.activities),
        (shop.segments, again.segments),
    ):
        assert one.read_bytes() == other.read_bytes()


def test_another_seed_gives_other_people(shop: Shop, tmp_path: Path) -> None:
    """No contact of one seed is one of another's."""
    other = small_shop(tmp_path, seed=2)
    ids, other_ids = ({row["id"] for row in json_rows(s.contacts)} for s in (shop, other))
    assert len(ids) == len(other_ids) == CONTACTS
    assert not ids & other_ids


def test_every_format_has_the_same_rows(shop: Shop, tmp_path: Path) -> None:
    """A CSV of the shop says what its JSON Lines say, missing and empty alike being no text."""
    written = small_shop(tmp_path, "csv")
    for one, other in ((shop.activities, written.activities), (shop.segments, written.segments)):
        texts = [
            {name: value for name, value in row.items() if isinstance(value, str) and value}
            for row in json_rows(one)
        ]
        rows = csv_rows(other)
        assert [
            {name: row[name] for name in text} for row, text in zip(rows, texts, strict=True)
        ] == texts


def test_activities_come_in_order_of_time_within_the_days(shop: Shop) -> None:
    """Activities are sorted by instant, some share one, and all lie between start and end."""
    instants = [row["createdAt"] for row in json_rows(shop.activities)]
    assert len(instants) == ACTIVITIES
    assert instants == sorted(instants)
    assert len(set(instants)) < len(instants)
    assert f"{shop.starts:%Y-%m-%dT%H:%M:%S.000Z}" <= instants[0]
    assert instants[-1] < f"{shop.until:%Y-%m-%dT%H:%M:%S.000Z}"


def test_a_shuffled_shop_has_the_same_activities_elsewhere(shop: Shop, tmp_path: Path) -> None:
    """Shuffling moves rows and changes none."""
    shuffled = small_shop(tmp_path, shuffled=True).activities.read_text("utf-8").split("\n")
    ordered = shop.activities.read_text("utf-8").split("\n")
    assert sorted(shuffled) == sorted(ordered)
    unmoved = sum(one == other for one, other in zip(shuffled, ordered, strict=True))
    assert unmoved < ACTIVITIES / 100


def test_activities_carry_only_known_fields_of_their_type(shop: Shop) -> None:
    """Every type and every field of it is one that Outhaul knows there."""
    rows = json_rows(shop.activities)
    types = Counter(row["type"] for row in rows)
    assert len(types) >= 25
    for row in rows:
        known = ACTIVITY_TYPES[row["type"]]
        named = row.keys() - {"type", "createdAt", "email", "contactId", "id", "products"}
        assert named <= set(known.fields), row["type"]
        assert ("products" in row) == known.has_product_lines
        for line in row.get("products", ()):
            assert line.keys() <= set(PRODUCT_FIELDS)


def test_contacts_have_known_fields_and_ten_of_the_shop(shop: Shop) -> None:
    """All columns but ten are contact fields of the contract; the ten begin with a letter."""
    named = set().union(*json_rows(shop.contacts))
    own = {name for name in named if name[0].isalpha() and name != "id"}
    assert named - own - {"id"} <= {field.id for field in CONTACT_FIELDS}
    assert len(own) == 10


def test_whoever_acts_is_a_contact_already(shop: Shop) -> None:
    """Activities and segments name contacts by e-mail address, or by id when there is none."""
    joined = {row.get("_email", row["id"]): row["_createdAt"] for row in json_rows(shop.contacts)}
    assert len(joined) == CONTACTS
    for row in json_rows(shop.activities):
        assert ("email" in row) != ("contactId" in row)
        assert joined[row.get("email", row.get("contactId"))] <= row["createdAt"]
    members = [
        (row["segmentId"], row.get("email", row.get("contactId")))
        for row in json_rows(shop.segments)
    ]
    assert {member for _, member in members} <= joined.keys()
    sizes = Counter(segment for segment, _ in members)
    assert 0.18 < sizes[shop.large_segment_id] / CONTACTS < 0.22
    assert 0 < sizes[shop.small_segment_id] < 15


def test_ids_are_unique_24_hex_digits(shop: Shop) -> None:
    """No id comes twice, and all have the one spelling."""
    for path in (shop.contacts, shop.activities):
        ids = [row["id"] for row in json_rows(path)]
        assert len(set(ids)) == len(ids)
        assert all(len(id_) == 24 and not set(id_) - set("0123456789abcdef") for id_ in ids)


@pytest.mark.parametrize(
    "awkward", [",", ";", '"', "\n", "\r\n", "é", "🎁", "\t", "'", "\\", "<b>", "=SUM("]
)
def test_texts_are_awkward(shop: Shop, awkward: str) -> None:
    """Everything that breaks a careless CSV writer is in the contacts' notes and names."""
    assert any(
        awkward in value
        for row in json_rows(shop.contacts)
        for value in row.values()
        if isinstance(value, str)
    )


def test_texts_are_missing_empty_and_padded(shop: Shop) -> None:
    """A note can be missing, empty, or begin and end with spaces."""
    notes = [row.get("deliveryNotes") for row in json_rows(shop.contacts)]
    assert None in notes
    assert "" in notes
    assert any(note and note != note.strip() for note in notes)


def test_totals_are_the_sum_of_the_product_lines(shop: Shop) -> None:
    """A purchase's quantity is that of its lines, and its price theirs to the cent."""
    purchases = [row for row in json_rows(shop.activities) if row["type"] == "purchase"]
    assert purchases
    for row in purchases:
        assert row["totalQuantity"] == sum(line["quantity"] for line in row["products"])
        assert row["totalPrice"] == pytest.approx(sum(line["price"] for line in row["products"]))


@pytest.mark.parametrize(
    ("contacts", "activities", "days"), [(0, 1, 1), (1, 0, 1), (1, 1, 0), (1, 86_400_001, 1)]
)
def test_an_impossible_shop_is_refused(
    tmp_path: Path, contacts: int, activities: int, days: int
) -> None:
    """Less than one of anything, or more than one activity a millisecond, is a ValueError."""
    with pytest.raises(ValueError, match="a shop needs"):
        make_shop(tmp_path, contacts=contacts, activities=activities, days=days)


def test_the_source_is_narrowed_like_the_export(shop: Shop, tmp_path: Path) -> None:
    """Segment, types and both ends of the time narrow the rows that an export must hold."""
    parquet = small_shop(tmp_path, "parquet")
    members = {
        row.get("email", row.get("contactId"))
        for row in json_rows(shop.segments)
        if row["segmentId"] == shop.large_segment_id
    }
    rows = [
        row
        for row in json_rows(shop.activities)
        if row["type"] in {"purchase", "search"}
        and row.get("email", row.get("contactId")) in members
    ]
    # The first and the last row stand exactly on the bounds, which belong to the export.
    first, last = rows[10]["createdAt"], rows[-10]["createdAt"]
    wanted = sorted(
        (row for row in rows if first <= row["createdAt"] <= last),
        key=lambda row: (row["createdAt"], row["id"]),
    )
    narrowing = Narrowing(
        segment_id=shop.large_segment_id,
        activity_types=("purchase", "search"),
        from_date=first,
        to_date=last,
    )
    found = expected_activities(parquet, narrowing).rows
    assert [row[0] for row in found] == [row["id"] for row in wanted]
    lines = expected_product_lines(parquet, narrowing).rows
    assert [(line[0], line[3]) for line in lines] == [
        (row["id"], line["productName"]) for row in wanted for line in row.get("products", ())
    ]


EXPECTED = Expected(
    labels=("Tracker", "Name"), rows=[("a1", "Smith, Jr."), ("a2", 'Says "two\r\nlines"')]
)
GOOD = '"Name","Tracker"\n"Smith, Jr.","a1"\n"Says ""two\r\nlines""","a2"\n'


def archive(folder: Path, text: str, *further: str) -> Path:
    path = folder / "export.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr(MEMBER, text)
        for name in further:
            opened.writestr(name, "")
    return path


def test_a_right_archive_passes_every_check(tmp_path: Path) -> None:
    """Nothing is found when the file says what the source says, whatever its column order."""
    path = archive(tmp_path, GOOD)
    checks = check_archive(path, [Member.CONTACTS])
    checks += check_rows(path, member_name(path, Member.CONTACTS), EXPECTED)
    assert len(checks) == 7
    assert [check for check in checks if not check.held] == []
    assert first_lines(path, MEMBER, 2) == ['"Name","Tracker"', '"Smith, Jr.","a1"']


@pytest.mark.parametrize(
    ("spoilt", "claims"),
    [
        (GOOD.replace("a1", "a9"), ["the set of Trackers", "rows come by", "2 columns say"]),
        (GOOD.replace("two\r\n", "two\n"), ["2 columns say"]),
        (GOOD.replace('","a1"', '","a1","x"'), ["every row has as many"]),
        (GOOD.replace('"Smith, Jr.","a1"\n', ""), ["it has as many", "the set", "rows", "2 col"]),
        (GOOD + '"Smith, Jr.","a1"\n', ["it has as many", "rows come", "2 columns"]),
        (GOOD.replace("Tracker", "Id"), ["every column to compare"]),
    ],
)
def test_a_wrong_file_is_found_out(tmp_path: Path, spoilt: str, claims: list[str]) -> None:
    """A changed, lost or doubled row, a longer row and a missing column fail what they break."""
    failed = [c for c in check_rows(archive(tmp_path, spoilt), MEMBER, EXPECTED) if not c.held]
    for check, claim in zip(failed, claims, strict=True):
        assert check.claim.startswith(claim)
        assert check.found


def test_rows_in_another_order_are_found_out(tmp_path: Path) -> None:
    """The same rows in another order fail the order, and say so."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([EXPECTED.labels, *reversed(EXPECTED.rows)])
    checks = check_rows(archive(tmp_path, text.getvalue()), MEMBER, EXPECTED)
    assert [check.found for check in checks if not check.held] == [
        "they come in another order",
        "row 1, Tracker: 'a2' instead of 'a1'",
    ]


def test_a_stranger_in_the_archive_and_a_flipped_bit_are_found_out(tmp_path: Path) -> None:
    """A member too many, and a byte that does not fit the checksum, each fail their check."""
    path = archive(tmp_path, GOOD, "notes.txt")
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"Smith", b"Smyth"))
    failed = [check.held for check in check_archive(path, [Member.CONTACTS])]
    assert failed == [False, False]
