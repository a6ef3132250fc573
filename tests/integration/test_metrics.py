"""`/metrics` as Prometheus reads it, from a real server."""

import socket
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from outhaul.api.metrics import Metrics
from outhaul.catalog.census import take_census
from outhaul.catalog.exports import Exports
from outhaul.catalog.leases import Leases
from outhaul.cli.metrics import telling
from outhaul.domain.account import Language
from outhaul.domain.errors import CatalogUnavailable, OuthaulError
from outhaul.domain.export import ExportStatus, Frozen, MemberKind, Origin, RowKey, SlicePlan
from outhaul.domain.plan import ExportPlan, WarehouseState
from tests.api_server import Address, serving
from tests.pipeline_shop import request

Samples = dict[tuple[str, tuple[str, ...]], float]


def read(text: str) -> Samples:
    """Every sample by its name and its labels' values."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scrape(url: str) -> Samples:
    answer = httpx.get(f"{url}/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return read(answer.text)


def finished_export(address: Address) -> dict[str, Any]:
    with httpx.Client(
        base_url=address.url, headers={"Authorization": f"apiKey {address.key}"}
    ) as client:
        assert client.patch("/contacts/ana@example.com", json={"_name": "Ana"}).is_success
        body = {"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"}
        export = client.post("/exports/", json=body).json()
        while export["status"] not in {"finished", "error"}:
            time.sleep(0.02)  # A caller that never pauses is one too many for the rate limit.
            export = client.get(f"/exports/{export['id']}").json()
        return dict(export)


def test_an_export_shows_in_the_metrics(tmp_path: Path) -> None:
    """What it was before and after: states, rows, bytes and how long the steps took; no label and
    no value tells whose it was."""
    with serving(tmp_path / "data") as address:
        before = scrape(address.url)
        assert before["outhaul_exports", ("finished",)] == 0
        assert before["outhaul_rows_total", ()] == 0
        export = finished_export(address)
        after = scrape(address.url)
        text = httpx.get(f"{address.url}/metrics").text
    assert after["outhaul_exports", ("finished",)] == 1
    assert after["outhaul_exports_ended_total", ("finished",)] == 1
    assert after["outhaul_rows_total", ()] == export["total"] == 1
    assert (
        after["outhaul_archive_bytes_total", ()] > after["outhaul_compressed_bytes_total", ()] > 0
    )
    assert after["outhaul_text_bytes_total", ()] > 0
    for step in ("plan", "slices", "assemble"):
        assert after["outhaul_step_seconds_count", (step,)] == 1
        assert after["outhaul_lease_takeovers_total", (step,)] == 0
    assert after["outhaul_queue_age_seconds", ()] == 0
    assert after["outhaul_catalog_up", ()] == 1
    assert after["process_resident_memory_bytes", ()] > 0
    assert export["id"] not in text
    assert "ana@example.com" not in text


def test_metrics_have_their_own_address_when_told(tmp_path: Path) -> None:
    """Then the server's own knows no such path."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(OuthaulError, match="cannot listen there"), telling(METRICS, address):
            pass
    with telling(METRICS, address):
        assert scrape(f"http://{address}")["outhaul_catalog_up", ()] == 0
    with serving(tmp_path / "data", metrics_address=address) as server:
        assert httpx.get(f"{server.url}/metrics").status_code == 404


def away() -> Any:
    raise CatalogUnavailable


METRICS = Metrics(away)


def test_a_catalog_that_is_away_is_a_metric_of_its_own() -> None:
    """The scrape goes on: what this process counts itself is told, and no stale state."""
    body, _ = METRICS.text("")
    samples = read(body.decode())
    assert samples["outhaul_catalog_up", ()] == 0
    assert ("outhaul_exports", ("finished",)) not in samples
    assert ("outhaul_rows_total", ()) in samples


def test_unloads_are_counted_by_whom() -> None:
    """Slices of the store and snapshots of a warehouse apart, with their rows; a plan that is
    rendered from the store itself counts as none."""
    metrics = Metrics(away)
    frozen = Frozen(timezone="UTC", language=Language.EN, mobile_push=False)
    plan = ExportPlan(snapshot=1, snapshot_at=None, frozen=frozen)
    key = RowKey(0, "")
    parts = [SlicePlan(member=MemberKind.CONTACTS, index=0, first=key, until=key, rows=7)]
    metrics.planned(plan, parts)
    elsewhere = WarehouseState(engine="Sail 1", tables=())
    metrics.planned(replace(plan, unload="exports/1/0/unload-1", warehouse=elsewhere), parts * 2)
    metrics.unloaded(parts[0])
    samples = read(metrics.text("")[0].decode())
    for source, rows in (("store", 7), ("warehouse", 14)):
        assert samples["outhaul_unloads_total", (source,)] == 1
        assert samples["outhaul_unloaded_rows_total", (source,)] == rows


def test_the_census_counts_states_and_how_long_the_oldest_waits(database, account) -> None:
    """Every state has a number; what somebody has begun waits no more."""
    empty = take_census(database)
    assert empty.exports == dict.fromkeys(ExportStatus, 0)
    assert empty.waiting_s == 0
    exports = Exports(database)
    for _ in range(2):
        exports.create(account.id, request(), origin=Origin.API, queue_limit=5)
    counted = take_census(database)
    assert counted.exports[ExportStatus.QUEUED] == 2
    assert 0 <= counted.waiting_s < 60


def test_a_takeover_is_told_from_a_step_given_back(database, account) -> None:
    """Only where the worker before has died or hung."""
    Exports(database).create(account.id, request(), origin=Origin.API, queue_limit=5)
    leases = Leases(database, lease_s=0, fault_limit=3)
    first = leases.claim("one")
    assert first is not None
    assert not first.taken_over
    second = leases.claim("two")
    assert second is not None
    assert second.taken_over
    leases.release(second.lease)
    third = leases.claim("three")
    assert third is not None
    assert not third.taken_over
