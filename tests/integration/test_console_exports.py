"""The pages of exports, as the server makes them."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from outhaul.catalog.exports import Exports
from outhaul.domain.errors import FailureCause
from outhaul.domain.export import DateFormat, Delimiter, ExportRequest, ExportType, Origin
from tests.browser.stage import OtherNode
from tests.console_site import Site, Visitor, site, words

HOSTILE = "<script>alert('x')</script> & \"quoted\""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("console") / "data", rate_limit=100_000) as opened:
        opened.api.done("PATCH", "/contacts/ana@example.com", 201, json={"_name": "Ana"})
        opened.api.done("PATCH", "/contacts/bob@example.com", 201, json={"_name": "Bob"})
        yield opened


@pytest.fixture
def visitor(here: Site) -> Visitor:
    return here.visitor()


def test_a_finished_export_shows_its_manifest_and_leads_to_its_file(
    here: Site, visitor: Visitor
) -> None:
    """The numbers on the page are those of the file; the link gives the bytes."""
    export = here.api.export(version="v6")
    text = words(visitor.page(f"/exports/{export['id']}"))
    assert "Contacts export" in text
    assert "Finished" in text
    manifest = visitor.get(f"/exports/{export['id']}/manifest")
    assert manifest.headers["content-disposition"].endswith('.manifest.json"')
    proof = json.loads(manifest.text)
    assert proof["archive"]["sha256"] in text
    assert proof["members"][0]["name"] in text
    assert f"commit {proof['snapshot']['number']}" in text
    led = visitor.get(f"/exports/{export['id']}/download")
    assert led.status_code == 303
    archive = zipfile.ZipFile(io.BytesIO(visitor.ask("GET", led.headers["location"]).content))
    assert archive.read(archive.namelist()[0]).count(b"\n") == 3


def test_names_are_text_and_never_markup(here: Site, visitor: Visitor) -> None:
    """A segment may be called anything; the page shows it as it is."""
    segment = here.api.done("POST", "/segments/", 201, json={"name": HOSTILE})
    export = here.api.export(filters={"segmentId": segment["id"]})
    for path in ("/exports", f"/exports/{export['id']}"):
        page = visitor.page(path)
        assert "<script>alert" not in page
        assert f"segment {HOSTILE}" in words(page)


def test_a_report_is_shown_with_its_name_and_days(here: Site, visitor: Visitor) -> None:
    """In the list and on its page, with the command that asks for the same; the form for exports
    of rows does not offer it."""
    definition = {"name": "Daily sales", "dimensions": [], "metrics": ["numberOfPurchases"]}
    report = here.api.done("POST", "/reports/", 201, json=definition)
    filters = {"reportId": report["id"], "fromDate": "2026-10-01", "toDate": "2026-10-31"}
    body = {"delimiter": ",", "filters": filters}
    made = here.api.done("POST", "/exports/type/data-explorer", 201, json=body)
    here.api.until(f"/exports/{made['id']}", "finished")
    for path in ("/exports?type=data-explorer", f"/exports/{made['id']}"):
        text = words(visitor.page(path))
        assert "Report" in text
        assert "Daily sales" in text
        assert "1 Oct 2026 to 31 Oct 2026" in text
    asked = text[text.index("/exports/type/data-explorer") :]
    assert json.loads(asked[asked.index("{") : asked.index("}'") + 1]) == body


def test_the_list_is_narrowed_by_status_and_type(here: Site, visitor: Visitor) -> None:
    """Each choice says how many there are, and shows just those."""
    dates = {"fromDate": "2026-10-01", "toDate": "2026-10-31"}
    activities = here.api.export(exportType="activities", filters=dates)
    contacts = here.api.export()
    failed = a_failed_export(here, FailureCause.STORAGE_FULL)
    page = visitor.page("/exports?type=activities")
    assert f'id="row-{activities["id"]}"' in page
    assert f'id="row-{contacts["id"]}"' not in page
    assert "1 Oct 2026 to 31 Oct 2026" in words(page)
    page = visitor.page("/exports?status=failed")
    assert f'id="row-{failed}"' in page
    assert page.count('id="row-') == 1
    assert "No room for the file" in words(page)
    assert "Failed 1" in words(page)
    assert "None here" in words(visitor.page("/exports?status=unfinished"))
    visitor.send(f"/exports/{failed}/delete")


def test_a_long_list_has_pages(here: Site, visitor: Visitor) -> None:
    """20 exports a page, newest first; each is on exactly one page."""
    account = here.new_account("Much exported")
    requests = [an_export(here, account.id) for _ in range(22)]
    other = here.visitor(here.new_key(account=account))
    first, second = other.page("/exports"), other.page("/exports?page=2")
    assert "Older" in words(first)
    assert "Newer" in words(second)
    assert first.count('id="row-') == 20
    assert second.count('id="row-') == 2
    for id_ in requests:
        assert (f'id="row-{id_}"' in first) != (f'id="row-{id_}"' in second)
    assert "beyond the last" in words(other.page("/exports?page=9"))
    for wrong in ("0", "-1", "x", "99999999"):
        assert other.get(f"/exports?page={wrong}").status_code == 404


@pytest.mark.parametrize("cause", FailureCause)
def test_a_failed_export_says_what_happened_and_what_helps(
    here: Site, visitor: Visitor, cause: FailureCause
) -> None:
    """In plain words, for every cause there is."""
    export_id = a_failed_export(here, cause)
    text = words(visitor.page(f"/exports/{export_id}"))
    assert "Failed" in text
    assert any(help_ in text for help_ in ("again", "report", "narrower"))
    assert "Download" not in text
    assert visitor.get(f"/exports/{export_id}/download").status_code == 404
    assert visitor.get(f"/exports/{export_id}/manifest").status_code == 409
    visitor.send(f"/exports/{export_id}/delete")


def test_a_running_export_shows_its_slices(tmp_path: Path) -> None:
    """Waiting, being written and written, with a label each; rows so far, and of how many."""
    with site(tmp_path / "data") as opened:
        opened.rest()
        node = OtherNode(opened, slices=5, slice_rows=1000).begin()
        node.write(2)
        page = opened.visitor().page(f"/exports/{node.export_id}")
    assert [page.count(f'<rect class="{state}"') for state in ("done", "running", "waiting")] == [
        2,
        2,
        1,
    ]
    assert "Slice 1: 1,000 rows from" in page
    assert "Activities: 2 of 5 slices are written" in page
    assert "Rows 2,000 of 5,000" in words(page)


def test_an_open_page_gets_only_what_has_changed(here: Site, visitor: Visitor) -> None:
    """Asked again it gets nothing, until something happens."""
    export = here.api.export()
    for path in ("/exports", f"/exports/{export['id']}"):
        part = visitor.get(path, headers={"hx-request": "true"})
        assert part.text.strip().startswith("<div")
        assert "<html" not in part.text
    poll = visitor.page("/exports").partition('hx-get="')[2].partition('"')[0].replace("&amp;", "&")
    again = visitor.ask("GET", poll, headers={"hx-request": "true"})
    assert (again.status_code, again.content) == (204, b"")
    here.api.done("DELETE", f"/exports/{export['id']}", 204)
    changed = visitor.ask("GET", poll, headers={"hx-request": "true"})
    assert changed.status_code == 200
    assert export["id"] not in changed.text


def test_deleting_takes_the_file_too(here: Site, visitor: Visitor) -> None:
    """And the list says what was done."""
    export = here.api.export()
    answer = visitor.send(f"/exports/{export['id']}/delete")
    assert answer.headers["location"] == "/console/exports?note=deleted"
    assert "deleted, with its file" in words(visitor.page("/exports?note=deleted"))
    assert visitor.get(f"/exports/{export['id']}").status_code == 404
    assert visitor.ask("GET", export["fileUrl"]).status_code == 404


def test_the_curl_command_asks_for_the_same_export(here: Site, visitor: Visitor) -> None:
    """Its body, sent to the API, makes an export with the same request."""
    segment = here.api.done("POST", "/segments/", 201, json={"name": "It's one"})
    filters = {
        "segmentId": segment["id"],
        "fromDate": "2026-10-01T00:00:00.000Z",
        "toDate": "2026-10-02T00:00:00.000Z",
        "activityTypes": ["purchase"],
    }
    asked = {"filters": filters, "columns": ["email", "url"], "bom": True}
    first = here.api.export(exportType="activities", version="v3", **asked)
    text = words(visitor.page(f"/exports/{first['id']}"))
    command = text.partition("curl http")[2]
    body = json.loads(command.partition("-d '")[2].partition("' ")[0])
    second = here.api.export(**body)
    assert body == {"exportType": "activities", "delimiter": ",", "dateFormat": "ISO"} | asked | {
        "version": "v3"
    }
    same = ("exportType", "version", "delimiter", "dateFormat", "filters")
    assert {name: first[name] for name in same} == {name: second[name] for name in same}


def an_export(here: Site, account_id: str) -> str:
    """A queued export that the worker may take at any time."""
    request = ExportRequest(
        export_type=ExportType.CONTACTS, delimiter=Delimiter.COMMA, date_format=DateFormat.ISO
    )
    exports = Exports(here.registry.database)
    return exports.create(account_id, request, origin=Origin.API, queue_limit=1000).id


def a_failed_export(here: Site, cause: FailureCause) -> str:
    """An export that ended as the worker would end it, after the worker was done with it."""
    export_id = here.api.export()["id"]
    with here.registry.database.transaction() as connection:
        connection.exec_driver_sql(
            "UPDATE exports SET status = 'error', failure = ?, archive_key = NULL WHERE id = ?",
            (cause.value, export_id),
        )
        connection.exec_driver_sql("DELETE FROM manifests WHERE export_id = ?", (export_id,))
    return str(export_id)
