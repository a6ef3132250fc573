"""What nothing of this kind can beat: `python -m benchmarks.bounds ZIP` compresses its text again.

The text of the product's own archive is compressed with igzip, level 1, by two threads that do
nothing else; and the bare prototype renders and compresses without server, catalog or proof.
"""

import sys
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
from isal import isal_zlib

from benchmarks.measure import Figure, costing

_BLOCK = 256 * 1024
_PART = 64 << 20


def igzip_bound(archive: Path, scratch: Path) -> Figure:
    """Compress the archive's text, extracted beforehand, on two threads."""
    with zipfile.ZipFile(archive) as opened:
        texts = [Path(opened.extract(name, scratch)) for name in opened.namelist()]
    parts = [(text, start) for text in texts for start in range(0, text.stat().st_size, _PART)]
    with costing([psutil.Process().pid]) as cost, ThreadPoolExecutor(2) as pool:
        sizes = list(pool.map(_compressed, parts))
    total = sum(text.stat().st_size for text in texts)
    for text in texts:
        text.unlink()
    return Figure(
        rows=0,
        seconds=cost.seconds,
        cpu_seconds=cost.cpu_seconds,
        peak_mb=cost.peak_mb,
        csv_bytes=total,
        zip_bytes=sum(sizes),
    )


def _compressed(part: tuple[Path, int]) -> int:
    text, start = part
    deflate = isal_zlib.compressobj(level=1, wbits=-15)
    size = 0
    with text.open("rb", buffering=0) as file:
        file.seek(start)
        for block in _blocks(file.read(_PART)):
            size += len(deflate.compress(block))
    return size + len(deflate.flush())


def _blocks(text: bytes) -> Iterator[memoryview]:
    view = memoryview(text)
    return (view[start : start + _BLOCK] for start in range(0, len(view), _BLOCK))


if __name__ == "__main__":
    print(igzip_bound(Path(sys.argv[1]), Path(sys.argv[2])))
