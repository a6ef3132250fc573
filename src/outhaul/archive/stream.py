"""One compressed stream put together from slices that are compressed already: gzip or zstd.

A single file is the stream's text; several stand in it as a tar. All lengths are known before the
first byte goes out. The same members always give the same bytes.
"""

import struct
import tarfile
from collections.abc import Iterator, Sequence

from isal import isal_zlib

from outhaul.archive.container import FINAL_BLOCK, Member, Part, archive_bytes, exactly
from outhaul.archive.deflate import SliceCompressor
from outhaul.domain.extras import Compression

_TAR_BLOCK = 512
_GZIP_HEADER = struct.Struct("<2sBBLBB")
_GZIP_TRAILER = struct.Struct("<2L")
_DEFLATED = 8
_FASTEST = 4
_UNIX = 3
_MAX32 = 0xFFFFFFFF


def file_bytes(members: Sequence[Member], compression: Compression) -> Iterator[bytes]:
    """The whole file to download, one buffer at a time; parts are opened one by one as their turn
    comes. Raises what `archive_bytes` raises."""
    if compression is Compression.ZIP:
        return archive_bytes(members)
    return _stream_bytes(members, compression)


def _stream_bytes(members: Sequence[Member], compression: Compression) -> Iterator[bytes]:
    parts = (
        [(members[0].name, index, part) for index, part in enumerate(members[0].parts)]
        if len(members) == 1
        else list(_tar(members, compression))
    )
    gzip = compression is Compression.GZIP
    if gzip:
        modified = min(max(int(members[0].modified.timestamp()), 0), _MAX32)
        yield _GZIP_HEADER.pack(b"\x1f\x8b", _DEFLATED, 0, modified, _FASTEST, _UNIX)
    crc32 = length = 0
    for name, index, part in parts:
        yield from exactly(part, member=name, index=index)
        crc32 = isal_zlib.crc32_combine(crc32, part.crc32, part.text_bytes)
        length += part.text_bytes
    if gzip:
        yield FINAL_BLOCK + _GZIP_TRAILER.pack(crc32, length & _MAX32)


def text_part(text: bytes, compression: Compression) -> Part:
    """A short text as a part of its own."""
    compressor = SliceCompressor(compression)
    compressed = compressor.write(text) + compressor.finish()
    return Part(
        text_bytes=compressor.text_bytes,
        crc32=compressor.crc32,
        compressed_bytes=len(compressed),
        read=lambda: iter([compressed]),
    )


def _tar(members: Sequence[Member], compression: Compression) -> Iterator[tuple[str, int, Part]]:
    """The parts of a tar: each member with its header before it and padding behind it."""
    for member in members:
        entry = tarfile.TarInfo(member.name)
        entry.size = sum(part.text_bytes for part in member.parts)
        entry.mtime = int(member.modified.timestamp())
        padding = bytes(-entry.size % _TAR_BLOCK)
        framed = [
            text_part(entry.tobuf(tarfile.PAX_FORMAT), compression),
            *member.parts,
            text_part(padding, compression),
        ]
        for index, part in enumerate(framed):
            yield member.name, index, part
    yield "the end", 0, text_part(bytes(2 * _TAR_BLOCK), compression)
