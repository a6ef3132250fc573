import base64

import pytest

from tests.api_fakes import ARCHIVE, SHA256, Edge, FakeFile

FIRST = "0" * 23 + "1"
LINK = f"/files/{FIRST}/export-contacts.zip?nonce=1&signature=right"


@pytest.fixture
def edge() -> Edge:
    edge = Edge()
    edge.ask(
        "POST",
        "/exports/",
        json={"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"},
    )
    return edge


@pytest.mark.parametrize("link", [LINK, LINK.replace("?", "/?")])
def test_a_link_needs_no_key_and_gives_the_whole_file(edge, link):
    """The bytes and all that a client may check or keep them by."""
    response = edge.ask("GET", link, key=None)
    assert (response.status_code, response.content) == (200, ARCHIVE)
    digest = base64.b64encode(bytes.fromhex(SHA256)).decode()
    assert dict(response.headers) == {
        "content-type": "application/zip",
        "content-length": "1024",
        "content-disposition": 'attachment; filename="export-contacts.zip"; '
        "filename*=UTF-8''export-contacts.zip",
        "etag": f'"{SHA256}"',
        "last-modified": "Wed, 01 Apr 2026 08:00:12 GMT",
        "accept-ranges": "bytes",
        "cache-control": "private",
        "repr-digest": f"sha-256=:{digest}:",
        "x-content-type-options": "nosniff",
    }


def test_head_tells_the_same_without_the_bytes(edge):
    """Every header of the whole file, no body, whatever range was asked for."""
    whole = edge.ask("GET", LINK, key=None)
    head = edge.ask("HEAD", LINK, key=None, headers={"Range": "bytes=0-1"})
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == whole.headers


def test_two_parts_make_the_file(edge):
    """A broken download goes on where it stopped, if the file is the same."""
    same = {"If-Range": f'"{SHA256}"'}
    head = edge.ask("GET", LINK, key=None, headers={"Range": "bytes=0-599"} | same)
    tail = edge.ask("GET", LINK, key=None, headers={"Range": "bytes=600-"} | same)
    assert (head.status_code, tail.status_code) == (206, 206)
    assert head.headers["content-range"] == "bytes 0-599/1024"
    assert tail.headers["content-range"] == "bytes 600-1023/1024"
    assert tail.headers["content-length"] == "424"
    assert head.content + tail.content == ARCHIVE


def test_a_range_behind_the_end_is_refused_with_the_size(edge):
    """416 in the contract's shape, and Content-Range says how long the file is."""
    response = edge.ask("GET", LINK, key=None, headers={"Range": "bytes=1024-"})
    assert (response.status_code, response.headers["content-range"]) == (416, "bytes */1024")
    assert response.json() == {
        "status": 416,
        "title": "Range Not Satisfiable",
        "detail": "The file has 1024 bytes.",
    }


def test_a_known_file_is_not_sent_again(edge):
    """304 without a body when the caller names the file's tag."""
    response = edge.ask("GET", LINK, key=None, headers={"If-None-Match": f'"{SHA256}"'})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == f'"{SHA256}"'


def test_an_altered_link_is_forbidden(edge):
    """403 in the contract's shape."""
    response = edge.ask("GET", LINK.replace("right", "wrong"), key=None)
    assert response.status_code == 403
    assert response.json() == {
        "status": 403,
        "title": "Forbidden",
        "detail": "This link has expired or was altered; read the export again for a new one.",
    }


def test_the_link_of_a_deleted_export_is_not_found(edge):
    """404 in the contract's shape."""
    edge.ask("DELETE", f"/exports/{FIRST}")
    response = edge.ask("GET", LINK, key=None)
    assert (response.status_code, response.json()["detail"]) == (404, "No file has this id.")


def test_file_names_outside_ascii_cannot_break_the_header(edge):
    """A plain name for old clients, the true one for others."""
    edge.exports.file = FakeFile(file_name='é"\r\n.zip')
    response = edge.ask("GET", LINK, key=None)
    assert response.headers["content-disposition"] == (
        "attachment; filename=\"____.zip\"; filename*=UTF-8''%C3%A9%22%0D%0A.zip"
    )


def test_a_file_elsewhere_is_pointed_to(edge):
    """A right link leads on to the object store, whatever range was asked for, and nobody is to
    remember the way; HEAD and a copy that is still good are answered here."""
    edge.exports.file = FakeFile(elsewhere="https://bucket.example/file?X-Amz-Signature=1")
    for headers in ({}, {"Range": "bytes=5-"}):
        led = edge.ask("GET", LINK, key=None, headers=headers)
        assert (led.status_code, led.content) == (307, b"")
        assert led.headers["location"] == "https://bucket.example/file?X-Amz-Signature=1"
        assert led.headers["cache-control"] == "no-store"
    assert edge.ask("HEAD", LINK, key=None).headers["content-length"] == "1024"
    same = {"If-None-Match": f'"{SHA256}"'}
    assert edge.ask("GET", LINK, key=None, headers=same).status_code == 304
    assert edge.ask("GET", LINK.replace("right", "wrong"), key=None).status_code == 403
