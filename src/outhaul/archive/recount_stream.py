"""Counting a gzip or zstd file of ours again, in constant memory and from the file alone."""

import io
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

import zstandard
from isal import isal_zlib

from outhaul.archive.recount import (
    UNREADABLE,
    Damaged,
    LineCounter,
    Piece,
    RecountedMember,
    has_no_header,
    texts,
)

if TYPE_CHECKING:
    from typing_extensions import Buffer  # the checker's stand-in for 3.12's collections.abc.Buffer

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_GZIP_WINDOW = 31
_CHUNK_BYTES = 1024 * 1024
_MOST_WINDOW_BYTES = 1 << 23
"""Frames of ours need less; whoever asks for more memory than this is refused."""
_MOST_HEADER_BYTES = 18
_BLOCK_HEADER_BYTES = 3
_ONE_BYTE_REPEATED = 1
_CHECKSUM_BYTES = 4


def is_stream(path: Path) -> bool:
    """Whether the file begins as one that this module can read."""
    with path.open("rb") as file:
        return file.read(4).startswith((_GZIP, _ZSTD))


def recount_stream(
    path: Path, expected: Sequence[tuple[str, Sequence[int]]] | None
) -> Iterator[RecountedMember]:
    """Read the file to its end, and tell of each file in it. `expected` names these, with the
    lengths of the runs of text to tell apart; None: nothing is known of them.

    Raises Damaged where the bytes cannot be decompressed or are not the text they claim to be.
    """
    several = ".tar." in path.name if expected is None else len(expected) > 1
    cuts = dict(expected or ())
    with path.open("rb") as file:
        text = io.BufferedReader(_Text(_unpacked(file)), _CHUNK_BYTES)
        try:
            if several:
                with tarfile.open(fileobj=text, mode="r|") as archive:
                    for entry in archive:
                        held = archive.extractfile(entry)
                        if held is None:
                            raise Damaged(f"{entry.name}: this is no file")
                        yield _recount(entry.name, held, cuts.get(entry.name, ()))
            else:
                name = expected[0][0] if expected else path.stem
                yield _recount(name, text, cuts.get(name, ()))
            # What follows is part of no file, yet has to be whole.
            while text.read(_CHUNK_BYTES):
                pass
        except (*UNREADABLE, zstandard.ZstdError, tarfile.TarError) as error:
            raise Damaged(f"{path.name}: this is no whole file: {error}") from None


def _recount(name: str, text: IO[bytes], cuts: Sequence[int]) -> RecountedMember:
    found = RecountedMember(name=name, compressed_bytes=None)
    lines = LineCounter(quoted=not has_no_header(name))
    for length in [*cuts, None]:
        piece, before = Piece(), lines.count
        left = length
        while chunk := text.read(_CHUNK_BYTES if left is None else min(left, _CHUNK_BYTES)):
            piece.take(chunk)
            lines.take(chunk)
            left = None if left is None else left - len(chunk)
        piece.lines = lines.count - before
        found.add(piece, counted=length is not None)
    found.finish(lines)
    return found


def _unpacked(file: BinaryIO) -> Iterator[bytes]:
    """The text, in parts of bounded length. Raises what UNREADABLE and ZstdError name."""
    begins = file.read(len(_ZSTD))
    file.seek(0)
    return _unzstd(file) if begins == _ZSTD else _gunzip(file)


def _gunzip(file: BinaryIO) -> Iterator[bytes]:
    inflate = isal_zlib.decompressobj(wbits=_GZIP_WINDOW)
    while chunk := file.read(_CHUNK_BYTES):
        yield from texts(inflate, chunk)
    if not inflate.eof:
        raise EOFError("the file ends too early")


def _unzstd(file: BinaryIO) -> Iterator[bytes]:
    # The decompressor takes a frame that is cut off for one that has ended.
    _check_frames(file)
    file.seek(0)
    frames = zstandard.ZstdDecompressor(max_window_size=_MOST_WINDOW_BYTES)
    with frames.stream_reader(file, read_across_frames=True, closefd=False) as text:
        while chunk := text.read(_CHUNK_BYTES):
            yield chunk


def _check_frames(file: BinaryIO) -> None:
    """Walk over the blocks of all frames (RFC 8878). Raises EOFError when the last one is cut."""
    size = file.seek(0, io.SEEK_END)
    at = file.seek(0)
    while at < size:
        header = file.read(_MOST_HEADER_BYTES)
        checked = zstandard.get_frame_parameters(header).has_checksum
        at = file.seek(at + zstandard.frame_header_size(header))
        last = False
        while not last:
            block = int.from_bytes(file.read(_BLOCK_HEADER_BYTES), "little")
            last, repeats = bool(block & 1), block >> 1 & 3 == _ONE_BYTE_REPEATED
            at = file.seek(at + _BLOCK_HEADER_BYTES + (1 if repeats else block >> 3))
            if at > size:
                raise EOFError("the file ends too early")
        at = file.seek(at + (_CHECKSUM_BYTES if checked else 0))
    if at > size:
        raise EOFError("the file ends too early")


class _Text(io.RawIOBase):
    """Chunks as a file to read from."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._held = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "Buffer") -> int:
        while not self._held:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._held = memoryview(chunk)
        room = memoryview(buffer).cast("B")
        length = min(len(room), len(self._held))
        room[:length] = self._held[:length]
        self._held = self._held[length:]
        return length
