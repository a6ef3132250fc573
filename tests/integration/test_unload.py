"""Exports rendered from unloads of a snapshot, in processes that do not have the store."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from outhaul.catalog.database import Database
from outhaul.domain.account import Language
from outhaul.domain.cancellation import Cancellation, Cancelled
from outhaul.domain.errors import FileMissing
from outhaul.domain.export import (
    DateFormat,
    Delimiter,
    Export,
    ExportRequest,
    Filters,
    SlicePlan,
    Version,
)
from outhaul.domain.extras import Compression, Extras, FileFormat
from outhaul.domain.imports import ImportKind
from outhaul.domain.plan import ExportPlan
from outhaul.files.object_store import Files
from outhaul.pipeline.pipeline import Pipeline
from outhaul.store.commits import Commits
from outhaul.store.contact_fields import ContactFields
from outhaul.store.engine import Engine
from outhaul.store.erasure import erase
from outhaul.store.parquet import ParquetWriter
from outhaul.store.reader import SnapshotReader
from outhaul.unload import store_unload
from outhaul.unload.index import UnloadIndex, write_index
from outhaul.unload.reader import UnloadReader
from tests import golden
from tests.integration.test_export_files import fill
from tests.modelled_shop import ModelledShop, NewActivity, open_engine
from tests.pipeline_shop import EVER, PipelineShop, activities, members, request

SEGMENT = "5f0a1b2c3d4e5f6071829304"
Planned = tuple[Pipeline, Export, ExportPlan, tuple[SlicePlan, ...]]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[PipelineShop]:
    made = PipelineShop(tmp_path)
    yield made
    made.engine.close()


@pytest.fixture(scope="module")
def golden_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipelineShop]:
    made = golden.golden_shop(tmp_path_factory.mktemp("golden"))
    made.take(
        ImportKind.SEGMENTS,
        [
            {"segmentId": SEGMENT, "segmentName": "S", "contactId": f"c{number}"}
            for number in (1, 4, 6)
        ],
    )
    yield made
    made.engine.close()


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The engine of a worker that has no store."""
    engine = Engine(tmp_path_factory.mktemp("elsewhere"), memory_limit="256MB", threads=1)
    yield engine
    engine.close()


def rendered(shop: PipelineShop, planned: Planned, engine: Engine | None = None) -> bytes:
    """The archive; by a worker with that engine and the files alone, if one is given."""
    pipeline, export, plan, parts = planned
    if engine is not None:
        pipeline = Pipeline(
            Commits(engine),
            ContactFields(engine),
            SnapshotReader(engine),
            shop.files,
            slice_rows=1,
            unloads=UnloadReader(engine, shop.files),
            parquet=ParquetWriter(shop.folder, at_once=1),
        )
    done = [(part, shop.slice(pipeline, export, plan, part)) for part in parts]
    facts, _ = pipeline.assemble(export, plan, done, attempt=1, cancellation=Cancellation())
    return b"".join(shop.files.read(facts.key))


def wanted() -> list[ExportRequest]:
    filters: list[dict[str, Any]] = [
        {},
        {"activity_types": ("purchase", "cart-abandoned", "product-visited")},
        {"activity_types": ("search",), "segment_id": SEGMENT},
        {"segment_id": SEGMENT},
    ]
    return [
        *(request(version=version) for version in Version),
        request(
            delimiter=Delimiter.SEMICOLON,
            date_format=DateFormat.LLL,
            filters=Filters(segment_id=SEGMENT),
        ),
        *(activities(version) for version in Version),
        request(extras=Extras(columns=("_points",), changed_since=1, formula_guard=True)),
        activities(extras=Extras(columns=("url", "formerField"), product_columns=("price",))),
        activities(extras=Extras(format=FileFormat.JSONL, compression=Compression.ZSTD)),
        activities(extras=Extras(format=FileFormat.PARQUET)),
        request(version=Version.V6, extras=Extras(format=FileFormat.PARQUET, changed_since=1)),
        *(
            activities(date_format=DateFormat.LL, filters=replace(EVER, **changes))
            for changes in filters
        ),
        *(report for _, report in golden.report_cases()),
        request(extras=Extras(columns=("_name", "_email"))),
        request(extras=Extras(changed_since=1)),
        activities(extras=Extras(columns=("email", "url"), product_columns=("quantity",))),
    ]


@pytest.mark.parametrize("one", wanted())
def test_an_unload_gives_the_archive_of_the_store(
    golden_shop: PipelineShop, elsewhere: Engine, one: ExportRequest
) -> None:
    """Every version and filter, rendered where nothing but the files can be reached."""
    golden_shop.account = replace(golden_shop.account, language=Language.ES)
    from_store = rendered(golden_shop, golden_shop.plan(one))
    assert rendered(golden_shop, golden_shop.plan(one, unloaded=True), elsewhere) == from_store


def test_erased_contacts_are_unloaded_too(shop: PipelineShop, elsewhere: Engine) -> None:
    """The file of those that are no more comes out the same."""
    shop.take(ImportKind.CONTACTS, ({"id": f"c{n}"} for n in range(9)))
    for gone in ("c3", "c5"):
        with shop.commits.open(shop.account.id, source="test") as commit:
            erase(commit, gone)
    changes = request(extras=Extras(changed_since=1))
    from_store = rendered(shop, shop.plan(changes))
    assert [text.count(b"\n") for text in members(from_store)] == [1, 3]
    assert rendered(shop, shop.plan(changes, unloaded=True), elsewhere) == from_store


@pytest.mark.parametrize("slice_rows", [300, 7000])
def test_the_archive_does_not_depend_on_how_the_rows_are_cut(
    shop: PipelineShop, elsewhere: Engine, slice_rows: int
) -> None:
    """Slices end at different rows, many of which share an instant; some are unloaded and some
    are not."""
    fill(shop, 5000)
    from_store = rendered(shop, shop.plan(activities(), slice_rows=slice_rows))
    planned = shop.plan(activities(), slice_rows=slice_rows, unloaded=True)
    assert rendered(shop, planned, elsewhere) == from_store
    mixed = tuple(
        part if number % 2 else replace(part, unload=None) for number, part in enumerate(planned[3])
    )
    assert rendered(shop, (*planned[:3], mixed)) == from_store


def test_an_unload_stays_as_of_its_snapshot(shop: PipelineShop) -> None:
    """What is committed after it does not reach it, and its slices come out the same again."""
    fill(shop, 100)
    before = rendered(shop, shop.plan(activities()))
    planned = shop.plan(activities(), unloaded=True)
    shop.take(
        ImportKind.ACTIVITIES,
        [
            {
                "id": "later",
                "type": "login",
                "createdAt": "2026-03-01T00:00:00.000Z",
                "email": "u1@example.com",
            }
        ],
    )
    assert rendered(shop, planned) == rendered(shop, planned) == before
    assert rendered(shop, shop.plan(activities())) != before


def test_an_export_without_rows_needs_no_unload(shop: PipelineShop, elsewhere: Engine) -> None:
    """Its archive is headers alone, as from the store."""
    from_store = rendered(shop, shop.plan(activities()))
    planned = shop.plan(activities(), unloaded=True)
    assert planned[3] == ()
    assert rendered(shop, planned, elsewhere) == from_store


@pytest.mark.parametrize("file_format", FileFormat)
def test_a_lost_file_is_a_fault_of_the_storage(shop: PipelineShop, file_format: FileFormat) -> None:
    """The export can be done again later; no archive lacks the file's rows."""
    fill(shop, 100)
    planned = shop.plan(activities(extras=Extras(format=file_format)), unloaded=True)
    lost = next(key for key in shop.files.keys("exports") if key.endswith(".arrows.gz"))
    shop.files.delete([lost])
    with pytest.raises(FileMissing):
        rendered(shop, planned)


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_a_cut_file_gives_no_slice(shop: PipelineShop, kept: float) -> None:
    """Rows that are missing, or cannot be read, are never taken for the end."""
    fill(shop, 2000)
    pipeline, export, plan, (part, *_) = shop.plan(activities(), unloaded=True)
    assert part.unload is not None
    for key in list(shop.files.keys(part.unload)):
        if key.endswith(".arrows.gz"):
            whole = b"".join(shop.files.read(key))
            shop.files.write(key, [whole[: int(len(whole) * kept)]])
    slices = set(shop.files.keys("exports"))
    with pytest.raises((duckdb.Error, RuntimeError)):
        shop.slice(pipeline, export, plan, part)
    assert set(shop.files.keys("exports")) == slices


def test_a_worker_asks_once_for_the_length_of_a_file(
    shop: PipelineShop, elsewhere: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often the engine looks at it: over a network every question costs a way there and
    back, and in a bucket a request."""
    fill(shop, 1000)
    planned = shop.plan(activities(), slice_rows=100, unloaded=True)
    asked: list[str] = []
    size = Files.size

    def counted(files: Files, key: str) -> int:
        asked.append(key)
        return size(files, key)

    monkeypatch.setattr(Files, "size", counted)
    rendered(shop, planned, elsewhere)
    unloaded = [key for key in asked if key.endswith(".arrows.gz")]
    assert len(planned[3]) > 5
    assert 0 < len(unloaded) == len(set(unloaded))


def test_half_an_unload_is_none(shop: PipelineShop) -> None:
    """An unload that was interrupted has no index and cannot be read."""
    fill(shop, 100)
    pipeline, export, plan, (part, *_) = shop.plan(activities(), unloaded=True)
    stop = Cancellation()
    stop.cancel()
    with pytest.raises(Cancelled):
        pipeline.unload(export, plan, part, attempt=2, cancellation=stop)
    assert part.unload is not None
    shop.files.delete([f"{part.unload}/index.json"])
    with pytest.raises(FileMissing):
        shop.slice(pipeline, export, plan, part)


@pytest.fixture
def modelled(tmp_path: Path, database: Database) -> Iterator[ModelledShop]:
    """A shop with activities for three slices, whose exports are unloaded and done step by step."""
    engine = open_engine(tmp_path)
    made = ModelledShop(tmp_path, engine, database, unloading=True)
    made.add_activities(
        [
            NewActivity(
                id=f"a{number}",
                type="login",
                created=datetime(2026, 3, 1, tzinfo=UTC),
                email="ann@shop.example",
                contact_id=None,
                lines=(),
            )
            for number in range(9)
        ]
    )
    yield made
    engine.close()


def unloads(shop: ModelledShop) -> list[str]:
    return [key for key in shop.files.keys("exports") if "/unload-" in key]


def test_a_restart_keeps_the_unloads_that_are_needed(modelled: ModelledShop) -> None:
    """What no unfinished export reads goes; the export ends and takes its own unload along."""
    modelled.create(activities())
    for _ in ("plan", "unload", "unload"):
        modelled.step()
    needed = unloads(modelled)
    assert len(needed) == 2 * len(["index", "rows"])
    modelled.files.write(needed[0].replace("unload-", "unload-0"), [b"of a plan that was lost"])
    modelled.cleaning.at_start()
    assert unloads(modelled) == needed
    modelled.finish()
    assert modelled.checked
    assert unloads(modelled) == []


def test_an_export_deleted_while_it_is_unloaded_leaves_nothing(
    modelled: ModelledShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unload came after the deletion, and goes too."""

    def delete_and_write(files: Files, folder: str, index: UnloadIndex) -> None:
        [export_id] = modelled.created
        modelled.exports.delete(modelled.account.id, export_id)
        write_index(files, folder, index)

    monkeypatch.setattr(store_unload, "write_index", delete_and_write)
    modelled.create(activities())
    for _ in ("plan", "unload"):
        assert modelled.work.do_one("me")
    assert list(modelled.files.keys("")) == []
