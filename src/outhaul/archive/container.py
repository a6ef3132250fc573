"""A ZIP put together from slices that are compressed already.

A member is its local header, its slices one after another and one empty final deflate block. All
lengths and checksums are known before the first byte goes out, so every header is final: no data
descriptors, which readers that stream (Java's ZipInputStream) cannot follow past 4 GiB, and no
seeking back, which an object store cannot do. The same members always give the same bytes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from isal import isal_zlib

from outhaul.archive.headers import Entry, directory, local_header
from outhaul.domain.errors import OuthaulError

FINAL_BLOCK = b"\x03\x00"
"""Ends a deflate stream; empty."""


class PartLengthWrong(OuthaulError):
    """A part gave other than the promised number of bytes: what went out so far is no ZIP."""

    def __init__(self, *, member: str, index: int, promised: int, given: int) -> None:
        super().__init__(f"part {index} of {member}: {given} bytes instead of {promised}")
        self.member = member
        self.index = index
        self.promised = promised
        self.given = given
        """Bytes counted until it was clear; with too many, reading stops at the first excess."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A slice as `deflate.SliceCompressor` left it."""

    text_bytes: int
    crc32: int
    """CRC-32 of the text."""
    compressed_bytes: int
    read: Callable[[], Iterator[bytes]]
    """Opens the compressed bytes, from the start."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """A file of the archive: the texts of its parts, joined."""

    name: str
    modified: datetime
    """Written in UTC, to two seconds; ZIP has no time zones. From 1980 up to 2107."""
    parts: Sequence[Part]


def archive_size(members: Sequence[Member]) -> int:
    """The exact number of bytes that `archive_bytes` gives; reads no part."""
    entries = _entries(members)
    return _end_of(entries) + len(directory(entries))


def archive_bytes(members: Sequence[Member]) -> Iterator[bytes]:
    """The whole ZIP, one buffer at a time; parts are opened one by one as their turn comes.

    Raises PartLengthWrong where a part breaks its promise, and ValueError, before the first
    byte, for a `modified` without an offset or outside the years that ZIP can write.
    """
    entries = _entries(members)
    ending = directory(entries)
    for member, entry in zip(members, entries, strict=True):
        yield local_header(entry)
        for index, part in enumerate(member.parts):
            yield from exactly(part, member=member.name, index=index)
        yield FINAL_BLOCK
    yield ending


def exactly(part: Part, *, member: str, index: int) -> Iterator[bytes]:
    """The part's compressed bytes. Raises PartLengthWrong, at the latest behind the last one."""
    given = 0
    for chunk in part.read():
        given += len(chunk)
        if given > part.compressed_bytes:
            break
        yield chunk
    if given != part.compressed_bytes:
        raise PartLengthWrong(
            member=member, index=index, promised=part.compressed_bytes, given=given
        )


def _entries(members: Sequence[Member]) -> list[Entry]:
    entries: list[Entry] = []
    for member in members:
        entries.append(
            Entry(
                name=member.name,
                modified=member.modified,
                offset=_end_of(entries),
                text_bytes=sum(part.text_bytes for part in member.parts),
                crc32=combined_crc32(member),
                compressed_bytes=compressed_bytes(member),
            )
        )
    return entries


def combined_crc32(member: Member) -> int:
    """CRC-32 of the member's whole text."""
    crc32 = 0
    for part in member.parts:
        crc32 = isal_zlib.crc32_combine(crc32, part.crc32, part.text_bytes)
    return crc32


def compressed_bytes(member: Member) -> int:
    """Length of the member in the archive, without its headers."""
    return sum(part.compressed_bytes for part in member.parts) + len(FINAL_BLOCK)


def _end_of(entries: Sequence[Entry]) -> int:
    return entries[-1].end if entries else 0
