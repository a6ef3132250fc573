"""A program with a key that speaks to a server of `tests.api_server`."""

import csv
import io
import time
import zipfile
from dataclasses import dataclass
from typing import Any

import httpx

from tests.api_server import Address


@dataclass(frozen=True)
class Client:
    """Requests with a right key."""

    address: Address

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"apiKey {self.address.key}"} | options.pop("headers", {})
        url = self.address.url + path
        return httpx.request(method, url, headers=headers, timeout=30, **options)

    def done(self, method: str, path: str, status: int, **options: Any) -> Any:
        """The JSON of an answer that has this status; None without a body."""
        answer = self.ask(method, path, **options)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def faults(self, method: str, path: str, **options: Any) -> dict[str, str]:
        """Path and reason of everything that is wrong."""
        body = self.done(method, path, 422, **options)
        return {fault["path"]: fault["reason"] for fault in body["validationErrors"]}

    def until(self, path: str, *statuses: str, seconds: float = 30) -> dict[str, Any]:
        """The resource once it has one of these statuses."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            resource = dict(self.done("GET", path, 200))
            if resource["status"] in statuses:
                return resource
            time.sleep(0.02)  # The poll of a client.
        raise AssertionError(resource)

    def export(self, **body: Any) -> dict[str, Any]:
        """A finished export."""
        wanted = {"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"} | body
        created = self.done("POST", "/exports/", 201, json=wanted)
        ended = self.until(f"/exports/{created['id']}", "finished", "error")
        assert ended["status"] == "finished", ended
        return ended

    def rows(self, member: int = 0, **body: Any) -> list[dict[str, str]]:
        """The rows of a file of a new export."""
        archive = httpx.get(self.export(**body)["fileUrl"], timeout=30)
        with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
            text = opened.read(opened.namelist()[member]).decode()
        return list(csv.DictReader(io.StringIO(text, newline="")))
