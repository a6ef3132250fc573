"""Plain requests and their answers as they were recorded, byte for byte.

What a program of the contract sees must not change with an extension that it does not use.
`python -m tests.recorded` adds the talks that are missing, and never changes one that is there.
Ids, instants of the server's own clock, links and digests differ from run to run and are replaced;
everything else stands as it went over the wire: status, casing and order of headers, spelling of
JSON, the text of files.
"""

import io
import re
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from outhaul.api.app import create_app
from outhaul.auth.secrets import hash_secret, new_token
from outhaul.catalog.database import Database
from outhaul.catalog.keys import Keys
from outhaul.domain.account import Scope
from outhaul.edges import Edges
from outhaul.wiring import Outhaul
from tests.api_client import Client
from tests.api_server import Address, idle_outhaul, listening

FILE = Path(__file__).parent / "data" / "recorded" / "plain.txt"

_RULE = "=" * 80
_ID = re.compile(r"\b[0-9a-f]{24}\b")
_BY_CHANCE = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r'\?expires=[^\s"]+'), "?<signature>"),
    # Nothing in the data is of another month, and the clock shows a later one.
    (re.compile(r'"(?!2026-03)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"'), '"<instant>"'),
    (re.compile(r'("(?:sha256|columnsSha256|digest)":)"[0-9a-f]{64}"'), r'\1"<sha256>"'),
    (re.compile(r'("crc32":)"[0-9a-f]{8}"'), r'\1"<crc32>"'),
    (re.compile(r'("compressedBytes":|"archive":\{"bytes":)\d+'), r"\1<bytes>"),
    (re.compile(r'("outhaul":|"level":1,"name":)"[^"]+"'), r'\1"<version>"'),
    (re.compile(r"(?m)^(< (?:date|etag|last-modified|repr-digest): ).+$"), r"\1<by chance>"),
    (re.compile(r"(?m)^(< (?:X-)?RateLimit-\w+: )\d+$"), r"\1<number>"),
)
_LENGTH = re.compile(r"(?m)^(< content-length: )\d+$")
_ZIP = "(a ZIP)"

_PLAIN = {"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"}
_MARCH = {"fromDate": "2026-03-01T00:00:00.000Z", "toDate": "2026-03-31T23:59:59.999Z"}
_PURCHASES = {"exportType": "activities", "delimiter": ";", "dateFormat": "LLL"} | {
    "filters": _MARCH | {"activityTypes": ["purchase"]}
}
_ACTIVITIES = (
    '{"id":"a1","type":"purchase","createdAt":"2026-03-05T14:07:09Z","email":"ann@shop.example",'
    '"purchaseId":"p1","totalPrice":469,"products":[{"productId":"x","price":469}]}\n'
    '{"id":"a2","type":"email-opened","createdAt":"2026-03-06T08:00:00Z",'
    '"email":"ann@shop.example","contentName":"Spring \\"sale\\""}\n'
)


@dataclass
class Recorder:
    """Speaks to a server and writes down each request with its answer."""

    http: httpx.Client
    talks: dict[str, str] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)

    def ask(self, name: str, method: str, path: str, **options: Any) -> httpx.Response:
        """Send, and write down what was sent and what came."""
        request = self.http.build_request(method, path, **options)
        answer = self.http.send(request)
        kind = request.headers.get("content-type", "")
        sent = [f"> {method} {path}", *([f"> content-type: {kind}"] if kind else [])]
        body = request.content.decode()
        came = [f"< {answer.status_code} {answer.reason_phrase}"]
        came += [f"< {key.decode()}: {value.decode()}" for key, value in answer.headers.raw]
        text = _ZIP if answer.content.startswith(b"PK") else answer.content.decode()
        self._note(name, "\n".join([*sent, body, *came, text]))
        return answer

    def read(self, name: str, archive: bytes) -> None:
        """Write down what is in a ZIP."""
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            for member in opened.namelist():
                self._note(f"{name}, {member}", opened.read(member).decode())

    def _note(self, name: str, text: str) -> None:
        steady = self._steady(text)
        if _ZIP in steady or "<bytes>" in steady:
            steady = _LENGTH.sub(r"\1<number>", steady)
        self.talks[self._steady(name)] = steady

    def _steady(self, text: str) -> str:
        for pattern, put in _BY_CHANCE:
            text = pattern.sub(put, text)
        return _ID.sub(lambda id_: self._numbered(id_[0]), text)

    def _numbered(self, id_: str) -> str:
        return self._ids.setdefault(id_, f"<id {len(self._ids) + 1}>")


def record(folder: Path) -> dict[str, str]:
    """Every talk by its name, in their order. One builds on those before it."""
    with _server(folder / "data") as (outhaul, client, recorder, reader):
        _data_in(recorder)
        ids = _creates(recorder)
        _refusals(recorder, reader)
        outhaul.start()
        try:
            for id_ in ids:
                client.until(f"/exports/{id_}", "finished", "error")
            _finished(recorder, client, ids)
        finally:
            outhaul.stop()
    return recorder.talks


@contextmanager
def _server(data: Path) -> Iterator[tuple[Outhaul, Client, Recorder, str]]:
    """A server whose worker is asleep but counts as alive, and a key that may only read."""
    with idle_outhaul(data, rate_limit=100_000, public_url="https://exports.example") as (
        outhaul,
        key,
    ):
        found = outhaul.registry.keys.find(key.partition(":")[0])
        assert found is not None
        reader_id, secret = new_token(), new_token()
        database = Database(f"sqlite:///{data / 'catalog.db'}")
        Keys(database).add(
            found[1].id,
            key_id=reader_id,
            secret_hash=hash_secret(secret),
            scopes=[Scope.EXPORT_READ],
        )
        database.close()
        app = create_app(replace(Edges(outhaul).services, worker_alive=lambda: True))
        with (
            listening(app) as (host, port),
            httpx.Client(
                base_url=f"http://{host}:{port}",
                headers={"Authorization": f"apiKey {key}"},
                timeout=30,
            ) as http,
        ):
            client = Client(Address(host=host, port=port, key=key))
            yield outhaul, client, Recorder(http), f"{reader_id}:{secret}"


def _data_in(recorder: Recorder) -> None:
    ask = recorder.ask
    kind = {"Content-Type": "application/x-ndjson"}
    ask("activities", "POST", "/activities/", content=_ACTIVITIES, headers=kind)
    bob = "/contacts/bob@shop.example"
    ask("a contact is made", "PATCH", bob, json={"_name": "Bob", "_points": 3})
    ask("a contact is changed", "PATCH", bob, json={"_points": None})
    ask("a contact is read", "GET", bob)
    ask("an unknown contact", "GET", "/contacts/eve@shop.example")
    ask("a contact is refused", "PATCH", bob, json={"_name": 1, "colour": "red"})
    ask("a field", "POST", "/contact-fields/", json={"id": "vip", "name": "VIP", "type": "boolean"})
    ask("a field is read", "GET", "/contact-fields/vip")
    purchase = {
        "purchaseId": "p2",
        "contactEmail": "bob@shop.example",
        "purchaseDate": "2026-03-07",
        "totalPrice": 19.99,
        "totalQuantity": 1,
        "products": [{"productId": "x"}],
    }
    ask("a purchase", "POST", "/purchases/", json=purchase)
    ask("a purchase that is known", "POST", "/purchases/", json=purchase)
    ask("a purchase is read", "GET", "/purchases/purchase-id/p2")
    event = {"_email": "eve@shop.example"}
    ask("an event of nobody", "POST", "/custom-events/alias/fitted", json=event)


def _creates(recorder: Recorder) -> list[str]:
    """Exports until no more may wait; gives the ids of those that stay."""
    ask = recorder.ask
    made = ask("a segment", "POST", "/segments/", json={"name": "Best"}).json()
    members = f"/segments/{made['id']}/members"
    ask("members", "POST", members, json=["ann@shop.example"])
    narrowed = {"segmentId": made["id"]}
    wanted: dict[str, tuple[str, dict[str, Any]]] = {
        "contacts": ("/exports/", _PLAIN),
        "without a slash": ("/exports", _PLAIN | {"filters": {}}),
        "activities": ("/exports/", _PURCHASES),
        "v6 with a segment": ("/exports/", _PLAIN | {"version": "v6", "filters": narrowed}),
        "one to be deleted": ("/exports/", _PLAIN | {"version": "v2"}),
    }
    ids = [
        ask(f"create: {name}", "POST", path, json=body).json()["id"]
        for name, (path, body) in wanted.items()
    ]
    ask("create: too many", "POST", "/exports/", json=_PLAIN)
    ask("a queued export", "GET", f"/exports/{ids[0]}")
    ask("a page", "GET", "/exports/?page=2&pageSize=2")
    ask("a page behind the last", "GET", "/exports/?page=9&pageSize=2")
    ask("a manifest that is not there yet", "GET", f"/exports/{ids[0]}/manifest")
    ask("an export is deleted", "DELETE", f"/exports/{ids[4]}")
    ask("a deleted export", "GET", f"/exports/{ids[4]}")
    return ids[:4]


def _refusals(recorder: Recorder, reader: str) -> None:
    ask = recorder.ask
    json_kind = {"Content-Type": "application/json"}
    ask("no key", "GET", "/exports/", headers={"Authorization": ""})
    only_reads = {"Authorization": f"apiKey {reader}"}
    ask("no scope", "POST", "/exports/", json=_PLAIN, headers=only_reads)
    ask("no JSON", "POST", "/exports/", content="{", headers=json_kind)
    ask("another kind of body", "POST", "/exports/", content="{}", headers={"Content-Type": "a/b"})
    ask("an empty body", "POST", "/exports/", json={})
    misspelt = _MARCH | {"activityType": ["purchase"]}
    ask("a misspelt filter", "POST", "/exports/", json=_PURCHASES | {"filters": misspelt})
    long = {"fromDate": "2026-03-01", "toDate": "2026-04-02", "activityTypes": ["bought"]}
    ask("wrong filters", "POST", "/exports/", json=_PURCHASES | {"filters": long})
    ask("an unknown version", "POST", "/exports/", json=_PLAIN | {"version": "v7"})
    ask("an unknown type", "POST", "/exports/", json=_PLAIN | {"exportType": "products"})
    ask("columns of an unknown type", "GET", "/exports/describe?exportType=products")
    ask("dates of contacts", "POST", "/exports/", json=_PLAIN | {"filters": _MARCH})
    ask("a malformed id", "GET", "/exports/7")
    ask("a wrong page", "GET", "/exports/?page=0")
    ask("a wrong method", "PUT", "/exports/")
    ask("a wrong path", "GET", "/export/")
    ask("columns", "GET", "/exports/describe?exportType=contacts")


def _finished(recorder: Recorder, client: Client, ids: list[str]) -> None:
    ask = recorder.ask
    for name, id_ in zip(("contacts", "bare", "activities", "segment"), ids, strict=True):
        link = ask(f"finished: {name}", "GET", f"/exports/{id_}").json()["fileUrl"]
        path = link.removeprefix("https://exports.example")
        recorder.read(f"file: {name}", ask(f"download: {name}", "GET", path).content)
    ask("the list", "GET", "/exports")
    ask("a link that was altered", "GET", path + "x")
    ask("a manifest", "GET", f"/exports/{ids[2]}/manifest")
    form: dict[str, Any] = {
        "data": {"type": "contacts"},
        "files": {"file": ("c.csv", "_email,_points\nnobody,1\nzoe@shop.example,2\n", "text/csv")},
    }
    made = client.done("POST", "/imports/", 201, **form)
    client.until(f"/imports/{made['id']}", "finished", "error")
    ask("an import", "GET", f"/imports/{made['id']}")


def kept() -> dict[str, str]:
    """The talks in the file."""
    if not FILE.exists():
        return {}
    talks = FILE.read_bytes().decode().split(f"{_RULE}\n")[1:]
    return {name: text[:-1] for name, _, text in (talk.partition("\n") for talk in talks)}


def _write_missing() -> None:
    with tempfile.TemporaryDirectory() as folder:
        talks = record(Path(folder)) | kept()
    FILE.parent.mkdir(exist_ok=True)
    text = "".join(f"{_RULE}\n{name}\n{text}\n" for name, text in talks.items())
    FILE.write_bytes(text.encode())


if __name__ == "__main__":
    _write_missing()
