"""Outhaul itself, over HTTP: from POST to `finished`."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.measure import Figure, costing, zip_sizes
from demo.server import outhaul

_SCOPES = ("--scope", "export:read", "--scope", "export:write")
_POLL_EVERY_S = 0.05


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server and a key to it."""

    pid: int
    http: httpx.Client


def load(folder: Path, shop: Path, *, timezone: str, language: str) -> None:
    """Import the shop into `folder/data`, unless that was done; the key lies in `folder/key`."""
    key, data = folder / "key", folder / "data"
    if key.exists():
        return
    account = outhaul(
        "accounts", "create", "Bench", "--timezone", timezone, "--language", language, data=data
    )
    files = (("contacts", "--create-fields"), ("segments",), ("activities",))
    for kind, *options in files:
        path = str(shop / f"{kind}.parquet")
        outhaul("import", kind, path, "--account", account, *options, data=data)
    key.write_text(outhaul("keys", "create", account, *_SCOPES, data=data))


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[Server]:
    """A server on the loaded data, with settings such as MEMORY_LIMIT="256MB"."""
    environment = {name: value for name, value in os.environ.items() if "OUTHAUL_" not in name}
    environment |= {f"OUTHAUL_{name}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "outhaul", "serve", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--data", str(folder / "data")],
        env={"OUTHAUL_RATE_LIMIT": "1000000", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = next(
            found[1]
            for line in process.stdout
            if (found := re.search(r"ready at (http://\S+)", line))
        )
        authorization = {"Authorization": f"apiKey {(folder / 'key').read_text().strip()}"}
        with httpx.Client(base_url=address, headers=authorization, timeout=60) as http:
            yield Server(pid=process.pid, http=http)
    finally:
        process.terminate()
        process.wait(60)


def export(server: Server, body: dict[str, Any]) -> dict[str, Any]:
    """Ask, and wait until it has finished. Raises RuntimeError when it ends otherwise."""
    asked = server.http.post("/exports/", json=body)
    asked.raise_for_status()
    while True:
        found = server.http.get(f"/exports/{asked.json()['id']}").raise_for_status().json()
        if found["status"] == "finished":
            return dict(found)
        if found["status"] == "error":
            raise RuntimeError(f"the export ended in an error: {found}")
        time.sleep(_POLL_EVERY_S)


def measure(folder: Path, body: dict[str, Any], target: Path) -> Figure:
    """Export once on a freshly started server, download the file to `target`."""
    with serving(folder, MEMORY_LIMIT="256MB") as server:
        with costing([server.pid]) as cost:
            done = export(server, body)
        with server.http.stream("GET", done["fileUrl"]) as response, target.open("wb") as file:
            for block in response.raise_for_status().iter_bytes(1 << 20):
                file.write(block)
        server.http.delete(f"/exports/{done['id']}")
    text, size = zip_sizes(target)
    return Figure(
        rows=done["total"],
        seconds=cost.seconds,
        cpu_seconds=cost.cpu_seconds,
        peak_mb=cost.peak_mb,
        csv_bytes=text,
        zip_bytes=size,
    )
