import json

import pytest

from outhaul.cli.logs import ConsoleFormatter
from outhaul.domain.errors import (
    CatalogUnavailable,
    MemoryExhausted,
    StorageFull,
    StorageUnavailable,
)
from tests.api_fakes import Edge, FakeExports

BODY = json.dumps({"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"}).encode()


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "application/json;charset=UTF-8",
        'Application/JSON; charset="utf-8"',
    ],
)
def test_json_labels_are_accepted(media_type):
    """Case, spaces and the charset UTF-8 do not matter."""
    edge = Edge()
    response = edge.ask("POST", "/exports/", content=BODY, headers={"Content-Type": media_type})
    assert response.status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": ""},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/merge-patch+json"},
        {"Content-Type": "application/json;charset=latin-1"},
        {"Content-Type": "application/json, application/json"},
    ],
)
def test_other_labels_are_refused(headers):
    """415 in the contract's shape, although the body itself would do."""
    response = Edge().ask("POST", "/exports/", content=BODY, headers=headers)
    assert response.status_code == 415
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "status": 415,
        "title": "Unsupported Media Type",
        "detail": "Send application/json.",
    }


def test_a_body_of_64_kib_is_read_and_a_longer_one_refused():
    """The limit counts bytes as they arrive, so a wrong length cannot get round it."""
    headers = {"Content-Type": "application/json"}
    fits = BODY + b" " * (65_536 - len(BODY))
    assert Edge().ask("POST", "/exports/", content=fits, headers=headers).status_code == 201
    response = Edge().ask("POST", "/exports/", content=fits + b" ", headers=headers)
    assert response.json() == {
        "status": 413,
        "title": "Content Too Large",
        "detail": "The body is longer than 65536 bytes.",
    }
    assert response.status_code == 413


@pytest.mark.parametrize("path", ["/nope", "/exports//", "/exports/a/b", "/files/a", "/docs/x"])
def test_an_unknown_path_is_404_in_the_contracts_shape(path):
    """No path of ours, no framework's answer."""
    response = Edge().ask("GET", path)
    assert (response.status_code, response.headers["content-type"]) == (404, "application/json")
    assert response.json() == {
        "status": 404,
        "title": "Not Found",
        "detail": "There is nothing at this path.",
    }


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/exports", "GET, POST"),
        ("/exports/", "GET, POST"),
        ("/exports/" + "0" * 24, "DELETE, GET"),
        ("/files/a/b.zip", "GET, HEAD"),
        ("/health", "GET"),
    ],
)
def test_a_wrong_method_is_405_and_names_all_right_ones(path, allow):
    """Allow lists what every route of the path can do."""
    response = Edge().ask("PATCH", path)
    assert (response.status_code, response.headers["allow"]) == (405, allow)
    assert response.json() == {
        "status": 405,
        "title": "Method Not Allowed",
        "detail": "PATCH is not possible here.",
    }


def test_a_fault_shows_nothing_of_the_inside():
    """500 in the same shape, whatever the exception says; the rate is told nevertheless."""

    class Broken(FakeExports):
        def page(self, account_id, *, page, page_size):
            raise RuntimeError("password=hunter2 at /srv/secret")

    response = Edge(exports=Broken()).ask("GET", "/exports/")
    assert (response.status_code, response.headers["content-type"]) == (500, "application/json")
    assert response.json() == {
        "status": 500,
        "title": "Internal Server Error",
        "detail": "The server failed to answer; its log says why.",
    }
    assert response.headers["RateLimit-Remaining"] == "41"


def test_while_the_catalog_is_away_the_answer_says_when_to_ask_again():
    """503 with Retry-After, not a fault, whichever part of the request met it."""

    class Away(FakeExports):
        def page(self, account_id, *, page, page_size):
            raise CatalogUnavailable

    response = Edge(exports=Away()).ask("GET", "/exports/")
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert response.json() == {
        "status": 503,
        "title": "Service Unavailable",
        "detail": "The server's catalog is away or busy; ask again soon.",
    }


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (StorageFull("secret"), "The server's storage is away or full; ask again later."),
        (StorageUnavailable("secret"), "The server's storage is away or full; ask again later."),
        (
            MemoryExhausted("secret"),
            "The server may not use that much memory now; ask again later.",
        ),
    ],
)
def test_a_failing_part_is_503_and_logged_without_its_words(error, detail, caplog):
    """The caller learns that it is not the request; the log which kind of error it was."""

    class Broken(FakeExports):
        def page(self, account_id, *, page, page_size):
            raise error

    response = Edge(exports=Broken()).ask("GET", "/exports/")
    assert (response.status_code, response.headers["content-type"]) == (503, "application/json")
    assert response.json() == {"status": 503, "title": "Service Unavailable", "detail": detail}
    logged = "\n".join(map(ConsoleFormatter(with_texts=False).format, caplog.records))
    assert f"request failed error={type(error).__name__}" in logged
    assert "secret" not in logged
