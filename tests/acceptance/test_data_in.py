"""Data in on a real server process that gets killed."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

from tests.acceptance.conftest import Caller, Server


def test_what_was_acknowledged_survives_a_killed_server(server: Server, caller: Caller):
    """Changes from many threads, a field, a bulk request and an erasure: all there afterwards."""
    field = {"id": "size", "name": "Size", "type": "integer"}
    assert caller.request("POST", "/contact-fields/", json=field).status_code == 201
    assert caller.request("PATCH", "/contacts/gone@b.example", json={}).status_code == 201

    def change(number: int) -> int:
        path = f"/contacts/c{number}@b.example"
        return caller.request("PATCH", path, json={"size": number}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(change, range(40))) == {201}
    line = {"type": "login", "createdAt": "2026-03-05T10:00:00Z", "email": "c1@b.example"}
    answer = caller.request(
        "POST",
        "/activities/",
        content=json.dumps(line),
        headers={"Content-Type": "application/x-ndjson"},
    )
    assert answer.json()["taken"] == 1
    assert caller.request("DELETE", "/contacts/gone@b.example").status_code == 204
    server.kill()
    server.start()
    rows = caller.rows(caller.finished())
    assert {row["Email"]: row["Size"] for row in rows} == {
        f"c{number}@b.example": str(number) for number in range(40)
    }
    filters = {"fromDate": "2026-03-01", "toDate": "2026-03-31"}
    export = caller.finished(exportType="activities", filters=filters)
    assert [row["Activity type"] for row in caller.rows(export)] == ["login"]


def test_an_import_survives_a_killed_server(server: Server, caller: Caller):
    """Killed right after the answer: the import is done after the start, every row once."""
    rows = "".join(f"c{number}@b.example,{number}\n" for number in range(20_000))
    answer = caller.request(
        "POST",
        "/imports/",
        data={"type": "contacts"},
        files={"file": ("contacts.csv", f"_email,_points\n{rows}", "text/csv")},
    )
    assert answer.status_code == 201, answer.text
    server.kill()
    server.start()
    end = time.monotonic() + 60
    while True:
        found = caller.request("GET", f"/imports/{answer.json()['id']}").json()
        if found["status"] not in {"queued", "inProgress"}:
            break
        assert time.monotonic() < end, found
        time.sleep(0.05)  # The poll of a client.
    assert (found["status"], found["success"], found["errors"]) == ("finished", 20_000, 0)
    exported = caller.rows(caller.finished())
    assert sorted(int(row["Points"]) for row in exported) == list(range(20_000))
