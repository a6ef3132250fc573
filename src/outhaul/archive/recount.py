"""Counting and hashing a ZIP of ours again, in constant memory and from the file alone."""

import hashlib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from isal import igzip_lib, isal_zlib

from outhaul.domain.errors import OuthaulError

_CHUNK_BYTES = 1024 * 1024
_RAW_DEFLATE = -15
_LOCAL_HEADER_BYTES = 30
_ALL_BUT_QUOTES_AND_LINE_ENDS = bytes(set(range(256)) - {ord('"'), ord("\n")})


# The stubs take this class for an instance.
_UNREADABLE = (cast("type[Exception]", igzip_lib.IsalError), EOFError)


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


@dataclass(kw_only=True)
class RecountedMember:
    """A file of the archive as it is."""

    name: str
    bytes: int = 0
    lines: int = 0
    """Line ends outside of quotes, the header's included."""
    crc32: int = 0
    compressed_bytes: int
    pieces: list[Piece] = field(default_factory=list)


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
    found = RecountedMember(name=entry.filename, compressed_bytes=entry.compress_size)
    lines = _LineCounter()
    inflate = isal_zlib.decompressobj(wbits=_RAW_DEFLATE)
    with path.open("rb") as file:
        _go_to_data(file, entry)
        left = entry.compress_size
        for number, length in enumerate([*cuts, None]):
            wanted = left if length is None else min(length, left)
            piece = Piece(compressed_bytes=wanted)
            digest = hashlib.sha256()
            before = lines.count
            try:
                for chunk in _chunks(file, wanted):
                    digest.update(chunk)
                    for text in _texts(inflate, chunk):
                        piece.crc32 = isal_zlib.crc32(text, piece.crc32)
                        piece.bytes += len(text)
                        lines.take(text)
            except _UNREADABLE as error:
                raise Damaged(f"{entry.filename}: damaged in part {number}: {error}") from None
            piece.sha256, piece.lines = digest.hexdigest(), lines.count - before
            found.crc32 = isal_zlib.crc32_combine(found.crc32, piece.crc32, piece.bytes)
            found.bytes += piece.bytes
            left -= wanted
            if length is not None:
                found.pieces.append(piece)
    found.lines = lines.count
    if not inflate.eof:
        raise Damaged(f"{entry.filename}: the compressed text does not end")
    if lines.in_quotes or not lines.ended:
        raise Damaged(f"{entry.filename}: the last line does not end")
    if (found.bytes, found.crc32) != (entry.file_size, entry.CRC):
        raise Damaged(
            f"{entry.filename}: {found.bytes} bytes with CRC-32 {found.crc32:08x}, but the ZIP says"
            f" {entry.file_size} with {entry.CRC:08x}"
        )
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


def _texts(inflate: isal_zlib.Decompress, chunk: bytes) -> Iterator[bytes]:
    """The text in a chunk, in parts of bounded length however well it was compressed."""
    while chunk and not inflate.eof:
        yield inflate.decompress(chunk, _CHUNK_BYTES)
        chunk = inflate.unconsumed_tail
    if chunk or inflate.unused_data:
        raise EOFError("bytes follow behind the end of the text")


class _LineCounter:
    """Counts line ends; within quotes they are part of a value."""

    def __init__(self) -> None:
        self.count = 0
        self.in_quotes = False
        self.ended = True

    def take(self, text: bytes) -> None:
        if not text:
            return
        self.ended = text.endswith(b"\n")
        signs = text.translate(None, _ALL_BUT_QUOTES_AND_LINE_ENDS)
        if self.in_quotes:
            signs = b'"' + signs
        self.in_quotes = signs.count(b'"') % 2 == 1
        # Two quotes with no line end between them change nothing, and nearly all quotes are such.
        for outside in signs.replace(b'""', b"").split(b'"')[::2]:
            self.count += outside.count(b"\n")
