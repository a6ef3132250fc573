"""What running exports take and leave: fairness, memory, cores, and what a cancelled one frees."""

import os
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil

from benchmarks.measure import costing
from benchmarks.product import Server, export, serving
from benchmarks.service.shops import (
    CONTACTS,
    Line,
    activities,
    add_account,
    ask,
    client,
)
from demo.shop import UNTIL, make_shop

_SMALL_ACCOUNTS = 15
_MOST_MB = 450


def fairness(folder: Path) -> Iterator[Line]:
    """The big account queues four exports first, then fifteen small accounts four each."""
    shop = make_shop(folder / "small", contacts=2_000, activities=1000, days=30)
    files = {"contacts": shop.contacts}
    data = folder / "data"
    keys = [add_account(data, f"Small {number}", files) for number in range(_SMALL_ACCOUNTS)]
    with serving(folder, MEMORY_LIMIT="256MB") as server, ExitStack() as stack:
        callers = [server.http, *(stack.enter_context(client(server, key)) for key in keys)]
        with costing([server.pid]) as cost:
            started = time.monotonic()
            bodies = [activities(31), *[CONTACTS] * _SMALL_ACCOUNTS]
            waiting = {
                ask(http, body): place
                for place, (http, body) in enumerate(zip(callers, bodies, strict=True))
                for _ in range(4)
            }
            ended: dict[int, list[float]] = {place: [] for place in range(len(callers))}
            totals: dict[int, set[int]] = {place: set() for place in range(len(callers))}
            while waiting:
                for id_, place in list(waiting.items()):
                    found = callers[place].get(f"/exports/{id_}").raise_for_status().json()
                    if found["status"] == "error":
                        raise RuntimeError("an export ended in an error")
                    if found["status"] == "finished":
                        ended[place].append(time.monotonic() - started)
                        totals[place].add(found["total"])
                        del waiting[id_]
                time.sleep(0.05)
    right = all(len(one) == 1 for one in totals.values()) and all(
        totals[place] == {shop.contact_count} for place in range(1, len(callers))
    )
    small = max(max(times) for place, times in ended.items() if place)
    yield Line(
        what="64 exports of 16 accounts: all finished with equal and right row counts",
        seen=str(right),
        goal="True",
        met=right,
    )
    yield Line(
        what="the last of 60 small exports; the big account's first and last",
        seen=f"{small:.1f} s; {min(ended[0]):.1f} and {max(ended[0]):.1f} s",
        goal="small ones before the big backlog",
        met=small < max(ended[0]),
    )
    yield Line(
        what="peak memory meanwhile",
        seen=f"{cost.peak_mb:.0f} MB",
        goal=f"<= {_MOST_MB} MB",
        met=cost.peak_mb <= _MOST_MB,
    )


def memory(folder: Path) -> Iterator[Line]:
    """Freshly started servers that export about 1 M rows, a month, and three months."""
    peaks = []
    for days, times in ((4.2, 1), (31, 1), (30, 3)):
        rows = 0
        with serving(folder, MEMORY_LIMIT="256MB") as server, costing([server.pid]) as cost:
            for month in range(times):
                until = UNTIL.fromtimestamp(UNTIL.timestamp() - month * 30 * 86_400, UNTIL.tzinfo)
                done = export(server, activities(days, until))
                rows += done["total"]
                server.http.delete(f"/exports/{done['id']}")
        peaks.append(cost.peak_mb)
        yield Line(
            what=f"peak memory, {rows:,} rows exported",
            seen=f"{cost.peak_mb:.0f} MB",
            goal=f"<= {_MOST_MB} MB",
            met=cost.peak_mb <= _MOST_MB,
        )
    spread = max(peaks) / min(peaks)
    yield Line(
        what="largest of these peaks over the smallest",
        seen=f"{spread:.2f}",
        goal="<= 1.10",
        met=spread <= 1.10,
    )


def cores(folder: Path) -> Iterator[Line]:
    """The same export on one core with one worker, and on two with two; three rounds in turn."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(3):
        for count, times in seconds.items():
            settings = {"MEMORY_LIMIT": "256MB", "WORKERS": str(count)}
            with serving(folder, **settings) as server:
                for thread in psutil.Process(server.pid).threads():
                    os.sched_setaffinity(thread.id, set(range(count)))
                started = time.monotonic()
                done = export(server, activities(31))
                times.append(time.monotonic() - started)
                server.http.delete(f"/exports/{done['id']}")
    one, two = (statistics.median(times) for times in seconds.values())
    yield Line(
        what="one core and two cores, 31 days",
        seen=f"{one:.1f} and {two:.1f} s, {one / two:.2f} x",
        goal=">= 1.7 x",
        met=one / two >= 1.7,
    )


def cancel(folder: Path) -> Iterator[Line]:
    """DELETE of a running export: until the processor is idle, and until its files are gone."""
    idle, gone = [], []
    with serving(folder, MEMORY_LIMIT="256MB") as server:
        for _ in range(5):
            id_ = ask(server.http, activities(31))
            while not _files(folder, id_):
                time.sleep(0.02)
            started = time.monotonic()
            server.http.delete(f"/exports/{id_}").raise_for_status()
            while _files(folder, id_):
                time.sleep(0.01)
            gone.append(time.monotonic() - started)
            idle.append(_idle_after(server, started))
    for what, times in (("its queries have stopped", idle), ("its files are gone", gone)):
        yield Line(
            what=f"after DELETE of a running export, {what}: median and most of 5",
            seen=f"{statistics.median(times):.2f} and {max(times):.2f} s",
            goal="< 1 s",
            met=max(times) < 1,
        )


def _files(folder: Path, id_: str) -> list[Path]:
    # Not rglob, which fails where a folder goes while it looks.
    walk = os.walk(folder / "data")
    return [Path(root) / name for root, _, names in walk if id_ in root for name in names]


def _idle_after(server: Server, started: float) -> float:
    """Seconds since `started` at which the first quiet stretch of 0.2 s began."""
    process = psutil.Process(server.pid)
    while True:
        at = time.monotonic()
        before = sum(process.cpu_times()[:2])
        time.sleep(0.2)
        if sum(process.cpu_times()[:2]) - before <= 0.04:
            return at - started
