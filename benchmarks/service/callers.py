"""Clients that ask again as soon as they are answered, and how long each answer took.

One thread plays them all with requests made beforehand: so many threads of Python would wait for
each other and measure that.
"""

import re
import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from benchmarks.product import Server


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request without its key; a body is JSON."""

    method: str
    path: str
    body: str = ""


def seconds_of(
    server: Server, clients: Sequence[Sequence[Call]], *, key: str | None = None
) -> list[tuple[Call, float]]:
    """Every call with the seconds until it was answered; each client's calls one after the other.
    `key` is asked with instead of the server's own account's. Raises RuntimeError on an answer
    other than 200 or 201."""
    address = urlsplit(str(server.http.base_url))
    authorization = f"apiKey {key}" if key else server.http.headers["Authorization"]
    answers: list[tuple[Call, float]] = []
    with selectors.DefaultSelector() as answered:
        for calls in clients:
            line = socket.create_connection((address.hostname, address.port))
            requests = [(call, _bytes(call, address.netloc, authorization)) for call in calls]
            asking = _Client(line=line, requests=requests[::-1])
            answered.register(line, selectors.EVENT_READ, asking)
            asking.asks()
        while answered.get_map():
            for ready, _ in answered.select():
                asking = ready.data
                if not asking.is_answered():
                    continue
                answers.append((asking.call, time.monotonic() - asking.asked))
                if not asking.asks():
                    answered.unregister(asking.line)
                    asking.line.close()
    return answers


@dataclass
class _Client:
    line: socket.socket
    requests: list[tuple[Call, bytes]]
    """What is still to be asked, the next one last."""
    call: Call | None = None
    asked: float = 0
    answer: bytes = b""

    def asks(self) -> bool:
        """Whether there was another request; it is sent now."""
        if not self.requests:
            return False
        self.call, request = self.requests.pop()
        self.answer = b""
        self.asked = time.monotonic()
        self.line.sendall(request)
        return True

    def is_answered(self) -> bool:
        """Whether the answer is whole with what there is to read."""
        read = self.line.recv(1 << 16)
        self.answer += read
        head, _, body = self.answer.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        if read and (length is None or len(body) < int(length[1])):
            return False
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
            raise RuntimeError(f"{self.call} was answered with {head[:12]!r}")
        return True


def _bytes(call: Call, host: str, authorization: str) -> bytes:
    content = f"Content-Type: application/json\r\nContent-Length: {len(call.body)}\r\n"
    return (
        f"{call.method} {call.path} HTTP/1.1\r\nHost: {host}\r\n"
        f"Authorization: {authorization}\r\n{content if call.body else ''}\r\n{call.body}"
    ).encode()
