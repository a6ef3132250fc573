"""A caller of the export API, as plain as it can be: create, poll, download."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from demo.failure import DemoFailed

Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is in all (0: not known yet)."""

_POLL_EVERY_S = 1.0
_FINISHED_WITHIN_S = 120


class ExportCaller:
    """Speaks to one server with one key. Every method raises DemoFailed on a refusal."""

    def __init__(self, http: httpx.Client, *, key: str) -> None:
        self._http = http
        self._authorization = {"Authorization": f"apiKey {key}"}

    def create(self, body: Mapping[str, Any]) -> str:
        """Ask for an export; returns its id."""
        answer = self._call("POST", "/exports/", json=dict(body))
        return str(answer["id"])

    def wait(self, export_id: str, progress: Progress) -> dict[str, Any]:
        """Ask once a second until the export has finished; returns it as it then is."""
        deadline = time.monotonic() + _FINISHED_WITHIN_S
        while time.monotonic() < deadline:
            export = self._call("GET", f"/exports/{export_id}")
            progress(export["progress"], export["total"])
            if export["status"] == "finished":
                return export
            if export["status"] == "error":
                raise DemoFailed(f"The export {export_id} ended in an error: {export}")
            time.sleep(_POLL_EVERY_S)
        raise DemoFailed(f"The export {export_id} did not finish in {_FINISHED_WITHIN_S} s.")

    def download(self, file_url: str, target: Path, progress: Progress) -> None:
        """Stream the file to disk; its address needs no key."""
        with self._http.stream("GET", file_url) as response, target.open("wb") as file:
            if response.status_code != httpx.codes.OK:
                raise DemoFailed(f"The download was answered with {response.status_code}.")
            total = int(response.headers.get("Content-Length", 0))
            for block in response.iter_bytes():
                file.write(block)
                progress(file.tell(), total)

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        while True:
            response = self._http.request(method, path, headers=self._authorization, **arguments)
            if response.status_code != httpx.codes.TOO_MANY_REQUESTS:
                break
            time.sleep(max(1, int(response.headers.get("Retry-After", 1))))
        if not response.is_success:
            raise DemoFailed(f"{method} {path}: {response.status_code} {response.text}")
        answer: dict[str, Any] = response.json()
        return answer
