"""The first draft of a mapping, and what `outhaul warehouse check` finds wrong with one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from outhaul.domain.finding import Finding
from outhaul.files.object_store import Files, open_files
from outhaul.warehouse.check import check
from outhaul.warehouse.clickhouse import ClickHouseEngine
from outhaul.warehouse.connect import connect
from outhaul.warehouse.engine import WarehouseEngine
from outhaul.warehouse.guess import draft, find_tables
from outhaul.warehouse.mapping import WarehouseMapping, read_mapping

ACCOUNT = "6a037e9d4be1d07c8a000001"
AT = "TIMESTAMP '2026-03-01 10:00:00'"
TABLES = {
    "customers": "SELECT 'c' || i AS \"Customer ID\", 'a@b.example' AS mail, 'Ana' AS first_name,"
    f' {AT} AS created_at, 41.5 AS "shoe ""size""", [1, 2] AS scores FROM range(3) AS r(i)',
    "events": f"SELECT 'a' || i AS event_id, 'login' AS event_type, {AT} AS ts,"
    " 'c1' AS customer_id, 'https://shop.example' AS url FROM range(3) AS r(i)",
    "order_lines": "SELECT 'a1' AS order_id, 1 AS line, 'sku' AS sku, 2 AS qty",
    "segment_members": "SELECT '5f0a1b2c3d4e5f6071829304' AS segment_id, 'c1' AS user_id",
}
ROLES = dict(zip(("contacts", "activities", "products", "members"), TABLES, strict=True))


@dataclass
class Lake:
    """An engine, and the usual tables of a shop as files that it reads."""

    engine: WarehouseEngine
    folder: Path
    files: Files

    def mapping(self) -> WarehouseMapping:
        """The first draft, read back."""
        named = {role: f"{self.folder}/{table}.parquet" for role, table in ROLES.items()}
        path = self.folder / "warehouse.toml"
        url = f"file://{self.folder}/files"
        path.write_text(draft(ACCOUNT, url, find_tables(self.engine, named)))
        return read_mapping(path)

    def wrong(self, mapping: WarehouseMapping) -> dict[str, Finding]:
        """What is wrong, by its place; all of it comes with an advice."""
        found = {
            one.part: one for one in check(self.engine, mapping, self.files) if one.state == "wrong"
        }
        assert all(one.advice for one in found.values())
        return found

    def table(self, query: str) -> str:
        path = self.folder / "altered.parquet"
        duckdb.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
        return str(path)


@pytest.fixture
def lake(url: str, tmp_path: Path) -> Lake:
    for name, query in TABLES.items():
        duckdb.execute(f"COPY ({query}) TO '{tmp_path}/{name}.parquet' (FORMAT parquet)")
    return Lake(connect(url), tmp_path, open_files(str(tmp_path / "files")))


def altered(mapping: WarehouseMapping, role: str, **changes: Any) -> WarehouseMapping:
    table = getattr(mapping, role).model_copy(update=changes)
    return mapping.model_copy(update={role: table})


def test_a_draft_of_usual_tables_is_right_as_it_is(lake: Lake) -> None:
    """Columns are known by their names; what is left over is told, and the check is content."""
    mapping = lake.mapping()
    assert mapping.contacts.columns == {
        "id": "Customer ID",
        "_email": "mail",
        "_name": "first_name",
        "_createdAt": "created_at",
    }
    assert mapping.activities.columns == {
        "id": "event_id",
        "type": "event_type",
        "createdAt": "ts",
        "contactId": "customer_id",
        "url": "url",
    }
    assert mapping.products is not None
    assert mapping.products.columns["quantity"] == "qty"
    assert mapping.members is not None
    assert mapping.members.columns == {"segmentId": "segment_id", "contactId": "user_id"}
    text = (lake.folder / "warehouse.toml").read_text()
    assert '# Not used: "shoe \\"size\\"", "scores"' in text
    findings = list(check(lake.engine, mapping, lake.files))
    assert [one for one in findings if one.state != "ok"] == []
    assert {one.part for one in findings} == {"engine", *ROLES, "folder"}
    assert list(lake.files.keys("")) == []


def test_the_check_names_what_does_not_fit(lake: Lake) -> None:
    """Columns that are missing or of another type, tables that are not there, empty keys, and a
    folder that is not Outhaul's."""
    mapping = lake.mapping()
    columns = mapping.contacts.columns | {"_name": "nickname", "_birthdate": "mail"}
    columns |= {"_surname": "scores"}
    mapping = altered(mapping, "contacts", columns=columns, commit_column="version")
    mapping = altered(mapping, "activities", path=f"{lake.folder}/nothing.parquet")
    members = "SELECT NULL::VARCHAR AS segment_id, 'c1' AS user_id"
    mapping = altered(mapping, "members", path=lake.table(members))
    mapping = mapping.model_copy(update={"folder": f"file://{lake.folder}/elsewhere"})
    wrong = lake.wrong(mapping)
    assert set(wrong) == {
        "contacts.columns._name",
        "contacts.columns._birthdate",
        "contacts.columns._surname",
        "contacts.commit_column",
        "activities",
        "members.columns.segmentId",
        "folder",
    }
    assert "no column nickname" in wrong["contacts.columns._name"].text
    assert "a date is needed" in wrong["contacts.columns._birthdate"].advice
    assert wrong["members.columns.segmentId"].text.startswith("1 rows")
    assert "OUTHAUL_FILES" in wrong["folder"].advice


@pytest.mark.parametrize("away", ["sc://127.0.0.1:9", "clickhouse://127.0.0.1:9/"])
@pytest.mark.parametrize("url", ["chdb"], indirect=True)
def test_an_engine_that_is_away_is_told(lake: Lake, away: str) -> None:
    """In one finding, and nothing else is asked."""
    mapping = lake.mapping()
    findings = list(check(connect(away), mapping, lake.files))
    assert [(one.part, one.state) for one in findings] == [("engine", "wrong")]


def test_tables_are_found_by_their_names_in_the_catalog(tmp_path: Path) -> None:
    """Each of Outhaul's tables is looked for under the names that shops give it."""
    engine = ClickHouseEngine("chdb://memory")
    with engine._client("test") as client:
        client.command("CREATE DATABASE IF NOT EXISTS shop")
        for table in ("app_users", "web_events", "order_lines", "segments", "products"):
            client.command(f"CREATE TABLE shop.{table} (id String) ENGINE = Memory")
        try:
            tables = find_tables(engine, {})
        finally:
            client.command("DROP DATABASE shop")
    found = {role: one and one.mapping.table for role, one in tables.items()}
    assert found == {
        "contacts": "shop.app_users",
        "activities": "shop.web_events",
        "products": "shop.order_lines",
        "members": "shop.segments",
    }
    text = draft(ACCOUNT, "file:///x", tables)
    assert '# _createdAt = ""  # needed, and no column looks like it' in text
