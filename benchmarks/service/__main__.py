"""The server under load, as one table: `python -m benchmarks.service --folder DIR`.

DIR is a folder of `python -m benchmarks`, such as DIR/small or DIR/full of its `--folder`, with
the account already loaded. A goal that is missed is printed as missed.
"""

import argparse
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from benchmarks.service.imports import imports
from benchmarks.service.intake import intake
from benchmarks.service.latency import polling, tiny
from benchmarks.service.sharing import cancel, cores, fairness, memory
from benchmarks.service.shops import Line

_RESULTS = Path(__file__).parent.parent / "results"
_WORD = {True: "met", False: "**missed**", None: ""}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--contacts", type=int, default=100_000, help="rows to import")
    parser.add_argument("--activities", type=int, default=500_000, help="rows to import")
    parser.add_argument("--only", nargs="+", help="some of the measurements")
    arguments = parser.parse_args()
    measurements: dict[str, Callable[[Path], Iterator[Line]]] = {
        one.__name__: one for one in (tiny, polling, cancel, fairness, memory, cores)
    }
    measurements["imports"] = partial(
        imports, contacts=arguments.contacts, activities=arguments.activities
    )
    measurements["intake"] = partial(intake, contacts=arguments.contacts)
    now = datetime.now(UTC)
    report = _RESULTS / f"service-{arguments.folder.name}-{now:%Y-%m-%d}.md"
    lines = ["| what | seen | goal | |", "|---|---|---|---|"]
    print(*lines, sep="\n", flush=True)
    for name in arguments.only or measurements:
        for line in measurements[name](arguments.folder):
            lines.append(f"| {line.what} | {line.seen} | {line.goal} | {_WORD[line.met]} |")
            print(lines[-1], flush=True)
            title = f"# Service benchmark, {arguments.folder.name}, {now:%Y-%m-%d}"
            report.write_text("\n".join([title, "", *lines, ""]))


main()
