"""The bare prototype of Outhaul's own idea: its upper bound.

    python -m benchmarks.prototype CASE DATA TARGET

The engine's lines of every slice, compressed by two threads and written behind one another: no
server, catalog, leases, object store or digest of the archive.
"""

import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import IO

from isal import isal_zlib

from benchmarks.cases import CASES, TIMEZONE, Case
from benchmarks.measure import costing
from demo.shop import LARGE_SEGMENT_ID
from outhaul.domain.account import Language
from outhaul.domain.cancellation import Cancellation
from outhaul.domain.columns import Column
from outhaul.domain.export import (
    Delimiter,
    Frozen,
    MemberKind,
    Selection,
    SlicePlan,
    Version,
)
from outhaul.domain.instants import from_epoch_ms
from outhaul.domain.members import rows_of_slice
from outhaul.domain.versions import columns
from outhaul.render.line import line_sql
from outhaul.store.commits import Commits
from outhaul.store.contact_fields import ContactFields
from outhaul.store.engine import Engine
from outhaul.store.reader import SnapshotReader, TextBatch

_SLICE_ROWS = 250_000
_BLOCK = 256 * 1024


@dataclass(frozen=True, kw_only=True)
class Task:
    """One slice of one member, with the member's columns."""

    selection: Selection
    shown: tuple[Column, ...]
    part: SlicePlan


class Shop:
    """The case's rows in a loaded store, planned as the product plans them."""

    def __init__(self, case: Case, data: Path, *, threads: int = 2) -> None:
        store = data / "store"
        # The others hold the small accounts of the benchmarks of the service.
        self.account = max(store.glob("*.duckdb"), key=lambda path: path.stat().st_size).stem
        self.engine = Engine(store, memory_limit="256MB", threads=threads)
        self.reader = SnapshotReader(self.engine)
        self.case = case
        snapshot = Commits(self.engine).snapshot(self.account).number
        self._frozen = Frozen(
            timezone=TIMEZONE,
            language=Language.ES,
            mobile_push=False,
            custom_fields=ContactFields(self.engine).as_of(self.account, snapshot),
        )
        self.tasks = [task for kind in _kinds(case) for task in self._planned(kind, snapshot)]

    def _planned(self, kind: MemberKind, snapshot: int) -> list[Task]:
        case = self.case
        selection = Selection(
            kind=kind,
            snapshot=snapshot,
            segment_id=LARGE_SEGMENT_ID if case.segment else None,
            from_date=None if case.contacts else case.window[0],
            to_date=None if case.contacts else case.window[1] - timedelta(milliseconds=1),
            activity_types=case.types,
        )
        shown = columns(kind, Version.V6, self._frozen, case.types)
        parts = self.reader.cut(
            self.account,
            selection,
            slice_rows=rows_of_slice(kind, shown, _SLICE_ROWS),
            cancellation=Cancellation(),
        )
        return [Task(selection=selection, shown=shown, part=part) for part in parts]

    def line(self, task: Task, types: frozenset[str]) -> str:
        """The SQL of one line of the task."""
        part = task.part
        return line_sql(
            task.shown,
            types=types,
            delimiter=Delimiter.COMMA,
            date_format=self.case.date_format,
            frozen=self._frozen,
            created=(
                from_epoch_ms(part.first.created_ms),
                from_epoch_ms(part.until.created_ms + 1),
            ),
        )

    def batches(self, task: Task) -> Iterator[TextBatch]:
        """The task's lines as the engine hands them out."""
        return self.reader.lines(
            self.account,
            task.selection,
            task.part,
            line_sql=lambda types: self.line(task, types),
            cancellation=Cancellation(),
        )


def run(case: Case, data: Path, target: Path) -> int:
    """Write the compressed lines of the case to `target`; returns the rows."""
    shop, lock = Shop(case, data), Lock()

    def written(task: Task, file: IO[bytes]) -> int:
        deflate, rows, pieces = isal_zlib.compressobj(level=1, wbits=-15), 0, []
        for batch in shop.batches(task):
            rows += batch.rows
            pieces += [
                deflate.compress(batch.text[start : start + _BLOCK])
                for start in range(0, len(batch.text), _BLOCK)
            ]
        pieces.append(deflate.flush())
        with lock:
            file.writelines(pieces)
        return rows

    with target.open("wb") as file, ThreadPoolExecutor(2) as pool:
        rows = sum(pool.map(lambda task: written(task, file), shop.tasks))
    shop.engine.close()
    return rows


def _kinds(case: Case) -> list[MemberKind]:
    if case.contacts:
        return [MemberKind.CONTACTS]
    return [MemberKind.ACTIVITIES, MemberKind.PRODUCTS]


def main() -> None:
    """Run once and print the cost as JSON."""
    case, data, target = sys.argv[1:]
    with costing([os.getpid()]) as cost:
        rows = run(CASES[case], Path(data), Path(target))
    print(json.dumps(vars(cost) | {"rows": rows}))


if __name__ == "__main__":
    main()
