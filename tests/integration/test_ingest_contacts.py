"""Importing contacts: what is stored, what is refused, what a crash leaves behind."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outhaul.domain.cancellation import Cancellation, Cancelled
from outhaul.domain.errors import ImportRefused
from outhaul.domain.ids import is_id, new_id
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
    opened = Shop(tmp_path)
    yield opened
    opened.close()


def test_every_kind_of_value_is_stored_typed(shop):
    """A CSV row is kept with the types of its fields; texts exactly as written."""
    result = shop.take(
        "contacts",
        "a.csv",
        "_email,_name,_birthdate,_points,_hasPushSubscriptions,_totalPurchasesAmount,"
        "_emailLastBouncedDate,_emailStatus,_createdAt\n"
        ' ANA@shop.Example ," Ana, ""la"" \nmás ",1990-02-28,-7,true,12.3456789,'
        "2026-03-05T15:07:09.1239+01:00,active,2020-01-01\n",
    )
    assert (result.taken, result.refused) == (1, 0)
    assert shop.contacts(
        "_email",
        "_name",
        "_birthdate",
        "_points",
        "_hasPushSubscriptions",
        "_totalPurchasesAmount",
        "_emailLastBouncedDate",
        "_emailStatus",
        "_createdAt",
        "_isAnonymous",
    ) == [
        (
            "ana@shop.example",
            ' Ana, "la" \nmás ',
            date(1990, 2, 28),
            -7,
            True,
            Decimal("12.345679"),
            instant(2026, 3, 5, 14, 7, 9, 123000),
            "active",
            instant(2020, 1, 1),
            False,
        )
    ]
    assert not shop.rejects_of("a.csv").exists()


def test_a_new_contact_gets_an_id_and_the_commit_instant(shop):
    """Without id and instants a contact has a made id, and both instants are the commit's."""
    result = shop.take("contacts", "a.csv", "_email\na@b.example\n")
    [(id_, created, updated)] = shop.contacts("id", "_createdAt", "_updatedAt")
    [(at,)] = shop.rows("SELECT * EXCLUDE (number, source) FROM commits")
    assert is_id(id_)
    assert result.commit == 1
    assert created == updated == at


def test_a_second_file_changes_and_keeps_versions(shop):
    """A changed contact gets a new version; one that a row does not change gets none."""
    shop.take("contacts", "a.csv", "_email,_name\na@b.example,A\nb@b.example,B\n")
    result = shop.take("contacts", "b.csv", "_email,_name\na@b.example,A\nb@b.example,Bea\n")
    assert result.taken == 2
    assert shop.rows(
        "SELECT _email, _name, commit_from, commit_to < 99 FROM contacts ORDER BY 1, 3"
    ) == [
        ("a@b.example", "A", 1, False),
        ("b@b.example", "B", 1, True),
        ("b@b.example", "Bea", 2, False),
    ]


def test_missing_clears_and_empty_text_stays(shop):
    """An empty unquoted cell clears the field; a quoted empty one is the empty text."""
    shop.take("contacts", "a.csv", "_email,_name,_surname\na@b.example,A,B\n")
    shop.take("contacts", "b.csv", '_email,_name,_surname\na@b.example,,""\n')
    assert shop.contacts("_name", "_surname") == [(None, "")]


def test_a_key_that_a_json_line_lacks_leaves_the_field(shop):
    """Of three fields one is set, one is cleared by null, and one, not named, stays."""
    shop.take("contacts", "a.csv", "_email,_name,_surname,_points\na@b.example,A,B,3\n")
    rows: list[Row] = [
        {"_email": "a@b.example", "_name": "Z", "_points": None},
        {"_email": "c@b.example"},
    ]
    shop.take("contacts", "b.jsonl", json_lines(rows))
    assert shop.contacts("_email", "_name", "_surname", "_points") == [
        ("a@b.example", "Z", "B", None),
        ("c@b.example", None, None, None),
    ]


def test_keys_of_json_lines_may_differ_in_case_alone(shop):
    """Each is a field of its own, also in a file that has but one of them."""
    rows: list[Row] = [
        {"_email": "a@b.example", "size": "small", "Size": "BIG"},
        {"_email": "b@b.example", "Size": '"{"'},
    ]
    for name, keys in (("both", ("size", "Size")), ("one", ("size",))):
        given = [{k: v for k, v in row.items() if k in {"_email", *keys}} for row in rows]
        result = shop.take("contacts", f"{name}.jsonl", json_lines(given), create_fields=True)
        assert result.taken == 2
        assert shop.contacts("_email", "x1", "x2") == [
            ("a@b.example", "BIG", "small"),
            ("b@b.example", '"{"', None),
        ]


def test_rows_of_one_contact_apply_in_order(shop):
    """The last row wins field by field, in one version."""
    rows: list[Row] = [
        {"_email": "a@b.example", "_name": "1", "_points": 1},
        {"_email": "A@B.example", "_name": "2"},
        {"_email": "a@b.example", "_surname": "3"},
    ]
    result = shop.take("contacts", "a.jsonl", json_lines(rows))
    assert result.taken == 3
    assert shop.rows("SELECT _name, _points, _surname FROM contacts") == [("2", 1, "3")]


def test_a_changed_email_is_noted_and_frees_the_old_one(shop):
    """By id an email is changed; the old email then belongs to nobody and makes a new contact."""
    shop.take("contacts", "a.csv", "id,_email\nk1,old@b.example\n")
    shop.take("contacts", "b.csv", "id,_email,_name\nk1,new@b.example,moved\n,old@b.example,new\n")
    assert shop.contacts("_email", "_name") == [
        ("new@b.example", "moved"),
        ("old@b.example", "new"),
    ]
    assert shop.rows("FROM identity_changes") == [("k1", 2, "new@b.example")]


def test_an_email_or_external_id_of_another_contact_is_refused(shop):
    """Nobody can take over what identifies somebody else; the other rows are taken."""
    shop.take("contacts", "a.csv", "id,_email,_externalId\nk1,a@b.example,x1\nk2,b@b.example,\n")
    result = shop.take(
        "contacts",
        "b.csv",
        "id,_email,_externalId,_name\nk2,a@b.example,x1,no\nk3,c@b.example,x3,yes\n",
    )
    assert (result.taken, result.refused) == (1, 1)
    assert shop.rejects("b.csv") == [
        (2, "_email belongs to another contact; _externalId belongs to another contact")
    ]
    assert shop.contacts("id", "_name") == [("k1", None), ("k2", None), ("k3", "yes")]


def test_anonymous_is_told_by_email_and_external_id(shop):
    """A contact with neither is anonymous, unless the file says otherwise."""
    shop.take(
        "contacts",
        "a.csv",
        "id,_externalId,_isAnonymous\nk1,,\nk2,x2,\nk3,,false\n",
    )
    assert shop.rows('SELECT id, "_isAnonymous" FROM contacts ORDER BY id') == [
        ("k1", True),
        ("k2", False),
        ("k3", False),
    ]


def test_refused_rows_are_listed_with_every_reason(shop):
    """The whole list: physical lines (records may span some), all reasons, no values."""
    result = shop.take(
        "contacts",
        "a.csv",
        "_email,id,_points,_name\n"
        'not-an-address,"sp ace",1.5,x\n'
        "\n"
        'a@b.example,,1,"two\nlines"\n'
        "b@b.example,,1\n"
        'c@b.example,,1,"x"y\n'
        ",,,nobody\n"
        'd@b.example,,1,"fine"\n'
        'e@b.example,,x,"three\n\nlines"\n'
        "f@b.example,,9999999999999999999,x\n",
    )
    assert (result.taken, result.refused) == (2, 6)
    assert shop.rejects_of("a.csv").read_text() == (
        '{"line": 2, "reason": "id must be 1 to 64 letters, digits, or any of . _ : -; '
        "_email must be an email address; _points must be a whole number; "
        'the row needs an _email or an id"}\n'
        '{"line": 6, "reason": "the row has fewer values than the header"}\n'
        '{"line": 7, "reason": "a quoted value is not closed, or text follows its closing'
        ' quote"}\n'
        '{"line": 8, "reason": "the row needs an _email or an id"}\n'
        '{"line": 10, "reason": "_points must be a whole number"}\n'
        '{"line": 13, "reason": "_points must be a whole number"}\n'
    )
    assert shop.contacts("_email") == [("a@b.example",), ("d@b.example",)]


def test_wrong_json_lines_are_refused_and_blank_ones_passed_over(shop):
    """Broken JSON, other values than objects, repeated keys and nesting stop only their line."""
    result = shop.take(
        "contacts",
        "a.ndjson",
        '{"_email":"a@b.example"}\n\n{"_email":\n[1]\n{"_email":"b@b.example","_email":"c@b.example"}\n'
        '{"_email":"d@b.example","_name":["x"]}\n{"_email":"e@b.example","_name":"a\\u0000b"}\n'
        '{"_email":"f@b.example","_name":"[x]"}',
    )
    assert (result.taken, result.refused) == (2, 5)
    assert shop.rejects("a.ndjson") == [
        (3, "the line is not one JSON object"),
        (4, "the line is not one JSON object"),
        (5, "a key stands more than once"),
        (6, "_name must be text without NUL characters"),
        (7, "_name must be text without NUL characters"),
    ]
    assert shop.contacts("_email", "_name") == [("a@b.example", None), ("f@b.example", "[x]")]


@pytest.mark.parametrize("before", range(7))
def test_a_nul_character_is_found_wherever_it_stands(shop, before):
    """Also where a file that is read piece by piece is cut in the middle of its spelling."""
    line = '{"_email":"a@b.example","_name":"a\\u0000b"}\n'
    cut = (1 << 20) + before - line.index("\\")
    fill = '{"_email":"c@b.example","_name":"' + "x" * (cut - 36) + '"}\n'
    result = shop.take("contacts", "a.jsonl", fill + line)
    assert (result.taken, result.refused) == (1, 1)
    assert shop.rejects("a.jsonl") == [(2, "_name must be text without NUL characters")]


def test_a_clean_import_removes_an_older_list(shop):
    """After the file is mended and imported again no list of refused rows is left."""
    shop.take("contacts", "a.csv", "_email\nwrong\n")
    assert shop.rejects("a.csv") == [
        (2, "_email must be an email address; the row needs an _email or an id")
    ]
    shop.take("contacts", "a.csv", "_email\nright@b.example\n")
    assert not shop.rejects_of("a.csv").exists()


def test_new_fields_are_made_from_their_values(shop):
    """With leave to do so unknown columns become fields typed by all of their values."""
    shop.take(
        "contacts",
        "a.csv",
        "_email,vip,age,weight,since,zip,tags,Size\n"
        'a@b.example,true,41,70,2020-02-29,08001,"[""a"",""b""]",M\n'
        "b@b.example,FALSE,,70.5,,28001,[],\n",
        create_fields=True,
    )
    fields = shop.rows("SELECT id, name, type, ordinal FROM contact_fields ORDER BY ordinal")
    assert fields == [
        ("vip", "vip", "boolean", 1),
        ("age", "age", "integer", 2),
        ("weight", "weight", "decimal", 3),
        ("since", "since", "date", 4),
        ("zip", "zip", "text", 5),
        ("tags", "tags", "checkbox", 6),
        ("Size", "Size", "text", 7),
    ]
    assert shop.contacts("x1", "x2", "x3", "x4", "x5", "x6", "x7") == [
        (True, 41, Decimal("70.000000"), date(2020, 2, 29), "08001", "a|b", "M"),
        (False, None, Decimal("70.500000"), None, "28001", "", None),
    ]
    shop.take("contacts", "b.jsonl", '{"_email":"a@b.example","age":42,"tags":["c"]}\n')
    assert shop.contacts("x1", "x2", "x6")[0] == (True, 42, "c")


def test_the_last_value_of_a_long_column_has_its_say_in_the_type(shop):
    """A column that starts with thousands of numbers, or empty, is typed by what comes late."""
    lines = [f"{n}@b.example,{n},{n},,\n" for n in range(5000)]
    lines.append("last@b.example,5000,a word,12,not a number\n")
    shop.take(
        "contacts", "a.csv", "".join(["_email,number,word,late,text\n", *lines]), create_fields=True
    )
    assert shop.rows("SELECT id, type FROM contact_fields ORDER BY ordinal") == [
        ("number", "integer"),
        ("word", "text"),
        ("late", "integer"),
        ("text", "text"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "detail"),
    [
        ("a.txt", b"_email\n", "must end in .csv"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"_name\nx\n", "needs a column _email or id"),
        ("a.csv", b"_email,_email\nx,y\n", "more than once: _email"),
        ("a.csv", b"_email,shoe,hat\nx,1,2\n", "no contact fields: shoe, hat. Import with --cr"),
        ("a.csv", b"_email,_name\na@b.example,\xff\n", "not UTF-8"),
        ("a.csv", b"_email\xff\n", "not UTF-8"),
        ("a.csv", b"_email,_name\na@b.example,x\r\nb@b.example,x\n", "must end alike"),
        ("a.jsonl", b'{"_name":"x"}\n', "needs a column _email or id"),
        ("a.jsonl", b'{"_email":"a@b.example","hat":1}\n', "no contact fields: hat"),
        ("a.jsonl", b'{"_email":"a@b.example","_name":"\xff"}\n', "not UTF-8"),
        ("a.parquet", b"PAR1 and nothing else", "not a Parquet file"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_as_a_whole(shop, name, content, detail):
    """The detail tells what is wrong, and nothing of the file is taken."""
    with pytest.raises(ImportRefused) as refused:
        shop.take("contacts", name, content)
    assert detail in refused.value.detail
    assert shop.rows("SELECT count(*) FROM commits") == [(0,)]
    assert list((shop.folder / "imports").iterdir()) == []


@pytest.mark.parametrize("header", ["9lives", "_own", "a b", "ID"])
def test_an_id_that_no_field_can_have_is_refused(shop, header):
    """Field ids start with a letter and have no blanks; `id` is reserved in any case."""
    with pytest.raises(ImportRefused, match="cannot become fields"):
        shop.take("contacts", "a.csv", f"_email,{header}\na@b.example,1\n", create_fields=True)


def test_a_missing_file_is_refused(shop):
    """A path where nothing is, or a folder is, cannot be imported."""
    (shop.folder / "folder.csv").mkdir()
    for name in ("nothing.csv", "folder.csv"):
        with pytest.raises(ImportRefused, match="cannot read"):
            shop.take("contacts", name)


def test_no_more_than_140_own_fields(shop):
    """The file that would add the 141st field is refused, and adds none."""
    header = ",".join(f"f{n}" for n in range(141))
    with pytest.raises(ImportRefused, match="at most 140"):
        shop.take("contacts", "a.csv", f"_email,{header}\n", create_fields=True)
    assert shop.rows("SELECT count(*) FROM contact_fields") == [(0,)]


def test_semicolons_byte_order_mark_and_wildcards_in_the_name(shop):
    """A file from a Spanish spreadsheet is read, whatever characters its name has."""
    content = "\ufeff_email;_name\r\na@b.example;uno, dos\r\nb@b.example\r\n"
    result = shop.take("contacts", "it's [a] *.csv", content)
    assert result.taken == 1
    assert shop.rejects("it's [a] *.csv") == [(3, "the row has fewer values than the header")]
    assert shop.contacts("_email", "_name") == [("a@b.example", "uno, dos")]


_emails = st.sampled_from([None, "a@b.example", "b@b.example", "c@b.example"])
_orders = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.sampled_from(["k1", "k2", "k3"]),
            "_email": _emails,
            "_externalId": st.sampled_from([None, "x1", "x2"]),
            "_name": st.sampled_from(["n1", "n2", "n3"]),
        },
    ),
    min_size=2,
    max_size=7,
)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=_orders)
def test_one_file_does_what_its_rows_do_one_by_one(tmp_path_factory, rows):
    """However rows exchange emails and external ids, a file means its rows in their order."""
    together = Shop(tmp_path_factory.mktemp("together"))
    apart = Shop(tmp_path_factory.mktemp("apart"))
    head = {"_email": "z@b.example", "id": "k0", "_externalId": "x0", "_name": ""}
    text = json_lines([head, *rows])
    together.take("contacts", "a.jsonl", text)
    refused = []
    for line, row in enumerate([head, *rows], start=1):
        # The first row is there so that every file has all columns.
        apart.take("contacts", "one.jsonl", json_lines([head, row]))
        refused += [(line, reason) for _, reason in apart.rejects("one.jsonl")]
    columns = ("CASE WHEN length(id) < 24 THEN id END", "_email", "_externalId", "_name")
    sql = f'SELECT {", ".join(columns)}, "_isAnonymous" FROM contacts WHERE commit_to > 99'
    assert sorted(map(str, together.rows(sql))) == sorted(map(str, apart.rows(sql)))
    assert together.rejects("a.jsonl") == refused
    together.close()
    apart.close()


_texts = st.text(
    alphabet=st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00\r"), max_size=12
)
_contacts = st.lists(
    st.fixed_dictionaries(
        {
            "_name": st.none() | _texts,
            "_points": st.none() | st.integers(-(2**63), 2**63 - 1),
            "_clv": st.none() | st.decimals(-(10**8), 10**8, places=6).map(str),
            "_hasPushSubscriptions": st.none() | st.booleans(),
            "_birthdate": st.none() | st.dates(date(1900, 1, 1)).map(str),
            "_emailLastBouncedDate": st.none()
            | st.datetimes(instant(1900, 1, 1), instant(2200, 12, 31)).map(
                lambda at: at.isoformat(timespec="milliseconds") + "Z"
            ),
            "_emailStatus": st.none() | st.sampled_from(["active", "banned", "lost"]),
            "own": st.none() | _texts,
        }
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=_contacts)
def test_the_three_file_kinds_mean_the_same(tmp_path_factory, rows):
    """The same contacts as CSV, JSON Lines and Parquet are stored and refused alike."""
    named: list[Row] = [{"_email": f"c{n}@b.example", **row} for n, row in enumerate(rows)]
    outcomes = []
    for name in ("a.csv", "a.jsonl", "a.parquet"):
        shop = Shop(tmp_path_factory.mktemp("kind"))
        shop.take("contacts", "field.csv", "_email,own\n", create_fields=True)
        if name == "a.csv":
            content: str | None = csv_text(list(named[0]), named)
        else:
            content = json_lines(named)
        if name == "a.parquet":
            lines = shop.folder / "source.json"
            lines.write_text(content or "")
            typed = {
                "_email": "VARCHAR",
                "_name": "VARCHAR",
                "_points": "BIGINT",
                "_clv": "DECIMAL(18,6)",
                "_hasPushSubscriptions": "BOOLEAN",
                "_birthdate": "DATE",
                "_emailLastBouncedDate": "TIMESTAMP",
                "_emailStatus": "VARCHAR",
                "own": "VARCHAR",
            }
            write_parquet(shop.folder / name, f"FROM read_json('{lines}', columns = {typed})")
            content = None
        shop.take("contacts", name, content)
        reasons = [reason for _, reason in shop.rejects(name)]
        columns = [column for column in named[0] if column != "own"]
        outcomes.append((shop.contacts(*columns, "x1", "_isAnonymous"), reasons))
        shop.close()
    assert outcomes[0] == outcomes[1]
    assert outcomes[0] == outcomes[2]


def test_a_crash_between_chunks_changes_nothing_in_the_end(tmp_path):
    """Stopped after any commit and run again, an import leaves what an undisturbed one does."""
    start = "id,_email\nk1,a@b.example\n"
    rows = "id,_email,_name\n,b@b.example,B\nk9,a@b.example,no\n,c@b.example,C\n,b@b.example,B2\n"
    rows += "k1,d@b.example,moved\nk9,a@b.example,yes\n"
    outcomes = []
    for stop_after in (None, 1, 2, 3):
        shop = Shop(tmp_path / str(stop_after), record_chunk=2)
        shop.take("contacts", "start.csv", start)
        import_id = "0123456789abcdef01234567"
        if stop_after is not None:
            with pytest.raises(Crash):
                shop.take(
                    "contacts", "a.csv", rows, import_id=import_id, progress=crash_after(stop_after)
                )
        result = shop.take("contacts", "a.csv", rows, import_id=import_id)
        outcomes.append(
            (
                result,
                shop.rejects("a.csv"),
                shop.rows(
                    'SELECT * EXCLUDE ("_createdAt", "_updatedAt") FROM contacts'
                    " ORDER BY commit_from, _email"
                ),
                shop.rows("FROM identity_changes"),
                shop.rows("SELECT number FROM commits ORDER BY number"),
            )
        )
        assert list((shop.folder / "imports").iterdir()) == []
        shop.close()
    assert outcomes[0][0].taken == 5
    assert outcomes[0][1] == [(3, "_email belongs to another contact")]
    assert all(outcome == outcomes[0] for outcome in outcomes)


def test_a_finished_import_run_again_changes_nothing(shop):
    """The same job twice, as after a crash before its end was recorded, gives one result."""
    import_id = new_id()
    content = "_email,age\na@b.example,3\nwrong,4\n"
    first = shop.take("contacts", "a.csv", content, import_id=import_id, create_fields=True)
    again = shop.take("contacts", "a.csv", content, import_id=import_id, create_fields=True)
    assert (again.taken, again.refused) == (first.taken, first.refused) == (1, 1)
    assert shop.rows("SELECT count(*) FROM contacts") == [(1,)]


def test_a_cancelled_import_stops(shop):
    """Cancelling from the progress of the first chunk leaves the second one out."""
    small = Shop(shop.folder / "small", record_chunk=1)
    cancellation = Cancellation()
    with pytest.raises(Cancelled):
        small.take(
            "contacts",
            "a.csv",
            "_email\na@b.example\nb@b.example\n",
            progress=lambda done, total: cancellation.cancel(),
            cancellation=cancellation,
        )
    assert small.contacts("_email") == [("a@b.example",)]
    small.close()
