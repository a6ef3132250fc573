"""The pages of reports, as the server makes them."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from outhaul.domain.account import Scope
from outhaul.domain.report_parts import DIMENSIONS
from tests.console_site import Site, Visitor, site, words

HOSTILE = "<b>Sales & co"
MARCH = [("first", "2026-03-01"), ("last", "2026-03-31"), ("delimiter", ";")]
SALES = [
    ("name", HOSTILE),
    ("dimension", "month"),
    ("dimension", "day"),
    ("metric", "totalPurchaseAmount"),
    ("metric", "numberOfPurchases"),
]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two purchases and a login around midnight in Madrid, where the account's days begin."""
    with site(tmp_path_factory.mktemp("console") / "data", rate_limit=100_000) as opened:
        lines: list[dict[str, Any]] = [
            {"type": "purchase", "createdAt": "2026-02-28T22:59:59.999Z", "totalPrice": 1},
            {"type": "purchase", "createdAt": "2026-02-28T23:00:00.000Z", "totalPrice": 469},
            {"type": "purchase", "createdAt": "2026-03-31T21:59:59.999Z", "totalPrice": 7.5},
            {"type": "login", "createdAt": "2026-03-02T12:00:00Z"},
        ]
        body = "\n".join(json.dumps(line | {"email": "a@x.example"}) for line in lines)
        headers = {"content-type": "application/x-ndjson"}
        opened.api.done("POST", "/activities/", 200, content=body, headers=headers)
        yield opened


@pytest.fixture
def visitor(here: Site) -> Visitor:
    return here.visitor()


@pytest.fixture
def sales(here: Site, visitor: Visitor) -> Iterator[dict[str, Any]]:
    """A report that the form made, as the API tells of it."""
    assert visitor.send("/reports", SALES).headers["location"] == "/console/reports?note=saved"
    (made,) = reports(here)
    yield made
    for left in reports(here):
        here.api.done("DELETE", f"/reports/{left['id']}", 204)


def reports(here: Site) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = here.api.done("GET", "/reports/", 200)["results"]
    return found


def refused(answer: httpx.Response) -> str:
    assert answer.status_code == 422
    return words(answer.text)


def test_a_report_is_made_changed_and_deleted(
    here: Site, visitor: Visitor, sales: dict[str, Any]
) -> None:
    """What was chosen, in the order of the form; the API has the same."""
    assert {**sales, "id": ""} == {
        "id": "",
        "name": HOSTILE,
        "dimensions": ["month", "day"],
        "metrics": ["totalPurchaseAmount", "numberOfPurchases"],
    }
    page = visitor.page("/reports?note=saved")
    assert "<b>" not in page
    assert "The report is saved." in words(page)
    assert f"{HOSTILE} {sales['id']} month, day totalPurchaseAmount, numberOf" in words(page)
    path = f"/reports/{sales['id']}"
    form = visitor.page(path)
    assert 'data-chosen="[&#34;month&#34;, &#34;day&#34;]"' in form
    changed = [("name", "Logins"), ("metric", "numberOfActivities"), ("activity", "login")]
    assert visitor.send(path, changed).status_code == 303
    assert reports(here) == [
        {
            "id": sales["id"],
            "name": "Logins",
            "dimensions": [],
            "metrics": ["numberOfActivities"],
            "activityTypes": ["login"],
        }
    ]
    assert "Logins" in words(visitor.page("/reports"))
    gone = visitor.send(f"{path}/delete")
    assert gone.headers["location"] == "/console/reports?note=deleted"
    assert reports(here) == []
    for answer in (visitor.get(path), visitor.send(path, changed), visitor.send(f"{path}/delete")):
        assert answer.status_code == 404


@pytest.mark.parametrize(
    ("fields", "field", "fault"),
    [
        ([], "name", "A name has 1 to 250 characters."),
        ([("name", "x" * 251)], "name", "A name has 1 to 250 characters."),
        ([("name", "x")], "metric", "Choose at least one."),
        ([("metric", "nonsense")], "metric", "One of these must be a known metric."),
        ([("dimension", "nonsense")], "dimension", "One of these must be a known dimension."),
        ([("dimension", "day")] * 2, "dimension", "One of these is there already."),
        (
            [("dimension", one) for one in list(DIMENSIONS)[:11]],
            "dimension",
            "Must have at most 10.",
        ),
        ([("activity", "dancing")], "activity", "One of these is no activity type."),
        (
            [("metric", "numberOfPurchases"), ("activity", "login")],
            "metric",
            "numberOfPurchases counts purchase, which the chosen types leave out.",
        ),
    ],
)
def test_what_is_wrong_with_a_report_is_said_beside_the_field(
    here: Site, visitor: Visitor, fields: list[tuple[str, str]], field: str, fault: str
) -> None:
    """The API judges; nothing is made, and what was chosen stays so."""
    answer = visitor.send("/reports", fields)
    assert fault in refused(answer)
    beside = answer.text.partition(f'id="fault-{field}"')[2].partition("</p>")[0]
    assert fault in beside
    assert f'aria-describedby="fault-{field}' in answer.text
    for name, value in fields:
        known = f'name="{name}" value="{value}" checked' in answer.text
        typed = name == "name" and f'value="{value}"' in answer.text
        assert known or typed or value in {"nonsense", "dancing"}
    assert reports(here) == []


def test_a_fault_in_a_change_leaves_the_report(
    here: Site, visitor: Visitor, sales: dict[str, Any]
) -> None:
    """The form comes back under the report's own name."""
    path = f"/reports/{sales['id']}"
    assert "Choose at least one." in refused(visitor.send(path, [("name", "No numbers")]))
    assert reports(here) == [sales]


def test_a_report_is_exported_over_days_of_the_account(
    here: Site, visitor: Visitor, sales: dict[str, Any]
) -> None:
    """From the first day's start to the last one's end; the export is one of the console."""
    path = f"/reports/{sales['id']}/export"
    page = visitor.page(path)
    assert 'data-types="purchase"' in page
    assert "month, day" in words(page)
    answer = visitor.send(path, MARCH)
    assert answer.status_code == 303, words(answer.text)
    export_id = answer.headers["location"].rpartition("/")[2]
    export = here.api.until(f"/exports/{export_id}", "finished")
    assert export["origin"] == "app"
    assert export["filters"] == {
        "reportId": sales["id"],
        "fromDate": "2026-02-28T23:00:00.000Z",
        "toDate": "2026-03-31T21:59:59.999Z",
    }
    shown = words(visitor.page(f"/exports/{export_id}"))
    assert f"{HOSTILE} · 1 Mar 2026 to 31 Mar 2026" in shown
    file = httpx.get(export["fileUrl"]).content
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        assert archive.read(archive.namelist()[0]).decode().splitlines() == [
            '"month";"day";"totalPurchaseAmount";"numberOfPurchases"',
            '"3";"1";"469.00";"1"',
            '"3";"31";"7.50";"1"',
        ]


@pytest.mark.parametrize(
    ("fields", "field", "fault"),
    [
        ({"first": ""}, "first", "Choose the first day."),
        ({"last": "soon"}, "last", "Choose the last day."),
        ({"last": "2026-02-27"}, "last", "The last day lies before the first."),
        ({"last": "2026-04-02"}, "last", "These are 33 days; an export has at most 32."),
        ({"delimiter": "|"}, "delimiter", "Choose one of those that are offered."),
    ],
)
def test_what_is_wrong_with_the_days_is_said_beside_them(
    visitor: Visitor, sales: dict[str, Any], fields: dict[str, str], field: str, fault: str
) -> None:
    """Days that the API takes are taken here: the first and the last may be 31 days apart."""
    path = f"/reports/{sales['id']}/export"
    answer = visitor.send(path, list((dict(MARCH) | fields).items()))
    assert fault in refused(answer)
    assert f'id="fault-{field}"' in answer.text
    widest = dict(MARCH) | {"last": "2026-04-01"}
    assert visitor.send(path, list(widest.items())).status_code == 303


def test_too_many_unfinished_exports_are_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The days stay as they were chosen."""
    data = tmp_path_factory.mktemp("console") / "data"
    with site(data, queue_limit=1) as opened:
        opened.rest()
        visitor = opened.visitor()
        visitor.send("/reports", SALES)
        path = f"/reports/{reports(opened)[0]['id']}/export"
        assert visitor.send(path, MARCH).status_code == 303
        answer = visitor.send(path, MARCH)
        assert answer.status_code == 400
        assert "1 exports are unfinished already" in words(answer.text)
        assert 'value="2026-03-31"' in answer.text


def test_an_empty_list_leads_to_a_first_report(here: Site, visitor: Visitor) -> None:
    """Each of the patterns on it makes a report as it stands."""
    page = visitor.page("/reports")
    assert "No reports yet" in words(page)
    patterns = [one.partition('"')[0] for one in page.split("/console/reports/new?like=")[1:]]
    assert len(patterns) == 3
    for pattern in patterns:
        form = visitor.page(f"/reports/new?like={pattern}")
        name = form.partition('id="name"')[2].partition('value="')[2].partition('"')[0]
        fields = [("name", name)]
        for field in ("dimension", "metric"):
            chosen = form.partition(f'data-chooser="{field}"')[2].partition('data-chosen="')[2]
            ids = json.loads(chosen.partition('"')[0].replace("&#34;", '"'))
            fields += [(field, id_) for id_ in ids]
        assert visitor.send("/reports", fields).status_code == 303, fields
    for made in reports(here):
        here.api.done("DELETE", f"/reports/{made['id']}", 204)
    assert "No reports yet" in words(visitor.page("/reports"))


def test_scopes_decide_what_can_be_done(here: Site, sales: dict[str, Any]) -> None:
    """Who may only read sees the definition, and no way to change or export it."""
    path = f"/reports/{sales['id']}"
    stranger = here.visitor(here.new_key(*(set(Scope) - {Scope.REPORT_READ})))
    assert "Reports" not in words(stranger.page("/exports"))
    for page in ("/reports", path, f"{path}/export"):
        assert stranger.get(page).status_code == 403
    reader = here.visitor(here.new_key(Scope.REPORT_READ, Scope.EXPORT_READ))
    shown = reader.page(path)
    assert "totalPurchaseAmount, numberOfPurchases" in words(shown)
    assert "<textarea" not in shown
    assert "Save" not in words(shown)
    assert "New report" not in words(reader.page("/reports"))
    assert f"{path}/export" not in reader.page("/reports") + shown
    for page, fields in (("/reports", SALES), (path, SALES), (f"{path}/delete", [])):
        assert reader.send(page, fields).status_code == 403
    assert reader.send(f"{path}/export", MARCH).status_code == 403
    exporter = here.visitor(here.new_key(Scope.REPORT_READ, Scope.EXPORT_READ, Scope.EXPORT_WRITE))
    assert f"{path}/export" in exporter.page(path)
    assert exporter.send(f"{path}/export", MARCH).status_code == 303
    assert reports(here) == [sales]


def test_reports_of_others_are_not_there(here: Site, sales: dict[str, Any]) -> None:
    """Another account's admin can neither see, change, export nor delete one."""
    other = here.visitor(here.new_key(account=here.new_account("Another")))
    path = f"/reports/{sales['id']}"
    assert "No reports yet" in words(other.page("/reports"))
    assert other.get(path).status_code == 404
    assert other.get("/reports/nonsense").status_code == 404
    for page, fields in ((path, SALES), (f"{path}/delete", []), (f"{path}/export", MARCH)):
        assert other.send(page, fields).status_code == 404
    assert reports(here) == [sales]


def test_what_was_done_with_reports_is_in_the_audit_log(
    visitor: Visitor, sales: dict[str, Any]
) -> None:
    """Saved, exported and deleted."""
    visitor.send(f"/reports/{sales['id']}/export", MARCH)
    visitor.send(f"/reports/{sales['id']}/delete")
    text = words(visitor.page("/audit"))
    deleted = text.index(f"Deleted a report {sales['id']}")
    assert deleted < text.index("Started an export") < text.index(f"Saved a report {sales['id']}")
