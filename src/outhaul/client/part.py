"""A download on its way: the bytes that arrived so far, and what they must be in the end."""

import base64
import binascii
import hashlib
import os
import re
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from outhaul.client.errors import DownloadBroken
from outhaul.client.steps import Answer

_TELL_EVERY_S = 0.1
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class Part:
    """A sink that writes to a `.part` file and goes on where an earlier attempt has ended."""

    def __init__(self, path: Path, tell: Callable[[int, int | None], None]) -> None:
        """`tell` is called with the bytes that are there and the bytes there will be."""
        self.path = path
        self.etag: str | None = None
        self.sha256: str | None = None
        """What the server says, in hex."""
        self.total: int | None = None
        self._tell = tell
        self._told_at = 0.0
        self._file: BinaryIO = path.open("ab")

    @property
    def size(self) -> int:
        return self._file.tell()

    def begin(self, answer: Answer) -> bool:
        """Take notice of the headers; False for what is no file."""
        if answer.status not in {200, 206}:
            return False
        start, self.total = _extent(answer)
        if start > self.size:
            raise DownloadBroken("the server sent another part of the file than was asked for")
        self.restart(start)
        etag = answer.headers.get("etag")
        # A weak tag does not promise the same bytes.
        self.etag = etag if etag and not etag.startswith("W/") else None
        self.sha256 = _digest(answer.headers.get("repr-digest", ""))
        return True

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        now = time.monotonic()
        if now - self._told_at >= _TELL_EVERY_S:
            self._told_at = now
            self._tell(self.size, self.total)

    def restart(self, start: int = 0) -> None:
        """Forget all bytes from `start` on."""
        self._file.seek(start)
        self._file.truncate()

    def close(self) -> None:
        """Let go of the file; what is there stays for another attempt."""
        self._file.close()

    def keep(self) -> None:
        """Have the disk keep the bytes."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._tell(self.size, self.total)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A file that was looked at from its first to its last byte."""

    bytes: int
    sha256: str
    against: str
    """What it was compared with: `digest`, or `zip` for the checksums within the file."""


def check(path: Path, *, total: int | None, sha256: str | None) -> Checked:
    """Compare the file with what is known of it. Raises DownloadBroken."""
    size = path.stat().st_size
    if total is not None and size != total:
        raise DownloadBroken(f"{size} bytes arrived instead of {total}")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if sha256 is not None and found != sha256:
        raise DownloadBroken(f"SHA-256 is {found} instead of {sha256}")
    if sha256 is None:
        _check_zip(path)
    return Checked(bytes=size, sha256=found, against="zip" if sha256 is None else "digest")


def _check_zip(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise DownloadBroken(f"this is no whole ZIP: {error}") from None
    if broken is not None:
        raise DownloadBroken(f"{broken} in the ZIP does not fit its checksum")


def _extent(answer: Answer) -> tuple[int, int | None]:
    """Where the body starts, and the length of the whole file where it is told."""
    if answer.status == 206:
        found = _RANGE.fullmatch(answer.headers.get("content-range", ""))
        if found is None:
            raise DownloadBroken("the server sent a part of the file and did not say which")
        return int(found[1]), None if found[2] == "*" else int(found[2])
    length = answer.headers.get("content-length", "")
    return 0, int(length) if length.isdecimal() else None


def _digest(header: str) -> str | None:
    """The SHA-256 in a Repr-Digest header (RFC 9530), in hex."""
    found = re.search(r"\bsha-256=:([A-Za-z0-9+/=]+):", header)
    if found is None:
        return None
    try:
        return base64.b64decode(found[1], validate=True).hex()
    except binascii.Error:
        return None
