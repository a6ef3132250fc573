"""Exports out of a user's own tables in an engine: the bytes of the embedded store."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pytest
import sqlglot
from sqlglot import exp

from outhaul.archive.manifest import SnapshotEntry
from outhaul.catalog import exports as catalog_exports
from outhaul.catalog.accounts import Accounts
from outhaul.catalog.database import Database
from outhaul.catalog.leases import Leases
from outhaul.catalog.needed_files import NeededFiles
from outhaul.catalog.slices import Slices
from outhaul.domain.account import Language
from outhaul.domain.cancellation import Cancellation, Cancelled
from outhaul.domain.errors import ExportFailed, FailureCause, WarehouseUnavailable
from outhaul.domain.export import (
    DateFormat,
    Delimiter,
    ExportRequest,
    ExportStatus,
    Filters,
    Origin,
    Version,
)
from outhaul.domain.extras import Extras, FileFormat
from outhaul.domain.ids import new_id
from outhaul.domain.imports import ImportKind
from outhaul.files.object_store import open_files
from outhaul.pipeline.pipeline import Pipeline
from outhaul.store.commits import Commits
from outhaul.store.contact_fields import ContactFields
from outhaul.store.engine import Engine
from outhaul.store.parquet import ParquetWriter
from outhaul.store.reader import SnapshotReader
from outhaul.unload.reader import UnloadReader
from outhaul.warehouse import clickhouse
from outhaul.warehouse.connect import connect
from outhaul.warehouse.engine import WarehouseEngine
from outhaul.warehouse.lookups import FieldsAnywhere
from outhaul.warehouse.mapping import WarehouseMapping
from outhaul.warehouse.spark import SparkEngine
from outhaul.warehouse.warehouse import Warehouse
from outhaul.worker.cleaning import Cleaning
from outhaul.worker.export_work import ExportWork
from tests import golden
from tests.pipeline_shop import EVER, PipelineShop, activities, members, request
from tests.warehouse_tables import HOSTILE, mapping, write_tables

SEGMENT = "5f0a1b2c3d4e5f6071829304"


@dataclass
class Place:
    """A shop with a store, the same data as tables, and a worker for those without the store."""

    shop: PipelineShop
    engine: Engine
    url: str
    mapping: WarehouseMapping
    folder: Path
    snapshot: SnapshotEntry | None = None
    """What the manifest of the last archive tells of it."""

    def warehouse(self, engine: Any = None) -> Warehouse:
        unloads = UnloadReader(self.engine, self.shop.files)
        return Warehouse(engine or connect(self.url), self.mapping, self.shop.files, unloads)

    def pipeline(self, engine: Any = None) -> Pipeline:
        unloads, warehouse = UnloadReader(self.engine, self.shop.files), self.warehouse(engine)
        return Pipeline(
            Commits(self.engine),
            FieldsAnywhere(ContactFields(self.engine), warehouse),
            SnapshotReader(self.engine),
            self.shop.files,
            slice_rows=self.shop.slice_rows,
            unloads=unloads,
            parquet=ParquetWriter(self.shop.folder, at_once=1),
            warehouse=warehouse,
        )

    def archive(self, wanted: ExportRequest, engine: Any = None) -> bytes:
        """The ZIP of an export out of the tables."""
        _, export, _, _ = self.shop.plan(wanted)
        pipeline = self.pipeline(engine)
        plan, parts = pipeline.plan(self.shop.account, export, Cancellation())
        export = replace(export, total=sum(part.rows for part in parts))
        done = [(part, self.shop.slice(pipeline, export, plan, part)) for part in parts]
        facts, manifest = pipeline.assemble(
            export, plan, done, attempt=1, cancellation=Cancellation()
        )
        self.snapshot = manifest.snapshot
        return b"".join(self.shop.files.read(facts.key))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, url: str) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("warehouse")
    shop = golden.golden_shop(folder)
    shop.account = replace(shop.account, language=Language.ES)
    shop.take(
        ImportKind.SEGMENTS,
        [
            {"segmentId": SEGMENT, "segmentName": "S", "contactId": f"c{number}"}
            for number in (1, 4, 6)
        ],
    )
    shop.files = open_files(str(folder / "files"))
    write_tables(shop, folder)
    engine = Engine(folder / "elsewhere", memory_limit="256MB", threads=1)
    yield Place(shop, engine, url, mapping(shop, folder, folder / "files"), folder)
    engine.close()
    shop.engine.close()


class Meddled:
    """An engine around whose unloads something happens; both hear the URL of the unload."""

    def __init__(
        self,
        engine: WarehouseEngine,
        *,
        before: Callable[[str], object] = lambda _: None,
        after: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._engine = engine
        self._before = before
        self._after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def unload(self, query: exp.Query, **options: Any) -> int:
        self._before(options["url"])
        written = self._engine.unload(query, **options)
        self._after(options["url"])
        return written


FILTERS: list[dict[str, Any]] = [
    {},
    {"activity_types": ("purchase", "cart-abandoned", "product-visited")},
    {"activity_types": ("search",), "segment_id": SEGMENT},
    {"segment_id": SEGMENT},
    {"from_date": datetime(2026, 3, 29, tzinfo=UTC), "to_date": datetime(2026, 12, 31, tzinfo=UTC)},
]
CHOSEN = Extras(columns=("email", "url", "searchText"), product_columns=("quantity", "productName"))
WANTED = [
    *(request(version=version) for version in Version),
    request(
        delimiter=Delimiter.SEMICOLON,
        date_format=DateFormat.LLL,
        filters=Filters(segment_id=SEGMENT),
        extras=Extras(columns=("_name", "shoeSize"), formula_guard=True),
    ),
    *(activities(version) for version in Version),
    *(activities(date_format=DateFormat.LL, filters=replace(EVER, **one)) for one in FILTERS),
    activities(extras=CHOSEN),
    activities(extras=replace(CHOSEN, format=FileFormat.PARQUET)),
    activities(extras=Extras(format=FileFormat.PARQUET)),
    request(version=Version.V6, extras=Extras(format=FileFormat.PARQUET)),
    request(extras=Extras(changed_since=0)),
]


@pytest.mark.parametrize("wanted", WANTED)
def test_the_archive_is_that_of_the_embedded_store(place: Place, wanted: ExportRequest) -> None:
    """Every version and every filter: the same rows, the same bytes."""
    assert place.archive(wanted) == place.shop.archive(wanted)


@pytest.mark.parametrize("url", ["chdb"], indirect=True)
def test_a_large_selection_is_unloaded_in_pieces(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ClickHouse writes pieces of the time, many of which are empty here; the bytes do not tell."""
    monkeypatch.setattr(clickhouse, "_PIECE_ROWS", 7)
    pieces: list[str] = []

    def look(url: str) -> None:
        pieces.extend(path.name for path in Path(url.removeprefix("file://")).rglob("*.parquet"))

    for wanted in (request(version=Version.V6), activities()):
        meddled = Meddled(connect(place.url), after=look)
        assert place.archive(wanted, meddled) == place.shop.archive(wanted)
    assert len(set(pieces)) > 3


def test_the_manifest_says_what_tables_without_versions_can_promise(place: Place) -> None:
    """Engine and tables are named, and that each was read as it was found."""
    place.archive(request())
    assert place.snapshot is not None
    told = place.snapshot.warehouse
    assert told is not None
    assert told.guarantee == "asFound"
    assert {table.role for table in told.tables} == {
        "contacts",
        "activities",
        "products",
        "members",
    }
    assert all(table.version is None for table in told.tables)


TEXTS = [
    HOSTILE,
    "",
    " ",
    "\n\r\t",
    "\\",
    "\\'",
    "''",
    '"',
    "`",
    "${x} {x} $1 ?",
    "ñ 日本 🎉",
    "%s --",
]


@pytest.mark.parametrize("text", TEXTS)
def test_hostile_texts_are_values_and_names_and_nothing_else(place: Place, text: str) -> None:
    """A literal comes back as it went in, also under a column of its own name."""
    engine = connect(place.url)
    name = exp.to_identifier(text.strip() or "x", quoted=True)
    inner = exp.select(exp.alias_(exp.Literal.string(text), name)).subquery("found")
    query = exp.select(exp.Column(this=name.copy())).from_(inner)
    assert engine.rows(query) == [(text,)]
    assert not place.warehouse(engine).segment_exists(place.shop.account.id, text)


def test_rows_that_are_lost_between_engine_and_files_end_the_export(place: Place) -> None:
    """A file of the unload is missing: the engine's count says so before a slice is rendered."""

    def lose(url: str) -> None:
        next(path for path in Path(url.removeprefix("file://")).rglob("*.parquet")).unlink()

    with pytest.raises(ExportFailed) as failed:
        place.archive(request(), Meddled(connect(place.url), after=lose))
    assert failed.value.cause is FailureCause.PARITY_BROKEN


def test_contacts_without_a_creation_instant_are_refused(place: Place) -> None:
    """They have no place in the file, and are not left out in silence."""
    place = altered(place, "contacts", 'SELECT * REPLACE (NULL::TIMESTAMP AS "the _createdAt")')
    with pytest.raises(ExportFailed) as failed:
        place.archive(request())
    assert failed.value.cause is FailureCause.WAREHOUSE_REFUSED


def altered(place: Place, table: str, select: str, **changes: Any) -> Place:
    """The place with another file in a table's stead: `select` stands before FROM the old one."""
    old, new = place.folder / f"{table}.parquet", place.folder / f"{table}-{new_id()}.parquet"
    query = select.replace("FROM old", f"FROM '{old}'") + f" FROM '{old}'"
    duckdb.execute(f"COPY ({query}) TO '{new}' (FORMAT parquet)")
    mapped = getattr(place.mapping, table).model_copy(update={"path": str(new), **changes})
    return replace(place, mapping=place.mapping.model_copy(update={table: mapped}))


def test_the_last_row_of_a_contact_by_commit_counts(place: Place) -> None:
    """Earlier rows, and contacts whose last row says that they are gone, are in no file."""
    with_history = altered(
        place,
        "contacts",
        "SELECT *, 2 AS changed, false AS gone FROM old UNION ALL"
        ' SELECT * REPLACE ("the _email" || \'x\' AS "the _email"), 1, true FROM old UNION ALL'
        ' SELECT * REPLACE (\'late\' || "the id" AS "the id"), 1, false FROM old UNION ALL'
        ' SELECT * REPLACE (\'late\' || "the id" AS "the id"), 3, true',
        commit_column="changed",
        deleted_column="gone",
    )
    for wanted in (request(version=Version.V6), activities()):
        assert with_history.archive(wanted) == place.shop.archive(wanted)


def test_an_account_sees_its_own_rows_only(place: Place) -> None:
    """Where tables have several accounts, a column says whose row it is."""
    shared, other = replace(place), new_id()
    for table in ("contacts", "activities", "products", "members"):
        shared = altered(
            shared,
            table,
            f"SELECT *, '{place.shop.account.id}' AS shop FROM old UNION ALL SELECT *, '{other}'",
            account_column="shop",
        )
    shared.mapping = WarehouseMapping.model_validate(
        shared.mapping.model_dump() | {"account": None}
    )
    for wanted in (request(filters=Filters(segment_id=SEGMENT)), activities()):
        assert shared.archive(wanted) == place.shop.archive(wanted)


@pytest.mark.parametrize("url", ["sail"], indirect=True)
def test_tables_with_versions_are_read_as_of_one(place: Place) -> None:
    """What is written to a Delta table after the plan's version is not in the file; the manifest
    names the version."""
    path, expected = place.folder / "delta-contacts", place.shop.archive(request())

    def append(_: str = "") -> None:
        """Somebody adds contacts as soon as the versions have been read."""
        with SparkEngine(place.url)._session("test") as session:
            contacts = session.read.parquet(f"{place.folder}/contacts.parquet")
            contacts.write.format("delta").mode("append").save(f"file://{path}")

    append()
    pinned = place.mapping.contacts.model_copy(update={"path": str(path), "format": "delta"})
    held = replace(place, mapping=place.mapping.model_copy(update={"contacts": pinned}))
    assert held.archive(request(), Meddled(connect(place.url), before=append)) == expected
    assert held.snapshot is not None
    assert held.snapshot.warehouse is not None
    [version] = [one.version for one in held.snapshot.warehouse.tables if one.role == "contacts"]
    assert version is not None
    assert held.archive(request()) != expected


def test_cancelling_stops_the_engine(place: Place) -> None:
    """The engine leaves off in the middle of its work; nothing of it is left to wait for."""
    engine = connect(place.url)
    source = (
        "range(1000000000000)"
        if engine.dialect.name == "spark"
        else ("(SELECT number AS id FROM numbers(1000000000000))")
    )
    endless = sqlglot.parse_one(
        f"SELECT count(*) AS n FROM {source} AS t WHERE id * id % 7 = 3 ORDER BY n",
        dialect=engine.dialect.name,
    )
    assert isinstance(endless, exp.Query)
    cancellation = Cancellation()
    busy = psutil.Process().cpu_times().user

    def stop_at_work() -> None:
        _until(lambda: psutil.Process().cpu_times().user > busy + 0.3)
        cancellation.cancel()

    stopper = threading.Thread(target=stop_at_work)
    stopper.start()
    with pytest.raises(Cancelled):
        engine.unload(
            endless,
            url=f"file://{place.folder}/never",
            partition_by=None,
            cancellation=cancellation,
            progress=lambda *_: None,
        )
    stopper.join()

    def at_rest() -> bool:
        before = psutil.Process().cpu_times().user
        time.sleep(0.2)
        return psutil.Process().cpu_times().user - before < 0.1

    _until(at_rest)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_worker_tries_again_and_leaves_no_unload(
    place: Place, database: Database, tmp_path: Path
) -> None:
    """The engine fails once, after it has written; the export is finished from a new unload, has
    the right bytes, and only its archive is left."""
    faults = iter([True])

    def fail(_: str) -> None:
        if next(faults, False):
            raise WarehouseUnavailable("gone")

    files = place.shop.files = open_files(str(tmp_path / "files"))
    there = replace(
        place, mapping=place.mapping.model_copy(update={"folder": f"file://{tmp_path}/files"})
    )
    accounts, exports = Accounts(database), catalog_exports.Exports(database)
    account = accounts.create(
        "A shop", timezone="Europe/Madrid", language=Language.ES, mobile_push=True
    )
    there.mapping = there.mapping.model_copy(update={"account": account.id})
    leases = Leases(database, lease_s=30, fault_limit=3)
    cleaning = Cleaning(NeededFiles(database), files)
    work = ExportWork(
        leases,
        accounts,
        Slices(database),
        there.pipeline(Meddled(connect(place.url), after=fail)),
        cleaning,
        takeover_limit=10,
        stall_s=300,
        wake=lambda: None,
    )
    made = exports.create(account.id, activities(), origin=Origin.API, queue_limit=5)

    def ended() -> bool:
        work.do_one("me")
        # A start of the server removes only what nobody needs.
        cleaning.at_start()
        return exports.get(account.id, made.id).finished_at is not None

    _until(ended)
    export = exports.get(account.id, made.id)
    assert export.status is ExportStatus.FINISHED
    assert next(faults, None) is None, "the engine did fail"
    assert export.archive is not None
    assert list(files.keys("")) == [export.archive.key]
    archive = members(b"".join(files.read(export.archive.key)))
    assert archive == place.shop.export(activities())
