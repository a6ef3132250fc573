from dataclasses import replace

import pytest

from outhaul.domain.errors import FailureCause
from outhaul.domain.export import ExportStatus
from tests.api_fakes import SEGMENT, Edge

CONTACTS = {"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"}
FIRST = "0" * 23 + "1"
QUEUED = {
    "id": FIRST,
    "exportType": "contacts",
    "status": "queued",
    "origin": "api",
    "version": "v1",
    "dateFormat": "ISO",
    "delimiter": ",",
    "createdAt": "2026-04-01T08:00:00.000Z",
    "progress": 0,
    "total": 0,
}


@pytest.mark.parametrize("path", ["/exports", "/exports/"])
def test_create_answers_with_the_resource(path):
    """201 with the queued export; what is absent is left out, never null."""
    response = Edge().ask("POST", path, json=CONTACTS)
    assert response.status_code == 201
    assert response.headers["content-type"] == "application/json"
    assert response.json() == QUEUED


def test_filters_are_echoed_with_dates_in_the_one_form():
    """Activity types come back as spelt, dates in UTC with milliseconds."""
    filters = {
        "fromDate": "2026-03-01",
        "toDate": "2026-03-05T12:00:00+01:00",
        "activityTypes": ["entity-created"],
        "segmentId": SEGMENT,
    }
    body = CONTACTS | {"exportType": "activities", "filters": filters}
    response = Edge().ask("POST", "/exports/", json=body)
    assert response.json()["filters"] == filters | {
        "fromDate": "2026-03-01T00:00:00.000Z",
        "toDate": "2026-03-05T11:00:00.000Z",
    }


def test_a_finished_export_gets_a_new_link_at_each_read():
    """The file's facts appear with `finished`, and every read signs a link of its own."""
    edge = Edge()
    edge.ask("POST", "/exports/", json=CONTACTS)
    edge.exports.finish(FIRST)
    base = f"https://exports.example/files/{FIRST}/export-contacts.zip"
    assert edge.ask("GET", f"/exports/{FIRST}").json() == QUEUED | {
        "status": "finished",
        "progress": 7,
        "total": 7,
        "finishedAt": "2026-04-01T08:00:12.345Z",
        "fileName": "export-contacts.zip",
        "fileExtension": "zip",
        "fileUrl": f"{base}?nonce=1&signature=right",
    }
    again = edge.ask("GET", f"/exports/{FIRST.upper()}/").json()
    assert again["fileUrl"] == f"{base}?nonce=2&signature=right"


def test_without_a_public_url_links_lead_to_the_host_that_was_asked():
    """The request's own scheme and host are the base."""
    edge = Edge(public_url=None)
    edge.ask("POST", "/exports/", json=CONTACTS)
    edge.exports.finish(FIRST)
    assert edge.ask("GET", f"/exports/{FIRST}").json()["fileUrl"].startswith("http://host/files/")


@pytest.mark.parametrize("cause", list(FailureCause))
def test_a_failed_export_says_why_and_whether_to_retry(cause):
    """Every cause has a sentence, and no file is offered."""
    edge = Edge()
    edge.ask("POST", "/exports/", json=CONTACTS)
    edge.exports.held[FIRST] = replace(
        edge.exports.held[FIRST], status=ExportStatus.ERROR, failure=cause
    )
    resource = edge.ask("GET", f"/exports/{FIRST}").json()
    assert resource["error"].pop("detail").endswith(".")
    assert resource == QUEUED | {
        "status": "error",
        "error": {"cause": cause.value, "retryHelps": cause.retry_helps},
    }


def test_the_list_is_paged_newest_first_with_links_to_the_neighbours():
    """Links are whole URLs; the last page has no next, and finished exports their file's link."""
    edge = Edge()
    for _ in range(5):
        edge.ask("POST", "/exports/", json=CONTACTS)
    edge.exports.finish(FIRST)
    url = "https://exports.example/exports/?page={}&pageSize=2"
    first = edge.ask("GET", "/exports?pageSize=2").json()
    assert first["links"] == {"next": url.format(2)}
    assert [export["id"][-1] for export in first["results"]] == ["5", "4"]
    assert edge.ask("GET", "/exports/?page=2&pageSize=2").json()["links"] == {
        "next": url.format(3),
        "prev": url.format(1),
    }
    last = edge.ask("GET", "/exports/?page=3&pageSize=2").json()
    assert last["links"] == {"prev": url.format(2)}
    assert "fileUrl" in last["results"][0]
    assert edge.ask("GET", "/exports/?page=9&pageSize=2").json()["results"] == []


@pytest.mark.parametrize(
    ("query", "path", "reason"),
    [
        ("page=0", "/page", "must be at least 1"),
        ("page=1000001", "/page", "must be at most 1000000"),
        ("page=", "/page", "must be a whole number"),
        ("page=-1", "/page", "must be a whole number"),
        ("page=1.0", "/page", "must be a whole number"),
        ("page=%00", "/page", "must be a whole number"),
        ("page=" + "9" * 5000, "/page", "must be a whole number"),
        ("pageSize=0", "/pageSize", "must be at least 1"),
        ("pageSize=101", "/pageSize", "must be at most 100"),
    ],
)
def test_a_wrong_page_is_refused_by_name(query, path, reason):
    """Query parameters are refused in the shape of body properties."""
    response = Edge().ask("GET", f"/exports/?{query}")
    assert response.status_code == 422
    assert response.json() == {
        "status": 422,
        "title": "Unprocessable Entity",
        "detail": "The query is not valid.",
        "validationErrors": [{"name": path[1:], "path": path, "reason": reason}],
    }


def test_a_deleted_export_is_gone():
    """204 without a body, then 404 for reading and deleting alike."""
    edge = Edge()
    edge.ask("POST", "/exports/", json=CONTACTS)
    deleted = edge.ask("DELETE", f"/exports/{FIRST}/")
    assert (deleted.status_code, deleted.content) == (204, b"")
    for method in ("GET", "DELETE"):
        response = edge.ask(method, f"/exports/{FIRST}")
        assert response.status_code == 404
        assert response.json() == {
            "status": 404,
            "title": "Not Found",
            "detail": "No export has this id.",
        }


@pytest.mark.parametrize("id_", ["x", "0" * 23, "0" * 25, "g" * 24, "%00", "0" * 23 + "%0A"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_malformed_id_is_a_bad_request(method, id_):
    """What cannot be an id is 400, not 404."""
    response = Edge().ask(method, f"/exports/{id_}")
    assert (response.status_code, response.json()["title"]) == (400, "Bad Request")


@pytest.mark.parametrize(("path", "status"), [("/exports/%0A", 400), ("/exports%0A", 404)])
def test_a_line_break_behind_a_path_makes_another_path(path, status):
    """The list is not at `/exports/` and a line break; that is a malformed id."""
    assert Edge().ask("GET", path).status_code == status


def test_a_full_queue_has_the_contracts_code():
    """400 with code E0301, which clients look for."""
    edge = Edge()
    edge.exports.limit = 0
    response = edge.ask("POST", "/exports/", json=CONTACTS)
    assert response.status_code == 400
    assert response.json() == {
        "status": 400,
        "title": "Bad Request",
        "detail": "0 exports are already waiting; retry later or delete one.",
        "code": "E0301",
    }


def test_a_manifest_comes_with_the_file():
    """409 until the export is finished, then the very text that was recorded."""
    edge = Edge()
    edge.ask("POST", "/exports/", json=CONTACTS)
    early = edge.ask("GET", f"/exports/{FIRST}/manifest")
    assert (early.status_code, early.json()["title"]) == (409, "Conflict")
    edge.exports.finish(FIRST)
    answer = edge.ask("GET", f"/exports/{FIRST}/manifest/")
    assert (answer.status_code, answer.text) == (200, "{}")
    assert answer.headers["content-type"] == "application/json"
    assert edge.ask("GET", f"/exports/{'0' * 24}/manifest").status_code == 404
