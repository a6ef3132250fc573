"""Joins the ZIPs of several windows into one: their files one behind the other, one header each."""

import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from outhaul.client.errors import DownloadBroken

_CHUNK_BYTES = 1024 * 1024
_PRODUCT = "-product.csv"
_LEVEL = 1
_HEADER = re.compile(rb'(?:[^"\n]|"[^"]*")*\n')
"""A line end within quotes belongs to a value."""


def join(parts: Sequence[Path], target: Path, tell: Callable[[int], None]) -> None:
    """Write `target`, in constant memory; `tell` is called with the number of files done.

    Raises DownloadBroken when the files do not have the same columns.
    """
    with zipfile.ZipFile(
        target, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=_LEVEL
    ) as joined:
        for product in (False, True):
            found = [(path, name) for path in parts for name in members(path, product=product)]
            if not found:
                continue
            with joined.open(found[0][1], "w", force_zip64=True) as out:
                header = b""
                for number, (path, name) in enumerate(found):
                    with zipfile.ZipFile(path) as archive, archive.open(name) as text:
                        header = _copy(text, out, header, name)
                    if not product:
                        tell(number + 1)


def members(path: Path, *, product: bool) -> list[str]:
    """The names of a ZIP's CSV files: those with product lines, or the others."""
    with zipfile.ZipFile(path) as archive:
        return [name for name in archive.namelist() if name.endswith(_PRODUCT) == product]


def _copy(text: IO[bytes], out: IO[bytes], header: bytes, name: str) -> bytes:
    """Copy all lines but a header that was written already; the header."""
    start = b""
    while (found := _HEADER.match(start)) is None:
        more = text.read(_CHUNK_BYTES)
        if not more:
            raise DownloadBroken(f"{name} has no header")
        start += more
    if header and found[0] != header:
        raise DownloadBroken(f"{name} has other columns than the windows before; export again")
    out.write(start[found.end() :] if header else start)
    while chunk := text.read(_CHUNK_BYTES):
        out.write(chunk)
    return found[0]
