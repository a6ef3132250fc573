"""What callers see of a worker that is not there."""

import time
from pathlib import Path

import httpx

from outhaul.api.app import create_app
from outhaul.edges import Edges
from tests.api_server import idle_outhaul, listening

CONTACTS = {"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"}


def test_an_export_says_when_nobody_works_on_it(tmp_path: Path) -> None:
    """As long as no worker is alive, and not a word more once one is; health says it as well."""
    with (
        idle_outhaul(tmp_path / "data") as (outhaul, key),
        listening(create_app(Edges(outhaul).services)) as (host, port),
        httpx.Client(
            base_url=f"http://{host}:{port}", headers={"Authorization": f"apiKey {key}"}
        ) as client,
    ):
        export = client.post("/exports/", json=CONTACTS).json()
        assert export["waitingFor"] == "worker"
        health = client.get("/health")
        assert (health.status_code, health.json()["worker"]) == (503, "stopped")
        outhaul.start()
        try:
            assert client.get("/health").status_code == 200
            until = time.monotonic() + 30
            while export["status"] != "finished":
                assert time.monotonic() < until
                export = client.get(f"/exports/{export['id']}").json()
                assert "waitingFor" not in export
        finally:
            outhaul.stop()
        assert "waitingFor" not in client.get(f"/exports/{export['id']}").json()
