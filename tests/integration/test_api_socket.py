"""What only shows on the socket: header casing, whole answers, cut connections."""

import socket
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api_fakes import ARCHIVE, Edge, FakeExports, FakeFile
from tests.api_server import Address, listening, serving

CONTACTS = {"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("data"), rate_limit=100_000) as address:
        yield address


def _raw(address: Address, method: str, path: str, body: str = "") -> tuple[list[str], str]:
    """Status line and headers exactly as sent, and the body."""
    request = (
        f"{method} {path} HTTP/1.1\r\nHost: {address.host}\r\nConnection: close\r\n"
        f"Authorization: apiKey {address.key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    )
    with socket.create_connection((address.host, address.port), timeout=30) as connection:
        connection.sendall(request.encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    head, _, content = answer.partition("\r\n\r\n")
    return head.split("\r\n"), content


def _finished(client: httpx.Client) -> Any:
    export = client.post("/exports/", json=CONTACTS).json()
    deadline = time.monotonic() + 60
    while export["status"] not in {"finished", "error"}:
        assert time.monotonic() < deadline, export
        export = client.get(f"/exports/{export['id']}").json()
    assert export["status"] == "finished", export
    return export


@pytest.fixture
def client(server):
    headers = {"Authorization": f"apiKey {server.key}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=30) as opened:
        yield opened


def test_rate_headers_arrive_in_the_contracts_casing(server):
    """Clients compare these names case by case, on good answers and bad ones."""
    for method, path, status in (("GET", "/exports", 200), ("POST", "/exports", 422)):
        head, _ = _raw(server, method, path, "{}")
        assert head[0].split()[1] == str(status)
        names = {line.partition(":")[0] for line in head[1:]}
        assert names >= {
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
            "RateLimit-Remaining",
            "RateLimit-Reset",
        }


def test_an_account_that_asks_too_often_waits_as_long_as_it_is_told(tmp_path: Path):
    """The request over the limit gets 429 without a body, and Retry-After in this casing."""
    with serving(tmp_path / "data", rate_limit=2) as address:
        answers = [_raw(address, "GET", "/exports/") for _ in range(3)]
    assert [head[0].split()[1] for head, _ in answers] == ["200", "200", "429"]
    head, content = answers[-1]
    headers = dict(line.split(": ", 1) for line in head[1:])
    assert content == ""
    assert headers["X-RateLimit-Limit"] == "2"
    assert headers["X-RateLimit-Remaining"] == headers["RateLimit-Remaining"] == "0"
    assert 1 <= int(headers["Retry-After"]) <= 30
    assert headers["RateLimit-Reset"] == headers["Retry-After"]
    assert abs(int(headers["X-RateLimit-Reset"]) - time.time()) < 60


def test_an_export_is_created_polled_downloaded_and_deleted(client):
    """The whole way over real parts; the parts of a resumed download make the same bytes."""
    export = _finished(client)
    whole = httpx.get(export["fileUrl"])
    assert whole.status_code == 200
    assert whole.content.startswith(b"PK")
    rest = httpx.get(
        export["fileUrl"], headers={"Range": "bytes=50-", "If-Range": whole.headers["etag"]}
    )
    assert (rest.status_code, rest.content) == (206, whole.content[50:])
    assert httpx.head(export["fileUrl"]).headers["content-length"] == str(len(whole.content))
    assert httpx.get(export["fileUrl"] + "0").status_code == 403
    assert client.get("/exports?pageSize=1").json()["results"][0]["id"] == export["id"]
    assert client.delete(f"/exports/{export['id']}").status_code == 204
    assert httpx.get(export["fileUrl"]).status_code == 404


def test_no_spelling_of_a_path_is_redirected(client):
    """With and without the slash at the end the answer is the same."""
    for path in ("/exports", "/exports/", "/health", "/health/"):
        assert client.get(path).status_code == 200


def test_a_fault_in_mid_stream_cuts_the_connection():
    """A client sees fewer bytes than announced, and never the text of an error."""
    edge = Edge(exports=FakeExports(file=FakeFile(breaks=True)))
    edge.ask("POST", "/exports/", json=CONTACTS)
    link = f"/files/{1:024x}/export-contacts.zip?signature=right&signature=right"
    received: list[bytes] = []
    with (
        listening(edge.app()) as (host, port),
        httpx.stream("GET", f"http://{host}:{port}{link}") as response,
    ):
        assert response.headers["content-length"] == str(len(ARCHIVE))
        with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection"):
            received.extend(response.iter_raw())
    assert b"".join(received) == ARCHIVE[: len(ARCHIVE) // 2]
