"""The main job at size: import contacts and activities, export a full 31 days; times and memory.

    python -m benchmarks.main_job --contacts 1000000 --activities 5000000

Prints one table. Peak memory is the serving process's high-water mark (VmHWM) after each step.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import psutil
from rich.console import Console
from rich.table import Table

from demo.client import ExportCaller
from demo.server import outhaul, running_server
from demo.shop import make_shop


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--activities", type=int, default=5_000_000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--folder", type=Path, help="where to work (default: a temporary folder)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        _measure(Path(folder), arguments.contacts, arguments.activities, arguments.days)


def _measure(folder: Path, contacts: int, activities: int, days: int) -> None:
    table = Table("step", "rows", "seconds", "rows/s", "peak MB so far", "file MB")
    data, log = folder / "data", folder / "server.log"
    shop = make_shop(folder / "shop", contacts=contacts, activities=activities, days=days)
    account = outhaul("accounts", "create", "Load", "--timezone", "Europe/Madrid", data=data)
    scopes = ("--scope", "export:read", "--scope", "export:write")
    key = outhaul("keys", "create", account, *scopes, data=data)

    with running_server(data=data, log=log) as url, httpx.Client(base_url=url) as http:
        server = _serving(data)

        def step(name: str, action: Callable[[], tuple[int, int]]) -> None:
            started = time.monotonic()
            rows, size = action()
            seconds = time.monotonic() - started
            cells = (f"{rows:,}", f"{seconds:.1f}", f"{rows / seconds:,.0f}")
            table.add_row(name, *cells, f"{_peak_mb(server):.0f}", f"{size / 1e6:.0f}")

        def imported(kind: str, path: Path, rows: int, *options: str) -> tuple[int, int]:
            outhaul("import", kind, str(path), "--account", account, *options, data=data)
            return rows, path.stat().st_size

        def exported(body: dict[str, object]) -> tuple[int, int]:
            done = caller.wait(caller.create(base | body), lambda _done, _total: None)
            return done["total"], int(http.head(done["fileUrl"]).headers["Content-Length"])

        caller = ExportCaller(http, key=key)
        base: dict[str, object] = {"delimiter": ",", "dateFormat": "ISO"}
        start = (shop.until - timedelta(days=31)).isoformat()
        window = {"fromDate": start, "toDate": shop.until.isoformat()}
        step("import contacts", lambda: imported(
            "contacts", shop.contacts, contacts, "--create-fields"))  # fmt: skip
        step("import activities", lambda: imported("activities", shop.activities, activities))
        step("export contacts", lambda: exported({"exportType": "contacts"}))
        step("export 31 days", lambda: exported({"exportType": "activities", "filters": window}))
    Console(width=100).print(table)


def _serving(data: Path) -> psutil.Process:
    return next(
        process
        for process in psutil.process_iter(["cmdline"])
        if "serve" in (process.info["cmdline"] or []) and str(data) in process.info["cmdline"]
    )


def _peak_mb(process: psutil.Process) -> float:
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1000
    return 0.0


if __name__ == "__main__":
    main()
