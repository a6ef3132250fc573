"""A manifest says what a file holds; `verify` finds every difference."""

import hashlib
import io
import json
import tracemalloc
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outhaul.archive.codecs import compressor_of
from outhaul.archive.container import Member, Part, archive_bytes, combined_crc32, compressed_bytes
from outhaul.archive.deflate import SliceCompressor
from outhaul.archive.manifest import (
    ArchiveProof,
    ColumnEntry,
    CompressorEntry,
    FiltersEntry,
    HeaderProof,
    Manifest,
    ManifestContent,
    ManifestUnreadable,
    MemberProof,
    RowPlace,
    SliceProof,
    SnapshotEntry,
    columns_digest,
    read_manifest,
    sealed,
)
from outhaul.archive.verify import verify
from outhaul.domain.extras import Compression

PLACE = RowPlace(created_at="2026-01-01T00:00:00.000Z", id="a")
COLUMNS = (ColumnEntry(id="name", label="Name", type="text"),)


def part(text: bytes) -> tuple[Part, str]:
    compressor = SliceCompressor()
    compressed = compressor.write(text) + compressor.finish()
    made = Part(
        text_bytes=len(text),
        crc32=compressor.crc32,
        compressed_bytes=len(compressed),
        read=lambda: iter([compressed]),
    )
    return made, compressor.sha256


def archive(texts: list[bytes], rows: list[int]) -> tuple[bytes, Manifest]:
    """A ZIP of one member with these slices, and its manifest."""
    header, _ = part(b'"Name"\n')
    parts = [part(text) for text in texts]
    member = Member(
        name="export.csv",
        modified=datetime(2026, 1, 1, tzinfo=UTC),
        parts=[header, *(made for made, _ in parts)],
    )
    raw = b"".join(archive_bytes([member]))
    content = ManifestContent(
        outhaul="1",
        export_id="a" * 24,
        export_type="contacts",
        version="v1",
        date_format="ISO",
        delimiter=",",
        filters=FiltersEntry(),
        timezone="UTC",
        language="en",
        created_at=PLACE.created_at,
        snapshot=SnapshotEntry(number=3, at=PLACE.created_at),
        compressor=CompressorEntry(name=compressor_of(Compression.ZIP), level=1),
        rows=sum(rows),
        archive=ArchiveProof(
            file_name="export.zip", bytes=len(raw), sha256=hashlib.sha256(raw).hexdigest()
        ),
        members=(
            MemberProof(
                name="export.csv",
                rows=sum(rows),
                bytes=sum(made.text_bytes for made in member.parts),
                crc32=f"{combined_crc32(member):08x}",
                compressed_bytes=compressed_bytes(member),
                columns=COLUMNS,
                columns_sha256=columns_digest(COLUMNS),
                header=HeaderProof(
                    bytes=header.text_bytes, compressed_bytes=header.compressed_bytes
                ),
                slices=tuple(
                    SliceProof(
                        rows=count,
                        bytes=made.text_bytes,
                        crc32=f"{made.crc32:08x}",
                        compressed_bytes=made.compressed_bytes,
                        sha256=sha256,
                        first=PLACE,
                        last=PLACE,
                        attempt=1,
                    )
                    for (made, sha256), count in zip(parts, rows, strict=True)
                ),
            ),
        ),
    )
    return raw, sealed(content)


GOOD, PROOF = archive([b'"a"\n"b\n""\n"\n', b",\n12\n" * 1000], [2, 2000])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "export.zip"
    path.write_bytes(GOOD)
    return path


def test_a_whole_file_has_no_differences(file: Path) -> None:
    """Line feeds in values are no rows."""
    verdict = verify(file, PROOF)
    assert verdict.differences == ()
    assert verdict.members == (("export.csv", 2002),)
    assert (verdict.bytes, verdict.sha256) == (len(GOOD), hashlib.sha256(GOOD).hexdigest())
    assert verify(file, None).differences == ()


@settings(max_examples=200, deadline=None)
@given(place=st.integers(0, len(GOOD) - 1), flipped=st.integers(1, 255))
def test_any_altered_byte_is_found(
    tmp_path_factory: pytest.TempPathFactory, place: int, flipped: int
) -> None:
    """Wherever it is: the hash of the whole file tells at least."""
    path = tmp_path_factory.mktemp("altered") / "export.zip"
    path.write_bytes(GOOD[:place] + bytes([GOOD[place] ^ flipped]) + GOOD[place + 1 :])
    assert any("SHA-256" in difference for difference in verify(path, PROOF).differences)


@settings(max_examples=100, deadline=None)
@given(length=st.integers(0, len(GOOD) - 1))
def test_a_file_cut_short_is_found_even_without_a_manifest(
    tmp_path_factory: pytest.TempPathFactory, length: int
) -> None:
    """The directory of a ZIP stands at its end."""
    path = tmp_path_factory.mktemp("cut") / "export.zip"
    path.write_bytes(GOOD[:length])
    assert verify(path, None).differences
    assert any("bytes: " in difference for difference in verify(path, PROOF).differences)


@settings(max_examples=50, deadline=None)
@given(
    rows=st.lists(
        st.lists(st.text(alphabet='a",\n;é', max_size=6) | st.none(), min_size=1, max_size=3),
        max_size=20,
    ),
    slices=st.integers(1, 4),
)
def test_rows_are_counted_whatever_the_values_hold(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str | None]], slices: int
) -> None:
    """Quotes, delimiters and line feeds within values, in any slices."""
    lines = [
        ",".join("" if v is None else '"' + v.replace('"', '""') + '"' for v in row) + "\n"
        for row in rows
    ]
    size = len(lines) // slices + 1
    groups = [group for n in range(slices) if (group := lines[n * size : (n + 1) * size])]
    raw, proof = archive(["".join(group).encode() for group in groups], [len(g) for g in groups])
    path = tmp_path_factory.mktemp("rows") / "export.zip"
    path.write_bytes(raw)
    verdict = verify(path, proof)
    assert verdict.differences == ()
    assert verdict.members == (("export.csv", len(rows)),)


def test_each_difference_is_named_with_both_values(file: Path) -> None:
    """Of the archive, of a member and of a slice."""
    member = PROOF.members[0]
    wrong_slice = member.slices[1].model_copy(update={"rows": 2001, "sha256": "0" * 64})
    altered = PROOF.model_copy(
        update={
            "rows": 2003,
            "members": (
                member.model_copy(update={"rows": 2003, "slices": (member.slices[0], wrong_slice)}),
            ),
        }
    )
    found = verify(file, altered).differences
    assert any(difference.startswith("manifest: digest: ") for difference in found)
    assert "export.csv: rows: 2002 instead of 2003" in found
    assert "export.csv: slice 1: rows: 2000 instead of 2001" in found
    sha256 = member.slices[1].sha256
    assert f"export.csv: slice 1: SHA-256: {sha256} instead of {'0' * 64}" in found


def test_a_file_with_another_member_or_none_is_named(tmp_path: Path) -> None:
    """The list of files belongs to what is proven."""
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as other:
        other.writestr("other.csv", '"Name"\n')
    assert "archive: files: ['other.csv'] instead of ['export.csv']" in (
        verify(path, PROOF).differences
    )


def test_a_last_line_without_end_is_found(tmp_path: Path) -> None:
    """A ZIP of somebody else may be whole and its text cut."""
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as other:
        other.writestr("export.csv", '"Name"\n"a')
    assert verify(path, None).differences == ("export.csv: the last line does not end",)


def test_a_bomb_is_read_in_constant_memory(tmp_path: Path) -> None:
    """200 MB of one sign in 200 KB; nothing of that size is ever held."""
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("export.csv", b"a" * 200_000_000 + b"\n")
    tracemalloc.start()
    assert verify(path, None).differences == ()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000


def test_a_manifest_reads_back_as_it_was_written() -> None:
    """Its text is canonical: sorted keys, no spaces; the digest covers all the rest."""
    text = PROOF.text()
    assert read_manifest(text.encode()) == PROOF
    held = json.loads(text)
    assert text == json.dumps(held, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = held.pop("digest")
    rest = json.dumps(held, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(rest.encode()).hexdigest() == digest
    assert read_manifest(json.dumps(json.loads(text), indent=4).encode()) == PROOF


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"manifest": 2}', PROOF.text()[:-1] + ',"x":1}'])
def test_what_is_no_manifest_is_told_without_its_content(text: str) -> None:
    """One line that names the place."""
    with pytest.raises(ManifestUnreadable, match="this is no manifest: "):
        read_manifest(text.encode())


def test_the_fixture_is_a_zip_that_others_read() -> None:
    """Lest these tests prove something about a format of their own."""
    with zipfile.ZipFile(io.BytesIO(GOOD)) as opened:
        assert opened.testzip() is None
