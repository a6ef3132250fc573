"""What one run cost: seconds, processor seconds, peak memory, rows and bytes."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

_EVERY_S = 0.02


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One run of one contestant. Memory is the sum over its processes."""

    rows: int
    seconds: float
    cpu_seconds: float
    peak_mb: float
    csv_bytes: int
    zip_bytes: int


@dataclass
class Cost:
    """Filled when `costing` ends."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0


@contextmanager
def costing(pids: list[int]) -> Iterator[Cost]:
    """Measure a stretch of time: processor time and the highest resident memory of processes.

    Memory is read every 20 ms, so that a server's earlier peaks do not count.
    """
    processes = [psutil.Process(pid) for pid in pids]
    cost, done = Cost(), threading.Event()
    peak = 0

    def watch() -> None:
        nonlocal peak
        while True:
            peak = max(peak, sum(process.memory_info().rss for process in processes))
            if done.wait(_EVERY_S):
                return

    watcher = threading.Thread(target=watch)
    before, started = _cpu(processes), time.monotonic()
    watcher.start()
    try:
        yield cost
    finally:
        cost.seconds = time.monotonic() - started
        cost.cpu_seconds = _cpu(processes) - before
        done.set()
        watcher.join()
        cost.peak_mb = peak / 1e6


def _cpu(processes: list[psutil.Process]) -> float:
    # With the ended children, because a PostgreSQL connection is a process of its own.
    return sum(sum(process.cpu_times()[:4]) for process in processes)


def zip_sizes(archive: Path) -> tuple[int, int]:
    """Bytes of the members' text and of the ZIP."""
    import zipfile

    with zipfile.ZipFile(archive) as opened:
        text = sum(info.file_size for info in opened.infolist())
    return text, archive.stat().st_size
