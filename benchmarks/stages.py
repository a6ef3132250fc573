"""Where the time of an export goes: `python -m benchmarks.stages --folder DIR --case q2`.

DIR is a folder that `python -m benchmarks` has loaded. The same rows go through one stage more each
time, one slice after another on one thread, so the difference between two lines is what the later
stage costs. System time is nearly all page faults: memory that is given back and asked for again.
"""

import argparse
import hashlib
import resource
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import nanoarrow

from benchmarks.cases import CASES
from benchmarks.prototype import Shop, Task
from outhaul.archive.deflate import SliceCompressor
from outhaul.files.object_store import Files, open_files
from outhaul.store.reader import SmallBatches
from outhaul.store.selection import query, within

_RESULTS = Path(__file__).parent / "results"
_ROUNDS = 3


@dataclass(frozen=True, kw_only=True)
class Used:
    """Of this process: processor seconds and page faults."""

    user: float
    system: float
    faults: int

    @property
    def cpu(self) -> float:
        return self.user + self.system


def _used(action: Callable[[], object]) -> Used:
    before = resource.getrusage(resource.RUSAGE_SELF)
    action()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return Used(
        user=after.ru_utime - before.ru_utime,
        system=after.ru_stime - before.ru_stime,
        faults=after.ru_minflt - before.ru_minflt,
    )


def _rendered(shop: Shop, task: Task, *, ordered: bool, as_text: bool) -> None:
    with shop.engine.session(shop.account) as connection:
        rows = query(task.selection, identities_changed=False)
        condition, parameters = within(rows, task.part.first, task.part.until)
        statement = rows.lines(lambda types: shop.line(task, types), condition)
        if not ordered:
            statement = statement[: statement.rindex(" ORDER BY ")]
        if as_text:
            relation = connection.sql(statement, params=parameters)
            with nanoarrow.c_array_stream(SmallBatches(relation)) as stream:
                for _ in stream:
                    pass
        else:
            # Only summed up: the lines are made, and leave the engine no more.
            connection.execute(
                f"SELECT sum(strlen(line)) FROM ({statement})", parameters
            ).fetchall()


def _compressed(shop: Shop, task: Task) -> Iterator[bytes]:
    compressor = SliceCompressor()
    for batch in shop.batches(task):
        yield compressor.write(batch.text)
    yield compressor.finish()


def _stored(shop: Shop, files: Files) -> None:
    for number, task in enumerate(shop.tasks):
        files.write(f"slices/{number}", _compressed(shop, task))


def _assembled(shop: Shop, files: Files) -> None:
    whole = hashlib.sha256()

    def stitched() -> Iterator[bytes]:
        for number in range(len(shop.tasks)):
            part = hashlib.sha256()
            for chunk in files.read(f"slices/{number}"):
                part.update(chunk)
                whole.update(chunk)
                yield chunk

    files.write("archive.zip", stitched())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--case", choices=CASES, default="q2")
    arguments = parser.parse_args()
    shop = Shop(CASES[arguments.case], arguments.folder / "data", threads=1)
    rows = sum(task.part.rows for task in shop.tasks)

    def each(action: Callable[[Task], object]) -> Callable[[], object]:
        return lambda: [action(task) for task in shop.tasks]

    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        files = open_files(folder)
        stages: dict[str, Callable[[], object]] = {
            "read the columns and make the lines": each(
                lambda task: _rendered(shop, task, ordered=False, as_text=False)
            ),
            "and hand them out as text": each(
                lambda task: _rendered(shop, task, ordered=False, as_text=True)
            ),
            "and sort them": each(lambda task: _rendered(shop, task, ordered=True, as_text=True)),
            "and compress and hash them": each(
                lambda task: [len(chunk) for chunk in _compressed(shop, task)]
            ),
            "and store the slices": lambda: _stored(shop, files),
            "(assemble the archive, alone)": lambda: _assembled(shop, files),
        }
        lines = [
            f"# Where the time goes: {arguments.case}, {rows:,} rows, {datetime.now(UTC):%Y-%m-%d}",
            "",
            "One thread, an engine limit of 256 MB; least of three turns.",
            "",
            "| stage | CPU s | of it system s | page faults | us a row |",
            "|---|--:|--:|--:|--:|",
        ]
        for name, action in stages.items():
            least = min((_used(action) for _ in range(_ROUNDS)), key=lambda used: used.cpu)
            lines.append(
                f"| {name} | {least.cpu:.2f} | {least.system:.2f} | {least.faults:,}"
                f" | {least.cpu / rows * 1e6:.2f} |"
            )
            print(lines[-1], flush=True)
    shop.engine.close()
    target = _RESULTS / f"stages-{arguments.case}-{datetime.now(UTC):%Y-%m-%d}.md"
    target.write_text("\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
