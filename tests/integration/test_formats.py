"""Files in other formats and compressions: read by other programs, held against the plain CSV."""

import gzip
import io
import json
import tarfile
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard

from outhaul.archive.manifest import Manifest, read_manifest
from outhaul.archive.verify import verify
from outhaul.domain.cancellation import Cancellation
from outhaul.domain.export import (
    DateFormat,
    Delimiter,
    ExportRequest,
    ExportType,
    FieldType,
    Version,
)
from outhaul.domain.extras import Compression, Extras, FileFormat
from outhaul.domain.imports import ImportKind
from outhaul.domain.members import file_extension
from outhaul.render.line import values_in
from outhaul.store.engine import Engine
from tests.api_client import Client
from tests.api_server import serving
from tests.golden import golden_shop
from tests.pipeline_shop import PipelineShop, activities, request

JSONL = Extras(format=FileFormat.JSONL)
STREAMS = (Compression.GZIP, Compression.ZSTD)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipelineShop]:
    """The golden shop: every type of activity, every type of value, and none at all."""
    made = golden_shop(tmp_path_factory.mktemp("formats"))
    yield made
    made.engine.close()


def made(shop: PipelineShop, wanted: ExportRequest, *, attempt: int = 1) -> tuple[bytes, Manifest]:
    """The file to download and its manifest."""
    slice_rows = 5 if wanted.export_type is ExportType.CONTACTS else 40
    pipeline, export, plan, parts = shop.plan(wanted, slice_rows=slice_rows)
    assert len(parts) > 1
    done = [(part, shop.slice(pipeline, export, plan, part)) for part in parts]
    archive, manifest = pipeline.assemble(
        export, plan, done, attempt=attempt, cancellation=Cancellation()
    )
    return b"".join(shop.files.read(archive.key)), manifest


def unpacked(data: bytes, compression: Compression, *, several: bool) -> list[bytes]:
    """The files in it, by programs that know nothing of ours."""
    if compression is Compression.ZIP:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [archive.read(name) for name in archive.namelist()]
    if compression is Compression.GZIP:
        text = gzip.decompress(data)
    else:
        reader = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True)
        text = reader.read()
    if not several:
        return [text]
    with tarfile.open(fileobj=io.BytesIO(text)) as tar:
        return [tar.extractfile(entry).read() for entry in tar]  # type: ignore[union-attr]  # files


@pytest.mark.parametrize("compression", Compression)
@pytest.mark.parametrize("file_format", [FileFormat.CSV, FileFormat.JSONL])
def test_every_compression_holds_the_same_files(
    shop: PipelineShop, compression: Compression, file_format: FileFormat
) -> None:
    """One file is the stream itself, several are a tar; and every byte of them is the ZIP's."""
    for wanted in (request, activities):
        plain = shop.export(wanted(extras=Extras(format=file_format)))
        extras = Extras(format=file_format, compression=compression)
        data, _ = made(shop, wanted(extras=extras))
        assert unpacked(data, compression, several=len(plain) > 1) == plain


def saved(tmp_path: Path, data: bytes, manifest: Manifest) -> Path:
    path = tmp_path / manifest.archive.file_name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("compression", STREAMS)
@pytest.mark.parametrize("file_format", [FileFormat.CSV, FileFormat.JSONL])
def test_a_manifest_proves_the_file_and_every_altered_byte_is_found(
    shop: PipelineShop, tmp_path: Path, compression: Compression, file_format: FileFormat
) -> None:
    """Also without the manifest: what is altered or cut off does not agree with itself."""
    for wanted in (request, activities):
        extras = Extras(format=file_format, compression=compression)
        data, manifest = made(shop, wanted(extras=extras))
        path = saved(tmp_path, data, manifest)
        whole = verify(path, manifest)
        assert whole.differences == ()
        assert whole.members == tuple((member.name, member.rows) for member in manifest.members)
        assert verify(path, None).differences == ()
        for place in range(4, len(data), len(data) // 9):
            path.write_bytes(data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :])
            assert verify(path, manifest).differences
        for length in (1, len(data) // 2, len(data) - 1):
            path.write_bytes(data[:length])
            assert verify(path, manifest).differences
            assert verify(path, None).differences


@pytest.mark.parametrize("ending", ["gz", "zst"])
def test_memory_stays_small_however_well_a_file_was_compressed(tmp_path: Path, ending: str) -> None:
    """200 MB of text in a few kilobytes are counted in a few megabytes."""
    text = b"a" * 200_000_000 + b"\n"
    path = tmp_path / f"export.csv.{ending}"
    path.write_bytes(gzip.compress(text, 1) if ending == "gz" else zstandard.compress(text))
    del text
    tracemalloc.start()
    whole = verify(path, None)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert whole.differences == ()
    assert peak < 20_000_000


def test_differences_name_the_slice(shop: PipelineShop, tmp_path: Path) -> None:
    """A manifest of other rows is told apart at the slice that differs."""
    data, manifest = made(shop, request(extras=Extras(compression=Compression.GZIP)))
    member = manifest.members[0]
    wrong = member.slices[1].model_copy(update={"crc32": "00000000"})
    slices = (member.slices[0], wrong, *member.slices[2:])
    told = manifest.model_copy(update={"members": (member.model_copy(update={"slices": slices}),)})
    differences = verify(saved(tmp_path, data, manifest), told).differences
    assert [one.split(":")[1].strip() for one in differences if "slice" in one] == ["slice 1"]


@pytest.mark.parametrize("compression", STREAMS)
def test_the_bytes_are_the_same_with_one_thread_and_with_two(
    tmp_path: Path, compression: Compression
) -> None:
    """And when slices are rendered again."""
    shop = PipelineShop(tmp_path, slice_rows=100, threads=2)
    shop.take(
        ImportKind.ACTIVITIES,
        (
            {"id": f"{n:05}", "type": "search", "email": f"u{n % 9}@example.com"}
            | {"createdAt": f"2026-03-{1 + n // 20:02}T00:00:00Z", "searchText": f"text {n}"}
            for n in range(400)
        ),
    )
    wanted = activities(extras=Extras(compression=compression, format=FileFormat.JSONL))
    once, _ = made(shop, wanted)
    shop.engine.close()
    shop.engine = Engine(tmp_path / "store", memory_limit="256MB", threads=1)
    shop.commits, shop.fields = type(shop.commits)(shop.engine), type(shop.fields)(shop.engine)
    again, _ = made(shop, wanted, attempt=2)
    shop.engine.close()
    assert again == once


def as_json(text: str, type_: str) -> Any:
    """What a value of the CSV is in JSON."""
    match FieldType(type_):
        case FieldType.INTEGER:
            return int(text)
        case FieldType.DECIMAL | FieldType.MONEY:
            return float(text)
        case FieldType.BOOLEAN:
            return text == "true"
        case FieldType.CHECKBOX:
            return text.split("|") if text else []
        case FieldType.JSON:
            return json.loads(text)
        case _:
            return text


@pytest.mark.parametrize("date_format", [DateFormat.ISO, DateFormat.LLL])
def test_json_lines_say_what_the_csv_says(shop: PipelineShop, date_format: DateFormat) -> None:
    """Every value of every type, by column id, in the columns' order; missing ones are left out,
    empty texts are not."""
    for wanted in (request, activities):
        plain = wanted(version=Version.V6, date_format=date_format)
        _, manifest = made(shop, plain)
        lines = shop.export(wanted(version=Version.V6, date_format=date_format, extras=JSONL))
        for member, text, found in zip(manifest.members, shop.export(plain), lines, strict=True):
            assert member.columns
            expected = [
                {
                    column.id: as_json(value, column.type)
                    for column, value in zip(member.columns, row, strict=True)
                    if value is not None
                }
                for row in cells(text, len(member.columns))
            ]
            rows = [json.loads(line) for line in found.decode().split("\n")[:-1]]
            assert rows == expected
            assert [list(row) for row in rows] == [list(row) for row in expected]
            assert member.rows == len(rows)


def cells(text: bytes, width: int) -> list[tuple[str | None, ...]]:
    """The rows of our CSV; None where a value is missing, which the standard library cannot tell
    from an empty text."""
    values = tuple(values_in(text.decode(), Delimiter.COMMA))
    return [values[at : at + width] for at in range(width, len(values), width)]


def test_chosen_columns_without_values_give_an_empty_object(shop: PipelineShop) -> None:
    """A row is a line, whatever it holds."""
    [text] = shop.export(request(extras=Extras(format=FileFormat.JSONL, columns=("formerField",))))
    assert text == b"{}\n" * 10


@pytest.mark.parametrize(
    ("wanted", "extension"),
    [
        (request(), "zip"),
        (request(extras=Extras(format=FileFormat.JSONL)), "zip"),
        (request(extras=Extras(compression=Compression.GZIP)), "csv.gz"),
        (request(extras=Extras(compression=Compression.ZSTD, changed_since=0)), "tar.zst"),
        (activities(extras=Extras(compression=Compression.GZIP)), "tar.gz"),
        (
            activities(extras=Extras(compression=Compression.ZSTD, format=FileFormat.JSONL)),
            "tar.zst",
        ),
    ],
)
def test_the_name_says_how_to_open_the_file(wanted: ExportRequest, extension: str) -> None:
    """A ZIP holds any number of files, a stream one or a tar."""
    assert file_extension(wanted) == extension


@pytest.mark.parametrize(
    ("compression", "media_type"),
    [("gzip", "application/gzip"), ("zstd", "application/zstd"), ("zip", "application/zip")],
)
def test_a_file_is_served_as_what_it_is(tmp_path: Path, compression: str, media_type: str) -> None:
    """Name, extension and media type agree; the manifest records what was asked; ranges work."""
    asked = {"compression": compression, "format": "jsonl"}
    with serving(tmp_path / "data", rate_limit=1_000_000) as address:
        client = Client(address)
        client.done("PATCH", "/contacts/ann@shop.example", 201, json={"_name": 'Ann "A"'})
        export = client.export(**asked)
        answer = httpx.get(export["fileUrl"], timeout=30)
        part = httpx.get(export["fileUrl"], headers={"Range": "bytes=5-"}, timeout=30)
        manifest = client.ask("GET", f"/exports/{export['id']}/manifest").content
        told = client.done(
            "POST",
            "/exports/estimate",
            200,
            json={"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"} | asked,
        )
    assert answer.headers["content-type"] == media_type
    assert export["fileName"].endswith("." + export["fileExtension"])
    assert f'filename="{export["fileName"]}"' in answer.headers["content-disposition"]
    assert part.content == answer.content[5:]
    [text] = unpacked(answer.content, Compression(compression), several=False)
    row = json.loads(text)
    assert row["_name"] == 'Ann "A"'
    assert row["_isAnonymous"] is False
    wanted = {name: value for name, value in asked.items() if value != "zip"}
    assert json.loads(manifest)["extras"] == wanted
    path = tmp_path / export["fileName"]
    path.write_bytes(answer.content)
    assert verify(path, read_manifest(manifest)).differences == ()
    assert told["members"][0]["sample"][0]["_name"] == 'Ann "A"'
    assert told["members"][0]["sample"][0]["_isAnonymous"] == "false"
    assert told["bytes"] == len(text)
