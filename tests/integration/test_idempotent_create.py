"""Creating an export under an `Idempotency-Key`, on real servers."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from outhaul.catalog.database import Database
from tests.api_server import Address, serving

CONTACTS = {"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"}
ACTIVITIES = {
    "exportType": "activities",
    "delimiter": ",",
    "dateFormat": "ISO",
    "filters": {"fromDate": "2026-03-01", "toDate": "2026-03-05"},
}


def create(url: str, key: str, body: dict[str, Any], *names: str) -> httpx.Response:
    """POST /exports/ with as many `Idempotency-Key` headers as there are names."""
    headers = [("Authorization", f"apiKey {key}")]
    headers += [("Idempotency-Key", name) for name in names]
    return httpx.post(f"{url}/exports/", json=body, headers=headers)


def ids(address: Address) -> list[str]:
    listed = httpx.get(
        f"{address.url}/exports/", headers={"Authorization": f"apiKey {address.key}"}
    )
    return [export["id"] for export in listed.json()["results"]]


def finished(url: str, key: str, export_id: str) -> dict[str, Any]:
    """The export's resource without its link, once it is finished."""
    while True:
        headers = {"Authorization": f"apiKey {key}"}
        export: dict[str, Any] = httpx.get(f"{url}/exports/{export_id}", headers=headers).json()
        assert export["status"] != "error"
        if export["status"] == "finished":
            return without_link(export)


def without_link(export: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in export.items() if name != "fileUrl"}


def test_a_repeated_create_gives_the_first_export_also_after_a_restart(tmp_path: Path) -> None:
    """201 with what a GET gives now: no second export, even though no more may wait."""
    with serving(tmp_path, rate_limit=1_000_000, queue_limit=1) as first:
        created = create(first.url, first.key, CONTACTS, "nightly-1")
        assert created.status_code == 201
        now = finished(first.url, first.key, created.json()["id"])
        again = create(first.url, first.key, CONTACTS, "nightly-1")
        assert again.status_code == 201
        assert without_link(again.json()) == now
        assert httpx.get(again.json()["fileUrl"]).status_code == 200
    with serving(tmp_path, rate_limit=1_000_000, queue_limit=1) as second:
        restarted = create(second.url, first.key, CONTACTS, "nightly-1")
        assert restarted.status_code == 201
        assert without_link(restarted.json()) == now
        # The second server's own account knows nothing of the first one's keys.
        other = create(second.url, second.key, CONTACTS, "nightly-1")
        assert other.status_code == 201
        assert ids(second) == [other.json()["id"]] != [created.json()["id"]]


def test_creates_at_the_same_time_make_one_export(tmp_path: Path) -> None:
    """Sixteen requests under one key on eight connections: one id, one export."""
    with serving(tmp_path, rate_limit=1_000_000) as address, ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda _: create(address.url, address.key, CONTACTS, "k"), range(16))
        )
        assert {answer.status_code for answer in answers} == {201}
        assert [*{answer.json()["id"] for answer in answers}] == ids(address)


def test_a_key_stands_for_one_request(tmp_path: Path) -> None:
    """Another body answers 422; another spelling of the same request is the same request."""
    with serving(tmp_path, rate_limit=1_000_000) as address:
        first = create(address.url, address.key, ACTIVITIES, "k").json()["id"]
        respelt = ACTIVITIES | {
            "version": "v1",
            "filters": {"toDate": "2026-03-05T01:00:00+01:00", "fromDate": "2026-03-01T00:00Z"},
        }
        assert create(address.url, address.key, respelt, "k").json()["id"] == first
        for body in (CONTACTS, ACTIVITIES | {"delimiter": ";"}):
            refused = create(address.url, address.key, body, "k")
            assert refused.status_code == 422
            assert refused.json() == {
                "status": 422,
                "title": "Unprocessable Entity",
                "detail": "This Idempotency-Key stands for another export request.",
                "validationErrors": [
                    {
                        "name": "body",
                        "path": "",
                        "reason": "must be what was first sent under this Idempotency-Key;"
                        " or send a new key",
                    }
                ],
            }
        assert ids(address) == [first]


def test_a_key_is_forgotten_after_a_day_and_with_its_export(tmp_path: Path) -> None:
    """A second short of 24 hours it still counts; then, or once deleted, it is free again."""
    with serving(tmp_path, rate_limit=1_000_000) as address:
        first = create(address.url, address.key, CONTACTS, "k").json()["id"]
        database = Database(f"sqlite:///{tmp_path / 'catalog.db'}")

        def grow_older(seconds: int) -> None:
            with database.transaction() as connection:
                connection.execute(
                    text("UPDATE exports SET created_ms = created_ms - :ms WHERE id = :id"),
                    {"ms": seconds * 1000, "id": first},
                )

        day = 24 * 60 * 60
        grow_older(day - 60)
        assert create(address.url, address.key, CONTACTS, "k").json()["id"] == first
        grow_older(60)
        second = create(address.url, address.key, ACTIVITIES, "k")
        assert second.status_code == 201
        assert ids(address) == [second.json()["id"], first]
        headers = {"Authorization": f"apiKey {address.key}"}
        gone = httpx.delete(f"{address.url}/exports/{second.json()['id']}", headers=headers)
        assert gone.status_code == 204
        third = create(address.url, address.key, CONTACTS, "k")
        assert third.status_code == 201
        assert ids(address) == [third.json()["id"], first]
        database.close()


@pytest.mark.parametrize("names", [("",), ("two words",), ("x" * 256,), ("a", "a"), ("ñ",)])
def test_a_malformed_key_is_refused_with_what_would_be_right(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    """400, and nothing is created; 255 visible characters are fine."""
    with serving(tmp_path) as address:
        headers = [(b"Authorization", f"apiKey {address.key}".encode())]
        headers += [(b"Idempotency-Key", name.encode("latin-1")) for name in names]
        refused = httpx.post(f"{address.url}/exports/", json=CONTACTS, headers=headers)
        assert refused.status_code == 400
        assert "1 to 255 visible ASCII characters" in refused.json()["detail"]
        assert ids(address) == []
        assert create(address.url, address.key, CONTACTS, "~" * 255).status_code == 201
