"""Downloads that outlive their link, and the server."""

import hashlib
import random
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from outhaul.auth.links import sign_path
from outhaul.catalog.database import Database
from outhaul.catalog.keys import LinkKeys
from tests.acceptance.conftest import Caller, Server, import_file, new_caller

ROWS = 8_000
LEAST_BYTES = 8 << 20
"""More than the buffers of both ends of a connection hold."""


@pytest.fixture(scope="module")
def caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """An account with contacts whose names hardly compress."""
    folder: Path = tmp_path_factory.mktemp("big")
    chance = random.Random(7)
    (folder / "contacts.csv").write_text(
        "_email,_name\n"
        + "".join(f"u{n}@example.com,{chance.randbytes(1200).hex()}\n" for n in range(ROWS))
    )
    server = Server(folder / "data").start()
    try:
        made = new_caller(server)
        import_file(made, "contacts", folder / "contacts.csv")
        yield made
    finally:
        if server.running:
            server.kill()


@pytest.fixture(scope="module")
def export(caller: Caller) -> dict[str, Any]:
    return caller.finished()


def sha256(caller: Caller, export: dict[str, Any]) -> str:
    manifest = caller.request("GET", f"/exports/{export['id']}/manifest").json()
    assert manifest["archive"]["bytes"] > LEAST_BYTES
    return str(manifest["archive"]["sha256"])


def short_link(caller: Caller, export: dict[str, Any], *, seconds: int) -> str:
    """A link as the server gives it, but for a shorter time than the setting allows."""
    database = Database(f"sqlite:///{caller.server.data / 'catalog.db'}")
    [*_, (key_id, key)] = LinkKeys(database).ring().items()
    database.close()
    expires = int(time.time()) + seconds
    path = f"/files/{export['id']}/{export['fileName']}"
    return caller.server.url + sign_path(path, key_id=key_id, key=key, expires=expires)


def test_a_download_in_flight_outlives_its_link(caller: Caller, export: dict[str, Any]) -> None:
    """What began in time comes to its end; what comes later is refused, and a new link resumes."""
    link = short_link(caller, export, seconds=2)
    with httpx.stream("GET", link, timeout=30) as answer:
        assert answer.status_code == 200
        parts = answer.iter_raw(1 << 16)
        received = next(parts)
        until = time.monotonic() + 30
        while httpx.head(link).status_code != 403:
            assert time.monotonic() < until
            time.sleep(0.1)  # It is the passing of time that is tested.
        received += b"".join(parts)
    assert hashlib.sha256(received).hexdigest() == sha256(caller, export)
    resumed = httpx.get(
        caller.get(export["id"])["fileUrl"],
        headers={"Range": "bytes=100000-", "If-Range": answer.headers["etag"]},
    )
    assert (resumed.status_code, resumed.content) == (206, received[100_000:])


def test_a_download_goes_on_after_the_server_was_killed(
    caller: Caller, export: dict[str, Any]
) -> None:
    """By the old link and by a new one: the parts make the file."""
    received = bytearray()
    with httpx.stream("GET", export["fileUrl"], timeout=30) as answer:
        parts = answer.iter_raw(1 << 16)
        received += next(parts)
        caller.server.kill()
        with pytest.raises(httpx.TransportError):
            deque(map(received.extend, parts), maxlen=0)
    caller.server.port = int(caller.server.url.rpartition(":")[2])
    caller.server.start()
    assert 0 < len(received) < int(answer.headers["content-length"])
    for link in (export["fileUrl"], caller.get(export["id"])["fileUrl"]):
        rest = httpx.get(
            link,
            headers={"Range": f"bytes={len(received)}-", "If-Range": answer.headers["etag"]},
        )
        assert rest.status_code == 206
        whole = bytes(received) + rest.content
        assert hashlib.sha256(whole).hexdigest() == sha256(caller, export)
