"""Exports as Parquet: read by other programs, held against the plain CSV value for value."""

import io
import json
import re
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import httpx
import polars
import pyarrow.parquet
import pytest

from outhaul.archive.manifest import Manifest, read_manifest
from outhaul.archive.verify import verify
from outhaul.client import read_arrow, read_pandas, read_polars
from outhaul.domain.cancellation import Cancellation, Cancelled
from outhaul.domain.errors import ExportFailed, FailureCause
from outhaul.domain.export import Delimiter, ExportRequest, FieldType, Filters, Version
from outhaul.domain.extras import Extras, FileFormat
from outhaul.domain.imports import ImportKind
from outhaul.render.line import values_in
from outhaul.store.engine import Engine
from outhaul.store.erasure import erase
from tests.api_client import Client
from tests.api_server import serving
from tests.golden import golden_shop
from tests.integration.test_export_files import fill
from tests.pipeline_shop import EVER, PipelineShop, activities, members, request

PARQUET = Extras(format=FileFormat.PARQUET)
STEM = "export-{}-00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipelineShop]:
    """Every type of activity, every type of value, and none at all."""
    made = golden_shop(tmp_path_factory.mktemp("parquet"))
    yield made
    made.engine.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[PipelineShop]:
    made = PipelineShop(tmp_path)
    yield made
    made.engine.close()


def made(
    shop: PipelineShop, wanted: ExportRequest, *, slice_rows: int | None = None
) -> tuple[bytes, Manifest]:
    """The file to download and its manifest."""
    pipeline, export, plan, parts = shop.plan(wanted, slice_rows=slice_rows)
    done = [(part, shop.slice(pipeline, export, plan, part)) for part in parts]
    archive, manifest = pipeline.assemble(
        export, plan, done, attempt=1, cancellation=Cancellation()
    )
    return b"".join(shop.files.read(archive.key)), manifest


def data_sets(archive: bytes) -> dict[str, Any]:
    """The tables in a ZIP, by folder, as Arrow reads them; all files of one have one schema."""
    found: dict[str, Any] = {}
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        for name in opened.namelist():
            folder, _, part = name.partition("/")
            tables = found.setdefault(folder, [])
            assert part == f"part-{len(tables):05}.parquet"
            tables.append(pyarrow.parquet.read_table(io.BytesIO(opened.read(name))))
    for tables in found.values():
        assert {str(table.schema) for table in tables} == {str(tables[0].schema)}
    return {folder: pyarrow.concat_tables(tables) for folder, tables in found.items()}


def as_value(text: str | None, type_: FieldType) -> Any:
    """What a value of the CSV is in Parquet."""
    if text is None:
        return None
    match type_:
        case FieldType.INTEGER:
            return int(text)
        case FieldType.DECIMAL | FieldType.MONEY:
            return Decimal(text)
        case FieldType.BOOLEAN:
            return text == "true"
        case FieldType.CHECKBOX:
            return text.split("|") if text else []
        case FieldType.DATE:
            return date.fromisoformat(text)
        case FieldType.INSTANT:
            return datetime.fromisoformat(text)
        case _:
            return text


ARROW_TYPES = {
    FieldType.INTEGER: "int64",
    FieldType.DECIMAL: "decimal128(18, 6)",
    FieldType.MONEY: "decimal128(18, 6)",
    FieldType.BOOLEAN: "bool",
    FieldType.CHECKBOX: "list<element: string>",
    FieldType.DATE: "date32[day]",
    FieldType.INSTANT: "timestamp[us, tz=UTC]",
}

CHOSEN = Extras(columns=("url", "formerField", "email"), product_columns=("price", "activityId"))


@pytest.mark.parametrize(
    "wanted",
    [
        request(version=Version.V6),
        request(version=Version.V1),
        request(extras=Extras(changed_since=0, columns=("_points", "likes", "id"))),
        activities(Version.V6),
        activities(Version.V1, filters=replace(EVER, activity_types=("search", "purchase"))),
        activities(extras=CHOSEN),
    ],
)
def test_every_value_is_that_of_the_csv_with_its_type(
    golden: PipelineShop, wanted: ExportRequest
) -> None:
    """By column id, in the columns' order and the rows'; missing ones are null, empty texts and
    empty lists are not; a column that no row fills has its type too."""
    _, plain = made(golden, wanted)
    texts = golden.export(wanted)
    typed = replace(wanted, extras=replace(wanted.extras, format=FileFormat.PARQUET))
    archive, _ = made(golden, typed, slice_rows=5)
    tables = list(data_sets(archive).values())
    for member, text, table in zip(plain.members, texts, tables, strict=True):
        columns = member.columns or ()
        types = [FieldType(column.type) for column in columns]
        assert table.schema.names == [column.id for column in columns]
        assert [str(type_) for type_ in table.schema.types] == [
            ARROW_TYPES.get(type_, "string") for type_ in types
        ]
        values = list(values_in(text.decode(), Delimiter.COMMA))
        rows = [values[at : at + len(columns)] for at in range(0, len(values), len(columns))][1:]
        expected = [
            [as_value(value, type_) for value, type_ in zip(row, types, strict=True)]
            for row in rows
        ]
        assert [list(row.values()) for row in table.to_pylist()] == expected
        assert len(expected) == member.rows


def test_a_data_set_is_a_folder_of_files(golden: PipelineShop, tmp_path: Path) -> None:
    """Unpacked, DuckDB and Polars read it by its folder; the slices are its files."""
    archive, manifest = made(golden, activities(extras=PARQUET), slice_rows=10)
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        opened.extractall(tmp_path)
    stem = STEM.format("activities")
    assert sorted(path.name for path in tmp_path.glob("export-*")) == [stem, f"{stem}-product"]
    rows = [member.rows for member in manifest.members]
    assert len(rows) > 2
    [(count, files)] = duckdb.execute(
        "SELECT count(*), count(DISTINCT filename) FROM read_parquet(?, filename = true)",
        [str(tmp_path / stem / "*.parquet")],
    ).fetchall()
    lines = polars.read_parquet(tmp_path / f"{stem}-product")
    assert (count + lines.height, files) == (manifest.rows, len(rows) - 1)
    for member in manifest.members:
        [part] = member.slices
        assert (part.rows, part.bytes, part.crc32) == (member.rows, member.bytes, member.crc32)
        assert member.header.bytes == 0
    # Columns stand once for each data set, however many files it has.
    assert [member.columns is not None for member in manifest.members] == [
        member.name.endswith("part-00000.parquet") for member in manifest.members
    ]


def test_an_export_without_rows_has_one_file_for_each_table(
    shop: PipelineShop, tmp_path: Path
) -> None:
    """With all columns and their types, as when there are rows; and it can be verified."""
    wanted = activities(extras=PARQUET)
    archive, manifest = made(shop, wanted)
    empty = data_sets(archive)
    assert [table.num_rows for table in empty.values()] == [0, 0]
    path = tmp_path / "empty.zip"
    path.write_bytes(archive)
    assert verify(path, manifest).differences == ()
    assert verify(path, None).members == tuple((one.name, 0) for one in manifest.members)
    fill(shop, 20)
    full = data_sets(made(shop, wanted)[0])
    assert {name: str(table.schema) for name, table in full.items()} == {
        name: str(table.schema) for name, table in empty.items()
    }
    assert manifest.members[0].columns_sha256 == made(shop, wanted)[1].members[0].columns_sha256


def test_erased_contacts_are_a_data_set_of_their_own(shop: PipelineShop) -> None:
    """Id and instant of those that are no more."""
    shop.take(ImportKind.CONTACTS, ({"id": f"c{n}"} for n in range(4)))
    with shop.commits.open(shop.account.id, source="test") as commit:
        erase(commit, "c2")
    archive, _ = made(shop, request(extras=replace(PARQUET, changed_since=1)))
    tables = data_sets(archive)
    assert list(tables) == [STEM.format("contacts"), STEM.format("contacts") + "-erased"]
    [erased] = tables[STEM.format("contacts") + "-erased"].to_pylist()
    assert erased["id"] == "c2"
    assert erased["erasedAt"].tzinfo is not None


def test_hostile_texts_and_names_are_values_and_names(shop: PipelineShop) -> None:
    """Whatever a text holds, it comes back; ids that differ in case only stay apart, as engines
    take them for one."""
    texts = [
        '"',
        "'; DROP TABLE x",
        "a|b",
        "\\",
        "\x01\x7f\u2028",
        "日本 🎉",
        "[1, 2]",
        "NULL",
        "{'a': 1}",
        "\n",
    ]
    shop.take(
        ImportKind.CONTACTS,
        (
            {"id": f"c{n}", "_name": text, "size": text, "Size": f"n{n}", "SIZE_1": text * 2}
            for n, text in enumerate(texts)
        ),
    )
    ids = ("id", "_name", "size", "Size", "SIZE_1")
    archive, manifest = made(shop, request(extras=replace(PARQUET, columns=ids)))
    [table] = data_sets(archive).values()
    assert table.schema.names == ["id", "_name", "size", "Size_1", "SIZE_1_1"]
    found = {row["id"]: row for row in table.to_pylist()}
    for n, text in enumerate(texts):
        row = found[f"c{n}"]
        assert [row["_name"], row["size"], row["Size_1"], row["SIZE_1_1"]] == [
            text, text, f"n{n}", text * 2,
        ]  # fmt: skip
    path = shop.folder / "hostile.zip"
    path.write_bytes(archive)
    assert verify(path, manifest).differences == ()


def test_the_bytes_are_the_same_with_one_thread_and_with_two_and_from_an_unload(
    tmp_path: Path,
) -> None:
    """Slices of several row groups and types, rendered again by other engines."""
    shop = PipelineShop(tmp_path, slice_rows=60_000, threads=2)
    fill(shop, 60_000)
    wanted = activities(extras=PARQUET)
    once, manifest = made(shop, wanted)
    with zipfile.ZipFile(io.BytesIO(once)) as opened:
        first = pyarrow.parquet.ParquetFile(io.BytesIO(opened.read(opened.namelist()[0])))
    groups = [first.metadata.row_group(n).num_rows for n in range(first.num_row_groups)]
    assert len(groups) > 2
    assert len(set(groups[:-1])) == 1
    assert manifest.rows >= 60_000
    pipeline, export, plan, parts = shop.plan(wanted, unloaded=True)
    done = [(part, shop.slice(pipeline, export, plan, part)) for part in parts]
    facts, _ = pipeline.assemble(export, plan, done, attempt=1, cancellation=Cancellation())
    assert b"".join(shop.files.read(facts.key)) == once
    shop.engine.close()
    shop.engine = Engine(tmp_path / "store", memory_limit="256MB", threads=1)
    shop.commits, shop.fields = type(shop.commits)(shop.engine), type(shop.fields)(shop.engine)
    again, _ = made(shop, wanted)
    shop.engine.close()
    assert again == once


class StopsAt(Cancellation):
    """Is cancelled by another thread once so many engines work."""

    def __init__(self, engines: int) -> None:
        super().__init__()
        self._left = engines

    @contextmanager
    def interrupting(self, interrupt: Any, progress: Any = None) -> Iterator[None]:
        with super().interrupting(interrupt, progress):
            self._left -= 1
            if self._left:
                yield
                return
            other = threading.Thread(target=self.cancel)
            other.start()
            yield
            other.join()


def test_a_stopped_or_failed_slice_leaves_no_temporary_file(shop: PipelineShop) -> None:
    """Cancelled while rows are looked for or written, or with other rows than planned."""
    fill(shop, 3000)
    pipeline, export, plan, parts = shop.plan(activities(extras=PARQUET))
    before = sorted(shop.folder.iterdir())
    for stop in (StopsAt(1), StopsAt(2)):
        with pytest.raises(Cancelled):
            list(pipeline.batches(export, plan, parts[0], stop))
        assert sorted(shop.folder.iterdir()) == before
    wrong = replace(parts[0], rows=parts[0].rows + 1)
    with pytest.raises(ExportFailed) as failed:
        shop.slice(pipeline, export, plan, wrong)
    assert failed.value.cause is FailureCause.PARITY_BROKEN
    assert sorted(shop.folder.iterdir()) == before


def rewritten(archive: bytes, change: dict[str, bytes | None]) -> bytes:
    """The same ZIP with other files under some names, or without them; every checksum fits."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as opened,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as written,
    ):
        for name in opened.namelist():
            data = change.get(name, opened.read(name))
            if data is not None:
                written.writestr(name, data)
    return target.getvalue()


def test_verify_finds_what_is_missing_replaced_or_altered(
    shop: PipelineShop, tmp_path: Path
) -> None:
    """And says of which file; damaged values are found without a manifest too, even where every
    checksum of the ZIP fits."""
    fill(shop, 2000)
    archive, manifest = made(shop, activities(extras=PARQUET), slice_rows=300)
    path = tmp_path / manifest.archive.file_name
    path.write_bytes(archive)
    whole = verify(path, manifest)
    assert whole.differences == ()
    assert whole.members == tuple((member.name, member.rows) for member in manifest.members)
    stem = STEM.format("activities")
    files = [rows for name, rows in whole.members if name.startswith(f"{stem}/")]
    assert whole.rows[0] == f"{stem}: {sum(files):,} rows in {len(files)} files"
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        first, second, *_ = opened.namelist()
        parts = {name: opened.read(name) for name in opened.namelist()}

    def differences(data: bytes, proof: Manifest | None) -> list[str]:
        path.write_bytes(data)
        return list(verify(path, proof).differences)

    for place in range(4, len(archive), len(archive) // 9):
        flipped = archive[:place] + bytes([archive[place] ^ 0x10]) + archive[place + 1 :]
        assert differences(flipped, manifest)
    assert f"archive: {second} is missing" in differences(
        rewritten(archive, {second: None}), manifest
    )
    swapped = differences(rewritten(archive, {first: parts[second]}), manifest)
    rows = [member.rows for member in manifest.members]
    assert any(one.startswith(f"{first}: CRC-32") for one in swapped)
    assert (f"{first}: rows: {rows[1]} instead of {rows[0]}" in swapped) == (rows[0] != rows[1])
    other = tmp_path / "other.parquet"
    duckdb.execute(
        f"COPY (SELECT * REPLACE (CAST(email AS BLOB) AS email) FROM $name)"
        f" TO '{other}' (FORMAT parquet)".replace("$name", f"'{extracted(tmp_path, parts[first])}'")
    )
    typed = differences(rewritten(archive, {first: other.read_bytes()}), manifest)
    assert f"{first}: column 3: email BLOB instead of email VARCHAR" in typed
    # Pages are gone within a ZIP that is whole; the footer still tells of all rows.
    page = bytearray(parts[first])
    page[4 : len(page) // 2] = bytes(len(page) // 2 - 4)
    for damaged in (bytes(page), parts[first][:-9], b"", b"PAR1"):
        told = differences(rewritten(archive, {first: damaged}), None)
        assert [one.partition(":")[0] for one in told] == [first]
        assert re.search("no whole Parquet file", told[0])


def extracted(folder: Path, data: bytes) -> Path:
    path = folder / "part.parquet"
    path.write_bytes(data)
    return path


def test_readers_of_the_client_take_the_types(shop: PipelineShop, tmp_path: Path) -> None:
    """All files of a data set are one table, with numbers and instants where CSV has texts."""
    shop.take(
        ImportKind.ACTIVITIES,
        (
            {
                "id": f"a{n:02}",
                "type": "purchase",
                "createdAt": f"2026-03-{1 + n:02}",
                "email": "a@example.com",
                "totalPrice": n + 0.5,
                "products": [{"productId": "x", "quantity": n}],
            }
            for n in range(20)
        ),
    )
    path = tmp_path / "a.zip"
    path.write_bytes(made(shop, activities(extras=PARQUET), slice_rows=3)[0])
    frame = read_polars(path)
    assert frame["activityId"].to_list() == [f"a{n:02}" for n in range(20)]
    assert frame["totalPrice"].to_list() == [Decimal(n) + Decimal("0.5") for n in range(20)]
    assert frame["creationDate"][3] == datetime(2026, 3, 4, tzinfo=UTC)
    assert read_arrow(path, product_lines=True)["quantity"].to_pylist() == list(range(20))
    assert read_pandas(path)["creationDate"].dt.day.tolist() == list(range(1, 21))
    path.write_bytes(made(shop, request(extras=PARQUET))[0])
    assert read_polars(path)["_email"].to_list() == ["a@example.com"]
    with pytest.raises(ValueError, match="no product lines"):
        read_arrow(path, product_lines=True)


CONTACTS = {"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO", "format": "parquet"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("api") / "data"
    with serving(folder, rate_limit=1_000_000, slice_rows=1000) as address:
        made = Client(address)
        rows = [
            {
                "id": f"a{n:05}",
                "type": "search" if n % 3 else "purchase",
                "createdAt": f"2026-03-{1 + n * 30 // 9000:02}T{n % 24:02}:00:00Z",
                "email": f"u{n % 50}@example.com",
                **({"searchText": f"text {n * 7919}"} if n % 3 else {"totalPrice": n}),
            }
            for n in range(9000)
        ]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        headers = {"Content-Type": "application/x-ndjson"}
        made.done("POST", "/activities", 200, content=text, headers=headers)
        yield made


@pytest.mark.parametrize(
    ("wrong", "path", "part"),
    [
        ({"compression": "gzip"}, "/compression", "must be zip"),
        ({"compression": "zstd"}, "/compression", "compressed already"),
        ({"dateFormat": "LLL"}, "/dateFormat", "must be ISO"),
        ({"bom": True}, "/bom", "only for the format csv"),
        ({"formulaGuard": True}, "/formulaGuard", "only for the format csv"),
    ],
)
def test_what_parquet_cannot_have_is_refused(
    client: Client, wrong: dict[str, Any], path: str, part: str
) -> None:
    """One fault, at its own path, for a create and for an estimate; what says nothing passes."""
    for call in ("/exports/", "/exports/estimate"):
        faults = client.faults("POST", call, json=CONTACTS | wrong)
        assert list(faults) == [path]
        assert part in faults[path]
    said = CONTACTS | {"compression": "zip", "bom": False, "formulaGuard": False, "delimiter": ";"}
    client.done("POST", "/exports/estimate", 200, json=said)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {
            "exportType": "activities",
            "filters": {"fromDate": "2026-03-01", "toDate": "2026-03-31"},
        },
    ],
)
def test_an_export_over_http_is_as_it_was_estimated(
    client: Client, tmp_path: Path, more: dict[str, Any]
) -> None:
    """Rows exactly, bytes about; the sample is that of JSON Lines; the manifest proves the file."""
    body = CONTACTS | more
    told = client.done("POST", "/exports/estimate", 200, json=body)
    export = client.export(**body)
    assert export["format"] == "parquet"
    assert export["fileExtension"] == "zip"
    manifest = client.ask("GET", f"/exports/{export['id']}/manifest")
    proof = read_manifest(manifest.content)
    path = tmp_path / export["fileName"]
    path.write_bytes(httpx.get(export["fileUrl"], timeout=30).content)
    assert verify(path, proof).differences == ()
    assert proof.extras is not None
    assert proof.extras.format == "parquet"
    assert "duckdb" in proof.compressor.name
    assert told["rows"] == export["total"] == proof.rows
    assert told["bytes"] == pytest.approx(sum(one.bytes for one in proof.members), rel=0.2)
    assert told["compressedBytes"] == pytest.approx(proof.archive.bytes, rel=0.25)
    samples = client.done("POST", "/exports/estimate", 200, json=body | {"format": "jsonl"})
    assert [one["sample"] for one in told["members"]] == [
        one["sample"] for one in samples["members"]
    ]


def test_seconds_are_learned_from_exports_of_the_same_kind(client: Client) -> None:
    """Text tells nothing of Parquet, whose bytes take longer, nor the other way round."""

    def learned(file_format: str) -> int:
        body = CONTACTS | {"format": file_format}
        return int(client.done("POST", "/exports/estimate", 200, json=body)["learnedFrom"])

    before = {one: learned(one) for one in ("csv", "jsonl", "parquet")}
    client.export(format="parquet")
    client.export(format="jsonl")
    client.export()
    assert {one: learned(one) - before[one] for one in before} == {
        "csv": 2, "jsonl": 2, "parquet": 1,
    }  # fmt: skip


def test_a_segment_is_exported_as_parquet_too(golden: PipelineShop) -> None:
    """Members are asked for once for all tables; their rows are those of the CSV."""
    segment = "5f0a1b2c3d4e5f6071829304"
    golden.take(
        ImportKind.SEGMENTS,
        [{"segmentId": segment, "segmentName": "S", "contactId": f"c{n}"} for n in (1, 4, 6)],
    )
    filters = replace(EVER, segment_id=segment)
    [table, _] = data_sets(made(golden, activities(filters=filters, extras=PARQUET))[0]).values()
    plain = members(golden.archive(activities(filters=filters)))[0]
    rows = list(values_in(plain.decode(), Delimiter.COMMA))
    width = len(table.schema.names)
    assert table["activityId"].to_pylist() == rows[4::width][1:]
    assert table.num_rows > 0
    only = request(filters=Filters(segment_id=segment), extras=PARQUET)
    assert [one.num_rows for one in data_sets(made(golden, only)[0]).values()] == [3]
