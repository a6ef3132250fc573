"""Importing activities and segments."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from outhaul.domain.errors import ImportRefused
from outhaul.domain.ids import is_id
from outhaul.store.families import FAMILIES
from outhaul.store.schema import OPEN
from tests.integration.ingest_shop import (
    Crash,
    Row,
    Shop,
    crash_after,
    csv_text,
    instant,
    json_lines,
    write_parquet,
)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    opened = Shop(tmp_path, activity_chunk=4)
    yield opened
    opened.close()


_PURCHASE: Row = {
    "type": "purchase",
    "createdAt": "2026-03-05T15:07:09.1239+01:00",
    "email": " ANA@b.example",
    "id": "p1",
    "purchaseId": "o-1",
    "totalPrice": 19.5,
    "products": [
        {"productId": "s1", "categories": ["shoes", "red"], "unitPrice": 9.75, "quantity": 2},
        {"productId": "s2", "productName": 'a "b"'},
    ],
}


def _as_file(shop: Shop, ending: str, row: Row) -> tuple[str, str | None]:
    """The row as a file of that ending: its name, and its content unless it is written."""
    name = f"a.{ending}"
    if ending == "jsonl":
        return name, json_lines([row])
    if ending == "csv":
        text = {**row, "products": json_lines([{"p": row["products"]}])[6:-2]}
        return name, csv_text(list(text), [text])
    lines = shop.folder / "source.json"
    lines.write_text(json_lines([row]))
    write_parquet(shop.folder / name, f"FROM read_json('{lines}')")
    return name, None


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_an_activity_and_its_product_lines_are_stored(shop, ending):
    """The same purchase in any kind of file gives one activity and its lines in order."""
    name, content = _as_file(shop, ending, _PURCHASE)
    result = shop.take("activities", name, content)
    assert (result.taken, result.refused, shop.rejects(name)) == (1, 0, [])
    [(contact,)] = shop.contacts("id")
    at = instant(2026, 3, 5, 14, 7, 9, 123000)
    assert shop.rows(
        'SELECT id, commit, type, "createdAt", "contactId", email, "purchaseId", "totalPrice",'
        ' "paymentMethod" FROM activities_purchase'
    ) == [("p1", 1, "purchase", at, contact, "ana@b.example", '"o-1"', Decimal("19.5"), None)]
    shared = ("p1", 1, "purchase", at, contact, "ana@b.example")
    assert shop.rows(
        'SELECT "activityId", commit, type, "createdAt", "contactId", email, position,'
        ' "productId", "productName", categories, "unitPrice", quantity, price'
        " FROM product_lines ORDER BY position"
    ) == [
        (*shared, 0, '"s1"', None, '"shoes|red"', Decimal("9.75"), 2, None),
        (*shared, 1, '"s2"', '"a ""b"""', None, None, None, None),
    ]


def test_an_unknown_email_makes_a_contact_and_an_unknown_contact_id_refuses(shop):
    """The new contact is as old as its first activity; known contacts lend their email."""
    shop.take("contacts", "c.csv", "id,_email\nk1,known@b.example\n")
    result = shop.take(
        "activities",
        "a.csv",
        "type,createdAt,email,contactId\n"
        "login,2026-01-03,new@b.example,\n"
        "login,2026-01-02,new@b.example,\n"
        "login,2026-01-02,,k1\n"
        "login,2026-01-01,known@b.example,\n"
        "login,2026-01-01,known@b.example,k7\n",
    )
    assert (result.taken, result.refused, result.commit) == (4, 1, 3)
    assert shop.rejects("a.csv") == [(6, "no contact has this contactId")]
    assert shop.contacts("_email", "_createdAt", "_isAnonymous")[1] == (
        "new@b.example",
        instant(2026, 1, 2),
        False,
    )
    [(new,)] = shop.rows("SELECT id FROM contacts WHERE _email = 'new@b.example'")
    found = shop.rows('SELECT id, "createdAt", "contactId", email FROM activities ORDER BY 2, 3')
    assert all(is_id(id_) for id_, *_ in found)
    assert [row[1:] for row in found] == [
        (instant(2026, 1, 1), "k1", "known@b.example"),
        *sorted(
            [
                (instant(2026, 1, 2), "k1", "known@b.example"),
                (instant(2026, 1, 2), new, "new@b.example"),
                (instant(2026, 1, 3), new, "new@b.example"),
            ]
        ),
    ]


def test_wrong_activities_are_refused_with_every_reason(shop):
    """Unknown types and fields, fields of other types, missing keys and wrong product lines."""
    good = {"type": "login", "createdAt": "2026-01-01", "email": "a@b.example"}
    lines = {**good, "type": "purchase"}
    rows: list[Row] = [
        {**good, "type": "nonsense"},
        {**good, "colour": "red"},
        {**good, "url": "https://b.example"},
        {**good, "url": None},
        {"type": "login"},
        {**good, "createdAt": "2201-01-01", "email": "x"},
        {**good, "createdAt": "2026-02-30"},
        {**good, "products": [{"productId": "a"}]},
        {**lines, "products": {"productId": "a"}},
        {**lines, "products": [5]},
        {**lines, "products": [{"productId": "a", "size": 1}, {"quantity": 1.5}]},
        {**lines, "products": []},
    ]
    result = shop.take("activities", "a.jsonl", json_lines(rows))
    assert (result.taken, result.refused) == (2, 10)
    wrong = "createdAt must be an ISO 8601 instant such as 2026-03-05T14:07:09Z, years 1900 to 2200"
    found = shop.rejects("a.jsonl")
    assert found == [
        (1, "type must be an activity type, such as purchase"),
        (2, "unknown field colour"),
        (3, "this type has no field url"),
        (5, "createdAt is missing; the row needs an email or a contactId"),
        (6, f"{wrong}; email must be an email address; the row needs an email or a contactId"),
        (7, wrong),
        (8, "this type has no field products"),
        (9, "products must be a list of objects"),
        (10, "products must be a list of objects"),
        (11, "in products, quantity must be a whole number; products has an unknown field"),
    ]
    assert shop.rows("SELECT count(*) FROM product_lines") == [(0,)]


def test_either_spelling_of_a_type_is_stored_as_one(shop):
    """entity-created and contact-created are the same type."""
    shop.take(
        "activities",
        "a.csv",
        "type,createdAt,email\nentity-created,2026-01-01,a@b.example\n"
        "contact-created,2026-01-02,a@b.example\n",
    )
    assert shop.rows("SELECT DISTINCT type FROM activities") == [("contact-created",)]


def test_a_repeated_id_is_taken_once(shop):
    """Within a file the first row counts, and what the store has is not taken again."""
    text = "type,createdAt,email,id\n"
    text += "".join(f"login,2026-01-0{1 + n % 7},a@b.example,i{n % 8}\n" for n in range(10))
    first = shop.take("activities", "a.csv", text)
    assert (first.taken, first.refused, first.repeated) == (8, 0, 2)
    again = shop.take("activities", "b.csv", text + "login,2026-01-01,a@b.example,i9\n")
    assert (again.taken, again.refused, again.repeated) == (1, 0, 10)
    assert shop.rows("SELECT count(*), count(DISTINCT id) FROM activities") == [(9, 9)]


def test_the_store_stays_in_time_order(shop):
    """Rows in any order are stored by instant and id, chunk by chunk, each chunk one commit."""
    text = "type,createdAt,email,id\n"
    text += "".join(
        f"login,2026-01-01T00:00:{n * 37 % 20:02}Z,u{n % 3}@b.example,i{n:02}\n" for n in range(40)
    )
    result = shop.take("activities", "a.csv", text)
    assert result.taken == 40
    assert shop.rows(
        'SELECT count(*) FROM (SELECT ("createdAt", id) AS k, lag(("createdAt", id)) OVER'
        " (ORDER BY rowid) AS before, commit, lag(commit) OVER (ORDER BY rowid) AS earlier"
        " FROM activities_other) WHERE before >= k OR earlier > commit"
    ) == [(0,)]
    assert shop.rows("SELECT count(*), sum(taken)::INT FROM applied_chunks") == [
        (result.commit, 40)
    ]
    assert result.commit > 5


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        ("type,email\nlogin,a@b.example\n", "needs the columns type, createdAt"),
        ("type,createdAt\nlogin,2026-01-01\n", "email or contactId"),
        ("type,createdAt,email,hat\n", "have these fields: hat|these fields: hat"),
    ],
)
def test_a_file_without_its_key_columns_is_refused(shop, content, detail):
    """The detail names what is missing or unknown."""
    with pytest.raises(ImportRefused, match=detail):
        shop.take("activities", "a.csv", content)


def test_a_crash_between_chunks_changes_nothing_in_the_end(tmp_path):
    """Stopped after any commit and run again: the same rows, counts and refusals."""
    text = "type,createdAt,email,contactId,id,products\n"
    for n in range(12):
        who = f"u{n % 2}@b.example," if n % 4 else ",k7"
        text += f'purchase,2026-01-{12 - n % 11:02},{who},{"i5" if n > 9 else ""},"[{{}},{{}}]"\n'
    outcomes = []
    for stop_after in (None, 1, 2):
        shop = Shop(tmp_path / str(stop_after), activity_chunk=4)
        import_id = "0123456789abcdef01234567"
        if stop_after is not None:
            with pytest.raises(Crash):
                shop.take(
                    "activities",
                    "a.csv",
                    text,
                    import_id=import_id,
                    progress=crash_after(stop_after),
                )
        result = shop.take("activities", "a.csv", text, import_id=import_id)
        outcomes.append(
            (
                result,
                shop.rejects("a.csv"),
                shop.rows("FROM activities"),
                [shop.rows(f"FROM {family.table}") for family in FAMILIES],
                shop.rows("FROM product_lines"),
                shop.rows('SELECT * EXCLUDE ("_updatedAt") FROM contacts'),
            )
        )
        shop.close()
    assert (outcomes[0][0].taken, outcomes[0][0].repeated) == (8, 1)
    assert [line for line, _ in outcomes[0][1]] == [2, 6, 10]
    assert len(outcomes[0][4]) == 16
    assert all(outcome == outcomes[0] for outcome in outcomes)


_SEGMENT = "a" * 24


def test_members_are_added_and_a_new_name_renames(shop):
    """Members by email or id; members stay; the last name counts, from its commit on."""
    shop.take("contacts", "c.csv", "id,_email\nk1,a@b.example\nk2,b@b.example\n")
    first = f"segmentId,segmentName,email\n{_SEGMENT},Old,A@b.example\n{_SEGMENT},Old,x@b.example\n"
    result = shop.take("segments", "a.csv", first)
    assert (result.taken, result.refused) == (1, 1)
    assert shop.rejects("a.csv") == [(3, "no contact has this email")]
    rows = [
        {"segmentId": _SEGMENT, "segmentName": "New", "contactId": id_}
        for id_ in ("k1", "k2", "k9")
    ]
    shop.take("segments", "b.jsonl", json_lines(rows))
    assert shop.rejects("b.jsonl") == [(3, "no contact has this contactId")]
    assert shop.rows("FROM segments ORDER BY commit_from") == [
        (_SEGMENT, "Old", 2, 3),
        (_SEGMENT, "New", 3, OPEN),
    ]
    assert shop.rows("FROM segment_members ORDER BY commit_from") == [
        (_SEGMENT, "k1", 2, OPEN),
        (_SEGMENT, "k2", 3, OPEN),
    ]


def test_wrong_members_are_refused(shop):
    """An id that is none, an empty name and nobody named are told apart."""
    text = "segmentId,segmentName,email\nA1,,x\n"
    shop.take("segments", "a.csv", text)
    assert shop.rejects("a.csv") == [
        (
            2,
            "email must be an email address; segmentId must be 24 hex digits, letters in lower"
            " case; segmentName must not be empty; the row needs an email or a contactId",
        )
    ]
    with pytest.raises(ImportRefused, match="unknown columns: hat"):
        shop.take("segments", "b.csv", "segmentId,segmentName,email,hat\n")
    with pytest.raises(ImportRefused, match="needs the columns segmentId"):
        shop.take("segments", "b.csv", "segmentId,email\n")


def test_wide_rows_need_no_more_memory_than_narrow_ones(tmp_path: Path):
    """Two kilobytes a row, in no order, as much as the engine may use: written part by part."""
    random = Random(7)
    made = {
        instant(2026, 1, 1) + timedelta(seconds=7919 * n % 60_000): random.randbytes(512).hex()
        for n in range(60_000)
    }
    lines = [
        f"web-page-visited,{at.isoformat()}Z,a{at.second}@shop.example,{text},{text[::-1]}\n"
        for at, text in made.items()
    ]
    shop = Shop(tmp_path, memory_limit="128MB")
    header = "type,createdAt,email,url,pageTitle\n"
    result = shop.take("activities", "wide.csv", header + "".join(lines))
    assert (result.taken, result.refused) == (60_000, 0)
    kept = shop.rows('SELECT "createdAt", url FROM activities_page ORDER BY rowid')
    shop.close()
    assert kept == [(at, f'"{text}"') for at, text in sorted(made.items())]
