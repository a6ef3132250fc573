"""Data in over HTTP: how long a single change takes, and how much goes through in bulk."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from benchmarks.product import Server, serving
from benchmarks.service.callers import Call, seconds_of
from benchmarks.service.shops import Line, activities, add_account, ask, client, percentile
from demo.shop import UNTIL, make_shop

_CHANGES = 3_200
_MOST_MS = 30
_LINES = 200_000
_LEAST_ACTIVITIES = 50_000
_LEAST_CONTACTS = 20_000


def intake(folder: Path, *, contacts: int) -> Iterator[Line]:
    """PATCH by one client and by sixteen, on an account of so many contacts; then a bulk request
    and an import of as many contacts while an export of the big account runs."""
    shop = make_shop(folder / "intake", contacts=contacts, activities=1000, days=30)
    scopes = ("contact:write", "activity:write", "import:read", "import:write")
    key = add_account(folder / "data", "Intake", {"contacts": shop.contacts}, scopes=scopes)
    with serving(folder, MEMORY_LIMIT="256MB") as server:
        for clients in (1, 16):
            times = _changed(server, key, clients)
            half, most = (1000 * percentile(times, share) for share in (0.5, 0.99))
            yield Line(
                what=f"PATCH, {contacts:,} contacts, {clients} client(s), p50 and p99",
                seen=f"{half:.1f} and {most:.1f} ms",
                goal=f"p99 < {_MOST_MS} ms",
                met=most < _MOST_MS,
            )
        yield _bulk(server, key)
        yield _imported(server, key, contacts)


def _bulk(server: Server, key: str) -> Line:
    body = "".join(
        json.dumps(
            {
                "type": "login",
                "createdAt": (UNTIL - timedelta(seconds=number)).isoformat(),
                "email": f"bench-{number % 16}-{number % 100}@shop.example",
            }
        )
        + "\n"
        for number in range(_LINES)
    )
    headers = {"Content-Type": "application/x-ndjson"}
    with client(server, key) as http_client:
        running = ask(server.http, activities(31))
        started = time.monotonic()
        answer = http_client.post("/activities/", content=body, headers=headers)
        seconds = time.monotonic() - started
        server.http.delete(f"/exports/{running}").raise_for_status()
    if answer.raise_for_status().json()["taken"] != _LINES:
        raise RuntimeError("not all activities were taken")
    return Line(
        what=f"POST /activities/ with {_LINES:,} lines while an export runs",
        seen=f"{_LINES / seconds:,.0f} a second",
        goal=f">= {_LEAST_ACTIVITIES:,}",
        met=_LINES / seconds >= _LEAST_ACTIVITIES,
    )


def _imported(server: Server, key: str, contacts: int) -> Line:
    rows = "".join(f"new-{number}@shop.example,Ann,{number}\n" for number in range(contacts))
    file = ("contacts.csv", f"_email,_name,_points\n{rows}", "text/csv")
    with client(server, key) as http_client:
        running = ask(server.http, activities(31))
        started = time.monotonic()
        answer = http_client.post("/imports/", data={"type": "contacts"}, files={"file": file})
        id_ = answer.raise_for_status().json()["id"]
        while True:
            found = http_client.get(f"/imports/{id_}").raise_for_status().json()
            if found["status"] not in {"queued", "inProgress"}:
                break
            time.sleep(0.02)
        seconds = time.monotonic() - started
        server.http.delete(f"/exports/{running}").raise_for_status()
    if found["success"] != contacts:
        raise RuntimeError(f"not all contacts were taken: {found}")
    return Line(
        what=f"POST /imports/ with {contacts:,} contacts to finished while an export runs",
        seen=f"{contacts / seconds:,.0f} a second",
        goal=f">= {_LEAST_CONTACTS:,}",
        met=contacts / seconds >= _LEAST_CONTACTS,
    )


def _changed(server: Server, key: str, clients: int) -> list[float]:
    """Seconds of each of many changes; the contacts are the same in every round."""
    calls = [list(_changes(number, _CHANGES // clients)) for number in range(clients)]
    return [seconds for _, seconds in seconds_of(server, calls, key=key)]


def _changes(client: int, count: int) -> Iterator[Call]:
    for number in range(count):
        body = json.dumps({"_name": f"Ann {number}", "_points": time.time_ns() % 10**9})
        path = f"/contacts/bench-{client}-{number % 100}@shop.example"
        yield Call(method="PATCH", path=path, body=body)
