"""The form of a new export, as the server makes it."""

import json
from collections.abc import Iterator
from html import unescape
from typing import Any

import httpx
import pytest

from outhaul.domain.account import Scope
from tests.console_site import Site, Visitor, site, words

OCTOBER = {"first": "2026-10-01", "last": "2026-10-31"}
FIELDS = {"version": "v6", "dates": "ISO", "delimiter": ";"}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Three activities around midnight in Madrid, where the account's days begin."""
    with site(tmp_path_factory.mktemp("console") / "data", rate_limit=100_000) as opened:
        lines = [
            {"type": "login", "createdAt": "2026-09-30T21:59:59.999Z", "email": "a@x.example"},
            {"type": "login", "createdAt": "2026-09-30T22:00:00.000Z", "email": "a@x.example"},
            {"type": "search", "createdAt": "2026-10-31T22:59:59.999Z", "email": "b@x.example"},
        ]
        body = "\n".join(json.dumps(line) for line in lines)
        headers = {"content-type": "application/x-ndjson", "idempotency-key": "one"}
        opened.api.done("POST", "/activities/", 200, content=body, headers=headers)
        yield opened


@pytest.fixture
def visitor(here: Site) -> Visitor:
    return here.visitor()


def told(here: Site, export_id: str) -> dict[str, Any]:
    """The manifest of a finished export."""
    found = here.api.done("GET", f"/exports/{export_id}/manifest", 200)
    assert isinstance(found, dict)
    return found


def sent(visitor: Visitor, path: str = "/exports/new", **fields: Any) -> httpx.Response:
    return visitor.send(path, [*FIELDS.items(), *fields.items()])


def made(here: Site, answer: httpx.Response) -> dict[str, Any]:
    """The finished export that the form led to."""
    assert answer.status_code == 303, words(answer.text)
    export_id = answer.headers["location"].rpartition("/")[2]
    return here.api.until(f"/exports/{export_id}", "finished")


def test_a_form_makes_the_export_that_it_says(here: Site, visitor: Visitor) -> None:
    """Days are the account's, from the first one's start to the last one's end."""
    export = made(here, sent(visitor, type="activities", **OCTOBER, activity="login", guard="on"))
    assert export["origin"] == "app"
    assert export["delimiter"] == ";"
    assert export["filters"] == {
        "activityTypes": ["login"],
        "fromDate": "2026-09-30T22:00:00.000Z",
        "toDate": "2026-10-31T22:59:59.999Z",
    }
    assert export["total"] == 1
    assert told(here, export["id"])["extras"] == {"formulaGuard": True}
    assert made(here, sent(visitor, type="activities", **OCTOBER))["total"] == 2
    # What stands in fields that are hidden for contacts does not count.
    contacts = made(here, sent(visitor, type="contacts", **OCTOBER, activity="login"))
    assert (contacts["total"], contacts.get("filters")) == (2, None)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"first": ""}, "Choose the first day."),
        ({"last": "soon"}, "Choose the last day."),
        ({"last": "9999-12-31"}, "Choose the last day."),
        ({"last": "2026-09-30"}, "The last day lies before the first."),
        ({"last": "2026-11-01"}, "These are 32 days; an export has at most 31."),
        ({"activity": "dancing"}, "no activity type"),
        ({"segment": "0" * 24}, "not there any more"),
        ({"segment": "nonsense"}, "not there any more"),
        ({"version": "v99"}, "Choose one of those that are offered."),
        ({"type": "banners"}, "Choose one of those that are offered."),
        ({"format": "xlsx"}, "Choose one of those that are offered."),
        ({"compression": "rar"}, "Choose one of those that are offered."),
        ({"format": "parquet", "compression": "gzip"}, "Must be zip with the format parquet"),
        ({"format": "parquet", "dates": "LL"}, "Must be ISO with the format parquet"),
        ({"column": "noSuchColumn"}, "One of these is no column of this file any more"),
        ({"product-column": "url"}, "One of these is no column of this file any more"),
        ({"type": "contacts", "since": "yesterday"}, "A commit is a whole number, such as 412."),
        ({"type": "contacts", "since": "9" * 12}, "Must not be after the account's newest commit"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(
    visitor: Visitor, fields: dict[str, str], fault: str
) -> None:
    """Nothing is made; the form comes back as it was filled in; the estimate says it too."""
    all_ = {"type": "activities", **OCTOBER} | fields
    answer = visitor.send("/exports/new", [*(FIELDS | all_).items()])
    assert answer.status_code == 422
    estimate = words(visitor.send("/exports/new/estimate", [*(FIELDS | all_).items()]).text)
    assert fault in estimate
    if "type" not in fields and "version" not in fields:
        assert fault in words(answer.text)
        assert 'aria-invalid="true"' in answer.text or fields.keys() & {
            "activity",
            "column",
            "product-column",
        }
        assert f'value="{all_["first"]}"' in answer.text


def test_an_estimate_tells_rows_size_time_and_the_first_rows(visitor: Visitor) -> None:
    """The rows are exact; the sample is what the file will say."""
    answer = sent(visitor, "/exports/new/estimate", type="activities", **OCTOBER)
    text = words(answer.text)
    assert "Rows 2 " in text
    assert "about" in text
    assert "2026-09-30T22:00:00.000Z" in text
    assert "2026-09-30T21:59:59.999Z" not in text
    assert "b@x.example" in text


def test_the_chart_counts_days_of_the_account(here: Site, visitor: Visitor) -> None:
    """A millisecond before midnight in Madrid is the day before; new data is seen at once."""
    assert json.loads(visitor.page("/exports/new/days")) == {
        "first": "2026-09-30",
        "types": {"login": [1, 1] + [0] * 30, "search": [0] * 31 + [1]},
    }
    line = {"type": "login", "createdAt": "2026-10-01T12:00:00Z", "email": "a@x.example"}
    headers = {"content-type": "application/x-ndjson", "idempotency-key": "two"}
    here.api.done("POST", "/activities/", 200, content=json.dumps(line), headers=headers)
    assert json.loads(visitor.page("/exports/new/days"))["types"]["login"][:2] == [1, 2]
    other = here.visitor(here.new_key(account=here.new_account("Without data")))
    assert json.loads(other.page("/exports/new/days")) == {"first": None, "types": {}}


def test_segments_are_offered_with_their_sizes(here: Site, visitor: Visitor) -> None:
    """And may be called anything."""
    name = "<b>Ana & co"
    segment = here.api.done("POST", "/segments/", 201, json={"name": name})
    here.api.done("POST", f"/segments/{segment['id']}/members", 200, json=["a@x.example"])
    options = visitor.page(f"/exports/new/segments?segment={segment['id']}")
    assert "All contacts, 2" in words(options)
    assert f"{name}, 1" in words(options)
    assert f'value="{segment["id"]}" selected' in options
    assert "<b>" not in options
    export = made(here, sent(visitor, type="contacts", segment=segment["id"]))
    assert export["total"] == 1


def test_too_many_unfinished_exports_are_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The form stays as it was filled in."""
    data = tmp_path_factory.mktemp("console") / "data"
    with site(data, queue_limit=1) as opened:
        opened.rest()
        visitor = opened.visitor()
        assert sent(visitor, type="contacts").status_code == 303
        answer = sent(visitor, type="contacts")
        assert answer.status_code == 400
        assert "1 exports are unfinished already" in words(answer.text)


def test_the_form_needs_the_scope_to_create(here: Site) -> None:
    """Without it there is neither a button nor a page; without segment:read no choice of one."""
    reader = here.visitor(here.new_key(Scope.EXPORT_READ))
    assert "New export" not in words(reader.page("/exports"))
    assert reader.get("/exports/new").status_code == 403
    assert sent(reader, type="contacts").status_code == 403
    assert sent(reader, "/exports/new/estimate", type="contacts").status_code == 200
    writer = here.visitor(here.new_key(Scope.EXPORT_READ, Scope.EXPORT_WRITE))
    assert "segment:read" in words(writer.page("/exports/new"))
    assert writer.get("/exports/new/segments").status_code == 403


def test_everything_that_the_api_knows_can_be_asked_for(here: Site, visitor: Visitor) -> None:
    """Columns in the order of the form, the format, what packs it; and the page's curl says the
    same as the API."""
    columns = ["activityType", "email", "creationDate"]
    chosen = [("column", id_) for id_ in columns] + [("product-column", "activityId")]
    fields = {"type": "activities", **OCTOBER, "format": "jsonl", "compression": "zstd"}
    # What a hidden field holds is not asked for: this format has no byte order mark.
    fields |= {"bom": "on", "guard": "on", "since": "1"}
    export = made(here, visitor.send("/exports/new", [*(FIELDS | fields).items(), *chosen]))
    assert told(here, export["id"])["extras"] == {
        "columns": columns,
        "productColumns": ["activityId"],
        "format": "jsonl",
        "compression": "zstd",
    }
    command = visitor.page(f"/exports/{export['id']}/curl")
    body = json.loads(command.partition("-d '")[2].rpartition("'")[0])
    again = told(here, here.api.export(**body)["id"])
    facts = ("rows", "bytes", "crc32", "columns")
    assert [[member[name] for name in facts] for member in again["members"]] == [
        [member[name] for name in facts] for member in told(here, export["id"])["members"]
    ]


def test_parquet_is_offered(here: Site, visitor: Visitor) -> None:
    """With what is to be known of it; the estimate shows its rows as any other."""
    assert '<option value="parquet">Parquet</option>' in visitor.page("/exports/new")
    fields = {"type": "activities", **OCTOBER, "format": "parquet", "bom": "on"}
    assert "b@x.example" in words(sent(visitor, "/exports/new/estimate", **fields).text)
    export = made(here, sent(visitor, **fields))
    manifest = told(here, export["id"])
    assert manifest["extras"] == {"format": "parquet"}
    page = words(visitor.page(f"/exports/{export['id']}"))
    # Every folder is one line, with the rows of all of its files.
    rows: dict[str, int] = {}
    for member in manifest["members"]:
        folder = member["name"].rpartition("/")[0]
        rows[folder] = rows.get(folder, 0) + member["rows"]
    assert len(rows) == 2
    assert [name for name, count in rows.items() if f"{name}/ {count} " not in page] == []


def test_columns_are_offered_by_type_and_version(visitor: Visitor) -> None:
    """Those that were chosen stay chosen, in their order, where the files have them."""
    chosen = [("column", "email"), ("column", "gone"), ("column", "creationDate")]
    fields = FIELDS | {"type": "activities"}
    page = visitor.send("/exports/new/columns", [*fields.items(), *chosen]).text
    assert "Columns of activities" in words(page)
    assert "Columns of product lines" in words(page)
    assert '["email", "creationDate"]' in unescape(page)
    contacts = visitor.send("/exports/new/columns", [*(fields | {"type": "contacts"}).items()]).text
    assert 'value="_email"' in contacts
    assert "product lines" not in words(contacts)
    assert visitor.send("/exports/new/columns", [("type", "banners")]).status_code == 200


def test_changes_since_an_export_are_a_click_away(here: Site, visitor: Visitor) -> None:
    """Its page leads to a form that asks for what has changed since; with a segment it says that
    this cannot be told."""
    export = made(here, sent(visitor, type="contacts"))
    snapshot = told(here, export["id"])["snapshot"]["number"]
    link = f"/console/exports/new?type=contacts&since={snapshot}"
    assert link in unescape(visitor.page(f"/exports/{export['id']}"))
    assert f'value="{snapshot}"' in visitor.page(link.removeprefix("/console"))
    assert made(here, sent(visitor, type="contacts", since=str(snapshot)))["total"] == 0
    segment = here.api.done("POST", "/segments/", 201, json={"name": "Any"})["id"]
    answer = sent(visitor, type="contacts", since="0", segment=segment)
    assert "nobody can tell who left a segment" in words(answer.text)
