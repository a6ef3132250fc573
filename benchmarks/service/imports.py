"""Imports against the engine's own bulk load of the same file, in turn."""

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb

from benchmarks.service.shops import Line
from demo.server import outhaul
from demo.shop import FileFormat, make_shop

_ROUNDS = 3
_READERS: dict[FileFormat, str] = {
    "parquet": "read_parquet",
    "jsonl": "read_json",
    "csv": "read_csv",
}


def imports(folder: Path, *, contacts: int, activities: int) -> Iterator[Line]:
    """Activities of every format, sorted and shuffled, and contacts."""
    for format_ in _READERS:
        for shuffled in (False, True):
            name = f"{format_}, {'shuffled' if shuffled else 'sorted'}"
            shop = make_shop(
                folder / "imports" / name.replace(", ", "-"),
                contacts=contacts,
                activities=activities,
                file_format=format_,
                shuffled=shuffled,
            )
            yield _compared(f"{activities:,} activities, {name}", "activities", shop.activities)
            if not shuffled:
                yield _compared(f"{contacts:,} contacts, {format_}", "contacts", shop.contacts)


def _compared(what: str, kind: str, path: Path) -> Line:
    ours, engine = [], []
    for round_ in range(_ROUNDS):
        data = path.parent / f"data-{kind}-{round_}"
        account = outhaul("accounts", "create", "Import", "--timezone", "UTC", data=data)
        fields = ("--create-fields",) if kind == "contacts" else ()
        started = time.monotonic()
        outhaul("import", kind, str(path), "--account", account, *fields, data=data)
        ours.append(time.monotonic() - started)
        engine.append(_bulk_load(path, kind, data / "bulk.duckdb"))
    mine, rival = statistics.median(ours), statistics.median(engine)
    return Line(
        what=f"import of {what}: Outhaul (whole command) and the engine's bulk load",
        seen=f"{mine:.1f} and {rival:.1f} s, {rival / mine:.2f} of its speed",
        goal=">= 0.5",
        met=rival / mine >= 0.5,
    )


def _bulk_load(path: Path, kind: str, target: Path) -> float:
    format_: FileFormat = next(one for one in _READERS if path.name.endswith(one))
    order = '"createdAt"' if kind == "activities" else '"_createdAt"'
    started = time.monotonic()
    config = {"memory_limit": "512MB", "threads": 2}
    with duckdb.connect(str(target), config=config) as connection:
        connection.execute(
            f"CREATE TABLE loaded AS SELECT * FROM {_READERS[format_]}('{path}') ORDER BY {order}"
        )
        connection.execute("CHECKPOINT")
    return time.monotonic() - started
