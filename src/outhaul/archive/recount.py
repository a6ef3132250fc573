"""Counting and hashing a ZIP of ours again, in constant memory and from the file alone.

`recount_stream` does the same for files in other compressions.
"""

import builtins
import hashlib
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from isal import igzip_lib, isal_zlib

from outhaul.archive.recount_parquet import ParquetCounter, Undecodable
from outhaul.domain.errors import OuthaulError
from outhaul.domain.parquet import ENDING

_CHUNK_BYTES = 1024 * 1024
_RAW_DEFLATE = -15
_LOCAL_HEADER_BYTES = 30
_ALL_BUT_QUOTES_AND_LINE_ENDS = bytes(set(range(256)) - {ord('"'), ord("\n")})


# The stubs take this class for an instance.
UNREADABLE = (cast("type[Exception]", igzip_lib.IsalError), EOFError)


class Damaged(OuthaulError):
    """The file cannot be read as what it should be; the message says where."""


@dataclass(kw_only=True)
class Piece:
    """A run of a member's compressed bytes, and what was found in it."""

    compressed_bytes: int = 0
    bytes: int = 0
    lines: int = 0
    crc32: int = 0
    sha256: str = ""

    def take(self, text: builtins.bytes) -> None:
        """More of its text."""
        self.crc32 = isal_zlib.crc32(text, self.crc32)
        self.bytes += len(text)


@dataclass(kw_only=True)
class RecountedMember:
    """A file of the archive as it is."""

    name: str
    bytes: int = 0
    lines: int = 0
    """Line ends outside of quotes, the header's included; or rows."""
    crc32: int = 0
    compressed_bytes: int | None
    """None where a file does not lie in the archive by itself."""
    columns: tuple[str, ...] | None = None
    """Name and type of each column; None where a file does not tell types."""
    pieces: list[Piece] = field(default_factory=list)

    def add(self, piece: Piece, *, counted: bool = True) -> None:
        """The next of its text, as a piece of its own if it is `counted`."""
        self.crc32 = isal_zlib.crc32_combine(self.crc32, piece.crc32, piece.bytes)
        self.bytes += piece.bytes
        if counted:
            self.pieces.append(piece)

    def finish(self, counter: "LineCounter | ParquetCounter") -> None:
        """That was all. Raises Damaged where the last line does not end, or where the bytes are
        no Parquet file."""
        if isinstance(counter, ParquetCounter):
            try:
                counter.end()
            except Undecodable as error:
                raise Damaged(f"{self.name}: this is no whole Parquet file: {error}") from None
            self.columns = counter.columns
            for piece in self.pieces[-1:]:
                piece.lines = counter.count
        elif counter.in_quotes or not counter.ended:
            raise Damaged(f"{self.name}: the last line does not end")
        self.lines = counter.count

    @property
    def rows(self) -> int:
        """The lines without the header."""
        return self.lines if has_no_header(self.name) else self.lines - 1


def has_no_header(name: str) -> bool:
    """Whether the first line of a file of this name is a row already."""
    return name.endswith((".jsonl", ENDING))


def counter_of(name: str) -> "LineCounter | ParquetCounter":
    """What counts the rows of a file of this name."""
    return (
        ParquetCounter() if name.endswith(ENDING) else LineCounter(quoted=not has_no_header(name))
    )


def archive_digest(path: Path) -> tuple[int, str]:
    """Bytes and SHA-256 (hex) of the whole file."""
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


def entries(path: Path) -> list[zipfile.ZipInfo]:
    """The files that the ZIP says it holds, in their order. Raises Damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Damaged(f"this is no whole ZIP: {error}") from None


def recount(path: Path, entry: zipfile.ZipInfo, cuts: Sequence[int]) -> RecountedMember:
    """Read one file of the ZIP to its end. `cuts` are the lengths of the runs of compressed bytes
    to tell apart; what is left behind them is not counted as a piece of its own.

    Raises Damaged where the bytes cannot be decompressed or are not the text they claim to be.
    """
    with closing(counter_of(entry.filename)) as counter, path.open("rb") as file:
        found = _read(file, entry, cuts, counter)
    if (found.bytes, found.crc32) != (entry.file_size, entry.CRC):
        raise Damaged(
            f"{entry.filename}: {found.bytes} bytes with CRC-32 {found.crc32:08x}, but the ZIP says"
            f" {entry.file_size} with {entry.CRC:08x}"
        )
    return found


def _read(
    file: BinaryIO,
    entry: zipfile.ZipInfo,
    cuts: Sequence[int],
    counter: "LineCounter | ParquetCounter",
) -> RecountedMember:
    found = RecountedMember(name=entry.filename, compressed_bytes=entry.compress_size)
    inflate = isal_zlib.decompressobj(wbits=_RAW_DEFLATE)
    _go_to_data(file, entry)
    left = entry.compress_size
    for number, length in enumerate([*cuts, None]):
        wanted = left if length is None else min(length, left)
        piece = Piece(compressed_bytes=wanted)
        digest = hashlib.sha256()
        before = counter.count
        try:
            for chunk in _chunks(file, wanted):
                digest.update(chunk)
                for text in texts(inflate, chunk):
                    piece.take(text)
                    counter.take(text)
        except UNREADABLE as error:
            raise Damaged(f"{entry.filename}: damaged in part {number}: {error}") from None
        piece.sha256, piece.lines = digest.hexdigest(), counter.count - before
        found.add(piece, counted=length is not None)
        left -= wanted
    if not inflate.eof:
        raise Damaged(f"{entry.filename}: the compressed text does not end")
    found.finish(counter)
    return found


def _go_to_data(file: BinaryIO, entry: zipfile.ZipInfo) -> None:
    try:
        file.seek(entry.header_offset)
        header = file.read(_LOCAL_HEADER_BYTES)
    except (OSError, ValueError, OverflowError):
        header = b""
    if len(header) < _LOCAL_HEADER_BYTES or header[:4] != b"PK\x03\x04":
        raise Damaged(f"{entry.filename}: no header where the ZIP says it is")
    name, extra = (int.from_bytes(header[at : at + 2], "little") for at in (26, 28))
    file.seek(name + extra, 1)


def _chunks(file: BinaryIO, length: int) -> Iterator[bytes]:
    while length:
        chunk = file.read(min(length, _CHUNK_BYTES))
        if not chunk:
            raise EOFError("the file ends too early")
        length -= len(chunk)
        yield chunk


def texts(inflate: isal_zlib.Decompress, chunk: bytes) -> Iterator[bytes]:
    """The text in a chunk, in parts of bounded length however well it was compressed."""
    while chunk and not inflate.eof:
        yield inflate.decompress(chunk, _CHUNK_BYTES)
        chunk = inflate.unconsumed_tail
    if chunk or inflate.unused_data:
        raise EOFError("bytes follow behind the end of the text")


class LineCounter:
    """Counts line ends; where values are `quoted`, those within quotes are part of a value."""

    def __init__(self, *, quoted: bool) -> None:
        self._quoted = quoted
        self.count = 0
        self.in_quotes = False
        self.ended = True

    def close(self) -> None:
        """Nothing is held."""

    def take(self, text: bytes) -> None:
        if not text:
            return
        self.ended = text.endswith(b"\n")
        if not self._quoted:
            self.count += text.count(b"\n")
            return
        signs = text.translate(None, _ALL_BUT_QUOTES_AND_LINE_ENDS)
        if self.in_quotes:
            signs = b'"' + signs
        self.in_quotes = signs.count(b'"') % 2 == 1
        # Two quotes with no line end between them change nothing, and nearly all quotes are such.
        for outside in signs.replace(b'""', b"").split(b'"')[::2]:
            self.count += outside.count(b"\n")
