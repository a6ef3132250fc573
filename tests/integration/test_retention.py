"""Exports leave when their time is over."""

import time
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from outhaul.catalog.database import Database, now_ms
from outhaul.catalog.exports import Exports
from outhaul.catalog.tables import exports as table
from outhaul.domain.account import Account
from outhaul.domain.export import Origin
from outhaul.worker import retention_work
from tests.api_server import serving
from tests.integration.test_metrics import finished_export
from tests.pipeline_shop import request


def test_an_ended_export_leaves_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its id and its link answer 404 then, and the disk holds nothing of it."""
    monkeypatch.setattr(retention_work, "_EVERY_S", 0.05)
    two_seconds = 2 / 24 / 3600
    with serving(tmp_path / "data", retention_days=two_seconds) as address:
        export = finished_export(address)
        until = time.monotonic() + 30
        # Not GET: a download in whose middle the file goes is cut off.
        while (link := httpx.head(export["fileUrl"])).status_code == 200:
            assert time.monotonic() < until
        assert link.status_code == 404
        answer = httpx.get(
            f"{address.url}/exports/{export['id']}",
            headers={"Authorization": f"apiKey {address.key}"},
        )
        assert answer.status_code == 404
    assert [path for path in (tmp_path / "data" / "files").rglob("*") if path.is_file()] == []


def test_only_those_go_whose_time_is_over(database: Database, account: Account) -> None:
    """By the instant of their end; what is under way stays however old it is."""
    exports = Exports(database)
    ids = [
        exports.create(account.id, request(), origin=Origin.API, queue_limit=9).id for _ in range(4)
    ]
    day_ms = 24 * 60 * 60 * 1000
    with database.transaction() as connection:
        for id_, days in zip(ids, (3, 1.5, 0.5, None), strict=True):
            ended = None if days is None else now_ms() - round(days * day_ms)
            connection.execute(
                update(table).where(table.c.id == id_).values(finished_ms=ended, created_ms=1)
            )
    assert exports.ended_before(timedelta(days=1), most=9) == (
        (account.id, ids[0]),
        (account.id, ids[1]),
    )
    assert exports.ended_before(timedelta(days=1), most=1) == ((account.id, ids[0]),)
