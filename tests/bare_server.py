"""A server of the plain contract (sections 3 to 6) and of nothing more, which can be told to fail.

No manifest, no digest, no entity tag, no Idempotency-Key: what a client may rely on everywhere.
"""

import io
import json
import re
import threading
import zipfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "keyId:keySecret"
REPORT = {"exportType": "data-explorer", "dateFormat": "ISO"}
"""What an export of a report shows beyond what it was asked for with."""
Fault = Callable[["Handler"], bool]
"""Does something to a request; True when the request is answered by that."""


class BareServer:
    """What the stand-in holds, and what was asked of it."""

    def __init__(self) -> None:
        self.url = ""
        self.exports: list[dict[str, Any]] = []
        self.texts: dict[str, dict[str, str]] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.faults: dict[str, deque[Fault]] = {}
        """By the start of `METHOD /path`."""
        self.links: set[str] = set()
        self.link_uses = 1_000_000
        self.cut_after: int | None = None
        self.served = 0
        self.rows: Callable[[dict[str, Any]], dict[str, str]] = lambda _: {
            "contacts": '"Email","Name"\n"ana@example.com",""\n"bob@example.com",\n'
        }
        self.lock = threading.Lock()

    def fail(self, request: str, *faults: Fault) -> None:
        self.faults.setdefault(request, deque()).extend(faults)

    def archive(self, export_id: str) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name, text in self.texts[export_id].items():
                archive.writestr(zipfile.ZipInfo(name + ".csv"), text)
        return out.getvalue()

    def requests(self, start: str) -> list[dict[str, str]]:
        """The headers of every request that starts so."""
        return [
            headers for method, path, headers in self.asked if f"{method} {path}".startswith(start)
        ]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bare: BareServer

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 -- its name

    def answer(self, status: int, body: object = None, **headers: str) -> bool:
        text = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        if text:
            self.send_header("Content-Type", "application/json")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(text)
        return True

    def drop(self) -> bool:
        """Close the line without an answer."""
        self.close_connection = True
        return True

    def do_GET(self) -> None:
        self.serve("GET")

    def do_POST(self) -> None:
        self.serve("POST")

    def do_DELETE(self) -> None:
        self.serve("DELETE")

    def serve(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.bare.lock:
            self.bare.asked.append((method, self.path, dict(self.headers.items())))
            line = f"{method} {self.path}"
            for start, faults in self.bare.faults.items():
                if line.startswith(start) and faults and faults.popleft()(self):
                    return
            self.route(method, body)

    def route(self, method: str, body: bytes) -> None:
        if self.path.startswith("/storage/"):
            self.storage()
        elif self.headers.get("Authorization") != f"apiKey {KEY}":
            self.answer(401)
        elif method == "POST" and self.path == "/exports/":
            self.create(json.loads(body))
        elif method == "POST" and self.path == "/exports/type/data-explorer":
            self.create(json.loads(body) | REPORT)
        elif self.path.startswith("/exports/?"):
            results = [self.resource(one) for one in reversed(self.bare.exports)]
            self.answer(200, {"results": results})
        elif found := re.fullmatch(r"/exports/([0-9a-f]{24})", self.path):
            self.one(method, found[1])
        else:
            self.answer(404, {"status": 404, "title": "Not Found", "detail": "Nothing here."})

    def create(self, asked: dict[str, Any], *, answer: bool = True) -> bool:
        export = {
            "id": f"{len(self.bare.exports) + 1:024x}",
            "status": "queued",
            "origin": "api",
            "createdAt": datetime.now(UTC).isoformat(timespec="milliseconds")[:23] + "Z",
            "progress": 0,
            "total": 0,
            **{name: asked[name] for name in ("exportType", "delimiter", "dateFormat")},
            **({"filters": asked["filters"]} if "filters" in asked else {}),
        }
        self.bare.exports.append(export)
        self.bare.texts[str(export["id"])] = self.bare.rows(asked)
        if answer:
            self.answer(201, export)
        return not answer

    def one(self, method: str, export_id: str) -> None:
        found = [one for one in self.bare.exports if one["id"] == export_id]
        if not found:
            self.answer(404, {"status": 404, "title": "Not Found", "detail": "No such export."})
        elif method == "DELETE":
            self.bare.exports.remove(found[0])
            self.answer(204)
        else:
            order = ["queued", "inProgress", "finished"]
            self.answer(200, self.resource(found[0]))
            if found[0]["status"] in order:
                at = min(order.index(found[0]["status"]) + 1, 2)
                found[0] |= {"status": order[at], "progress": at, "total": 2}

    def resource(self, export: dict[str, Any]) -> dict[str, Any]:
        if export["status"] != "finished":
            return export
        link = f"/storage/{export['id']}?signature={len(self.bare.asked)}"
        self.bare.links.add(link)
        return export | {"fileUrl": self.bare.url + link}

    def storage(self) -> None:
        if self.path not in self.bare.links:
            self.answer(403)
            return
        uses = len(self.bare.requests(f"GET {self.path}"))
        if uses >= self.bare.link_uses:
            self.bare.links.discard(self.path)
        data = self.bare.archive(self.path.split("/")[2].split("?")[0])
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        if start >= len(data):
            self.answer(416, None, Content_Range=f"bytes */{len(data)}")
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        end = len(data) if self.bare.cut_after is None else start + self.bare.cut_after
        self.bare.served += len(data[start:end])
        self.wfile.write(data[start:end])
        if end < len(data):
            self.close_connection = True


@contextmanager
def bare_server() -> Iterator[BareServer]:
    """Runs on a free port until the block ends."""
    bare = BareServer()
    handler = type("Bound", (Handler,), {"bare": bare})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    bare.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield bare
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
