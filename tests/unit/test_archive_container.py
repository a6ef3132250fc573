import io
import zipfile
import zlib
from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outhaul.archive.container import (
    Member,
    Part,
    PartLengthWrong,
    archive_bytes,
    archive_size,
)
from outhaul.archive.deflate import SliceCompressor

NOON = datetime(2026, 3, 5, 12, 30, 42, tzinfo=UTC)


def part(text: bytes) -> Part:
    compressor = SliceCompressor()
    output = compressor.write(text) + compressor.finish()
    return Part(
        text_bytes=compressor.text_bytes,
        crc32=compressor.crc32,
        compressed_bytes=compressor.compressed_bytes,
        read=lambda: iter([output[:3], output[3:]]),
    )


def member(name: str, *texts: bytes, modified: datetime = NOON) -> Member:
    return Member(name=name, modified=modified, parts=[part(text) for text in texts])


def zip_of(*members: Member) -> bytes:
    return b"".join(archive_bytes(members))


class Pieces(io.RawIOBase):
    """A file of chunks kept by reference: a buffer that comes again and again costs nothing."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.chunks = list(chunks)
        self.starts = [0]
        for chunk in self.chunks:
            self.starts.append(self.starts[-1] + len(chunk))
        self.position = 0

    def seekable(self):
        return True

    def readable(self):
        return True

    def seek(self, offset, whence=io.SEEK_SET):
        self.position = offset + (0, self.position, self.starts[-1])[whence]
        return self.position

    def tell(self):
        return self.position

    def readinto(self, buffer):
        if self.position >= self.starts[-1]:
            return 0
        at = bisect_right(self.starts, self.position) - 1
        piece = self.chunks[at][self.position - self.starts[at] :][: len(buffer)]
        buffer[: len(piece)] = piece
        self.position += len(piece)
        return len(piece)


texts = st.lists(st.binary(max_size=300), max_size=5)


@given(st.dictionaries(st.sampled_from(["a.csv", "b.csv", "ñandú 🙂.csv"]), texts))
def test_members_hold_the_texts_of_their_parts(files):
    """A ZIP reader finds every member, in order, with the joined texts and the right CRC."""
    members = [member(name, *pieces) for name, pieces in files.items()]
    written = zip_of(*members)
    assert len(written) == archive_size(members)
    with zipfile.ZipFile(io.BytesIO(written)) as archive:
        assert archive.namelist() == list(files)
        assert archive.testzip() is None
        for name, pieces in files.items():
            assert archive.read(name) == b"".join(pieces)


def test_the_bytes_of_a_small_archive():
    """Every byte is decided by the members: headers, one slice, the final block, the directory."""
    name = b"a.csv"
    name_and_time = bytes.fromhex("d563 655c")  # 12:30:42 on 2026-03-05, as DOS writes it
    text = b'"x"\n'
    slice_part = part(text)
    data = b"".join(slice_part.read()) + b"\x03\x00"
    facts = (
        zlib.crc32(text).to_bytes(4, "little")
        + len(data).to_bytes(4, "little")
        + len(text).to_bytes(4, "little")
        + len(name).to_bytes(2, "little")
        + bytes(2)  # no extra field
    )
    local = b"PK\x03\x04" + bytes.fromhex("1400 0000 0800") + name_and_time + facts + name + data
    entry = (
        b"PK\x01\x02"
        + bytes.fromhex("1403 1400 0000 0800")
        + name_and_time
        + facts
        + bytes(2 + 2 + 2)  # comment, disk, internal attributes
        + (0o100644 << 16).to_bytes(4, "little")
        + bytes(4)  # offset
        + name
    )
    end = (
        b"PK\x05\x06"
        + bytes.fromhex("0000 0000 0100 0100")
        + len(entry).to_bytes(4, "little")
        + len(local).to_bytes(4, "little")
        + bytes(2)
    )
    assert zip_of(member("a.csv", text)) == local + entry + end


def test_an_archive_without_members_is_a_zip():
    """Nothing to hold still gives a file that readers open."""
    assert zip_of() == b"PK\x05\x06" + bytes(18)
    assert archive_size([]) == 22


def test_a_reader_sees_utc_and_plain_file_permissions():
    """The time is that of UTC whatever the offset given, and an extracted file is 0644."""
    madrid = datetime(2026, 3, 5, 13, 30, 42, tzinfo=timezone(timedelta(hours=1)))
    with zipfile.ZipFile(io.BytesIO(zip_of(member("a.csv", modified=madrid)))) as archive:
        (info,) = archive.infolist()
    assert info.date_time == (2026, 3, 5, 12, 30, 42)
    assert info.external_attr >> 16 == 0o100644
    assert info.flag_bits == 0


@pytest.mark.parametrize(
    "modified",
    [datetime(2026, 3, 5), datetime(1979, 12, 31, tzinfo=UTC), datetime(2108, 1, 1, tzinfo=UTC)],  # noqa: DTZ001  a naive datetime is the point
)
def test_a_time_that_zip_cannot_write_is_refused_before_the_first_byte(modified):
    """A naive time and years outside 1980 to 2107 raise, even on the last member."""
    members = [member("a.csv", b"1"), member("b.csv", b"2", modified=modified)]
    with pytest.raises(ValueError, match=r"offset|year"):
        next(archive_bytes(members))


@pytest.mark.parametrize(
    ("given", "counted"),
    [([], 0), ([b"123"], 3), ([b"1234", b"5"], 5), ([b"12345", b"6"], 5)],
)
def test_a_part_of_the_wrong_length_is_an_error(given, counted):
    """Too few or too many bytes end the archive with the facts; no excess byte goes out."""
    good = part(b"good")
    before = len(b"".join(good.read())) + len(next(archive_bytes([member("a.csv")])))
    bad = Part(text_bytes=9, crc32=0, compressed_bytes=4, read=lambda: iter(given))
    broken = Member(name="a.csv", modified=NOON, parts=[good, bad])
    written: list[bytes] = []
    with pytest.raises(PartLengthWrong) as caught:
        written.extend(archive_bytes([broken]))
    error = caught.value
    assert (error.member, error.index, error.promised, error.given) == ("a.csv", 1, 4, counted)
    assert len(b"".join(written)) - before <= 4


def test_parts_are_opened_one_after_another():
    """A part is not opened before the bytes of the part before it have gone out."""
    opened = []

    def noted(index: int, source: Part) -> Part:
        def read():
            opened.append(index)
            return source.read()

        return Part(
            text_bytes=source.text_bytes,
            crc32=source.crc32,
            compressed_bytes=source.compressed_bytes,
            read=read,
        )

    parts = [noted(index, part(b"text")) for index in range(3)]
    seen = []
    for _ in archive_bytes([Member(name="a.csv", modified=NOON, parts=parts)]):
        seen.append(len(opened))  # noqa: PERF401  it is the order of events that counts
    assert seen == [0, 1, 1, 2, 2, 3, 3, 3, 3]


def repeated(source: Part, times: int) -> list[Part]:
    return [source] * times


def test_a_text_of_more_than_4_gib_is_found_whole_in_the_headers():
    """A member over 4 GiB of text, little of it compressed: both headers carry Zip64 sizes."""
    parts = repeated(part(bytes(16 << 20)), 257)
    big = Member(name="big.csv", modified=NOON, parts=parts)
    written = b"".join(archive_bytes([big, member("small.csv", b"small")]))
    with zipfile.ZipFile(io.BytesIO(written)) as archive:
        info = archive.getinfo("big.csv")
        assert info.file_size == 257 * (16 << 20)
        assert info.extract_version == 45
        assert archive.read("small.csv") == b"small"
    # Readers of streams know the local header only.
    assert written[18:26] == b"\xff" * 8
    extra = written[30 + len("big.csv") :][:20]
    assert extra == b"\x01\x00\x10\x00" + info.file_size.to_bytes(8, "little") + (
        info.compress_size.to_bytes(8, "little")
    )


def test_offsets_beyond_4_gib_are_found():
    """What lies behind 4 GiB of compressed bytes, and the directory itself, is read by Zip64."""
    # Stored blocks: five bytes of header and 65,535 of text each, not compressed at all.
    block = b"\x00\xff\xff\x00\x00" + bytes(0xFFFF)
    slice_bytes = block * 16
    text = bytes(16 * 0xFFFF)
    stored = Part(
        text_bytes=len(text),
        crc32=zlib.crc32(text),
        compressed_bytes=len(slice_bytes),
        read=lambda: iter([slice_bytes]),
    )
    members = [
        Member(name="big.csv", modified=NOON, parts=repeated(stored, 4200)),
        member("behind.csv", b"behind"),
    ]
    file = Pieces(archive_bytes(members))
    assert file.starts[-1] == archive_size(members)
    with zipfile.ZipFile(file) as archive:
        behind = archive.getinfo("behind.csv")
        assert behind.header_offset > 1 << 32
        assert archive.getinfo("big.csv").compress_size == 4200 * len(slice_bytes) + 2
        assert archive.read("behind.csv") == b"behind"
        with archive.open("big.csv") as big:
            assert big.read(1 << 20) == bytes(1 << 20)


@pytest.mark.parametrize(("length", "zip64"), [(0xFFFFFFFE, False), (0xFFFFFFFF, True)])
def test_zip64_begins_exactly_where_32_bits_end(length, zip64):
    """The highest 32-bit number already means "see Zip64"; one less is a plain size."""
    edge = Part(text_bytes=length, crc32=0, compressed_bytes=0, read=lambda: iter(()))
    written = zip_of(Member(name="a.csv", modified=NOON, parts=[edge]))
    with zipfile.ZipFile(io.BytesIO(written)) as archive:
        (info,) = archive.infolist()
    assert info.file_size == length
    assert (info.extract_version == 45) is zip64
    assert (len(info.extra) > 0) is zip64


def test_more_members_than_16_bits_count():
    """65,535 members and more are counted by the Zip64 end record."""
    members = [Member(name=f"{n}.csv", modified=NOON, parts=()) for n in range(0x10000)]
    with zipfile.ZipFile(io.BytesIO(zip_of(*members))) as archive:
        assert len(archive.infolist()) == 0x10000
        assert archive.read("65535.csv") == b""
