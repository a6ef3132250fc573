"""Accounts to measure with, and calls in their name."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from benchmarks.product import Server
from demo.server import outhaul
from demo.shop import UNTIL

_SCOPES = ("export:read", "export:write")

CONTACTS: dict[str, Any] = {"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One figure of the report, with its goal where it has one."""

    what: str
    seen: str
    goal: str = ""
    met: bool | None = None


def activities(days: float, until: datetime = UNTIL) -> dict[str, Any]:
    """The request for all activities of the days before `until`."""
    first, last = until - timedelta(days=days), until - timedelta(milliseconds=1)
    filters = {"fromDate": first.isoformat(), "toDate": last.isoformat()}
    return CONTACTS | {"exportType": "activities", "filters": filters}


def add_account(
    data: Path, name: str, files: dict[str, Path], *, scopes: Sequence[str] = _SCOPES
) -> str:
    """A new account with the files imported; returns a key."""
    account = outhaul("accounts", "create", name, "--timezone", "Europe/Madrid", data=data)
    for kind, path in files.items():
        fields = ("--create-fields",) if kind == "contacts" else ()
        outhaul("import", kind, str(path), "--account", account, *fields, data=data)
    granted = [word for scope in scopes for word in ("--scope", scope)]
    return outhaul("keys", "create", account, *granted, data=data)


def client(server: Server, key: str | None = None) -> httpx.Client:
    """A connection of its own, as the server's account or as the key's."""
    authorization = f"apiKey {key}" if key else server.http.headers["Authorization"]
    return httpx.Client(
        base_url=server.http.base_url, headers={"Authorization": authorization}, timeout=60
    )


def ask(http: httpx.Client, body: dict[str, Any]) -> str:
    """Queue an export; returns its id."""
    return str(http.post("/exports/", json=body).raise_for_status().json()["id"])


def wait(http: httpx.Client, id_: str, *, every_s: float = 0.02) -> dict[str, Any]:
    """Poll until it has finished. Raises RuntimeError when it ends otherwise."""
    while True:
        found = dict(http.get(f"/exports/{id_}").raise_for_status().json())
        if found["status"] == "finished":
            return found
        if found["status"] == "error":
            raise RuntimeError(f"the export ended in an error: {found}")
        time.sleep(every_s)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
