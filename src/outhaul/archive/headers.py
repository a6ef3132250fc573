"""The records of a ZIP: what stands before each member, and what ends the archive.

Every record is final when written. Zip64 is used where a number asks for it and nowhere else, so
that small archives stay plain.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

_DEFLATED = 8
_UTF8_NAME = 1 << 11
_UNIX = 3
_REGULAR_FILE_0644 = 0o100644 << 16
_VERSION_DEFLATE = 20
_VERSION_ZIP64 = 45
_ZIP64_TAG = 1

# A field holding its highest value says: see the Zip64 record.
_MAX16 = 0xFFFF
_MAX32 = 0xFFFFFFFF

_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_DIRECTORY_ENTRY = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_ZIP64_END = struct.Struct("<4sQ2H2L4Q")
_ZIP64_LOCATOR = struct.Struct("<4sLQL")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What the headers say of a member."""

    name: str
    modified: datetime
    """Written in UTC, cut to two seconds: ZIP knows no time zones."""
    offset: int
    """Where its local header starts, in bytes from the start of the archive."""
    text_bytes: int
    crc32: int
    """CRC-32 of the text."""
    compressed_bytes: int

    @property
    def end(self) -> int:
        """Where the next local header, or the directory, starts."""
        return self.offset + len(local_header(self)) + self.compressed_bytes


def local_header(entry: Entry) -> bytes:
    """What stands before a member's compressed bytes.

    Raises ValueError for a `modified` without an offset or outside the years 1980 to 2107.
    """
    name = entry.name.encode()
    sizes, zip64 = _sizes(entry)
    extra = _extra(zip64)
    header = _LOCAL_HEADER.pack(
        b"PK\x03\x04",
        _VERSION_ZIP64 if extra else _VERSION_DEFLATE,
        _flags(entry),
        _DEFLATED,
        *_dos_time(entry.modified),
        entry.crc32,
        *sizes,
        len(name),
        len(extra),
    )
    return header + name + extra


def directory(entries: Sequence[Entry]) -> bytes:
    """The central directory and the records that end the archive, behind the last entry."""
    listing = b"".join(map(_directory_entry, entries))
    return listing + _end_records(
        count=len(entries),
        directory_bytes=len(listing),
        offset=entries[-1].end if entries else 0,
    )


def _directory_entry(entry: Entry) -> bytes:
    name = entry.name.encode()
    sizes, zip64 = _sizes(entry)
    offset = min(entry.offset, _MAX32)
    if offset == _MAX32:
        zip64 += (entry.offset,)
    extra = _extra(zip64)
    version = _VERSION_ZIP64 if extra else _VERSION_DEFLATE
    header = _DIRECTORY_ENTRY.pack(
        b"PK\x01\x02",
        _UNIX << 8 | version,
        version,
        _flags(entry),
        _DEFLATED,
        *_dos_time(entry.modified),
        entry.crc32,
        *sizes,
        len(name),
        len(extra),
        0,  # no comment
        0,  # on the first disk
        0,  # internal attributes: none
        _REGULAR_FILE_0644,
        offset,
    )
    return header + name + extra


def _end_records(*, count: int, directory_bytes: int, offset: int) -> bytes:
    end = _END.pack(
        b"PK\x05\x06",
        0,  # this disk
        0,  # the disk of the directory
        min(count, _MAX16),
        min(count, _MAX16),
        min(directory_bytes, _MAX32),
        min(offset, _MAX32),
        0,  # no comment
    )
    if count < _MAX16 and directory_bytes < _MAX32 and offset < _MAX32:
        return end
    zip64_end = _ZIP64_END.pack(
        b"PK\x06\x06",
        _ZIP64_END.size - 12,  # counted from behind this field
        _UNIX << 8 | _VERSION_ZIP64,
        _VERSION_ZIP64,
        0,
        0,
        count,
        count,
        directory_bytes,
        offset,
    )
    locator = _ZIP64_LOCATOR.pack(b"PK\x06\x07", 0, offset + directory_bytes, 1)
    return zip64_end + locator + end


def _sizes(entry: Entry) -> tuple[tuple[int, int], tuple[int, ...]]:
    """The header's two size fields (compressed, text), and what Zip64 must say instead, if any.

    Either both sizes move or none: a local header is not allowed to move only one of them.
    """
    if max(entry.compressed_bytes, entry.text_bytes) < _MAX32:
        return (entry.compressed_bytes, entry.text_bytes), ()
    return (_MAX32, _MAX32), (entry.text_bytes, entry.compressed_bytes)


def _extra(zip64: Sequence[int]) -> bytes:
    if not zip64:
        return b""
    return struct.pack(f"<2H{len(zip64)}Q", _ZIP64_TAG, 8 * len(zip64), *zip64)


def _flags(entry: Entry) -> int:
    return 0 if entry.name.isascii() else _UTF8_NAME


def _dos_time(modified: datetime) -> tuple[int, int]:
    """Time and date fields, in UTC and cut to two seconds."""
    if modified.tzinfo is None:
        raise ValueError("the time of a member needs a UTC offset")
    utc = modified.astimezone(UTC)
    if not 1980 <= utc.year <= 2107:
        raise ValueError(f"ZIP cannot write the year {utc.year}")
    return (
        utc.hour << 11 | utc.minute << 5 | utc.second // 2,
        (utc.year - 1980) << 9 | utc.month << 5 | utc.day,
    )
