"""Outhaul and its rivals on the same rows in the same run: `python -m benchmarks --size small`.

With `--check` only Outhaul and its bare prototype run, and the exit status is 1 when Outhaul takes
more than 1.3 times as long.
"""

import argparse
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks import product
from benchmarks.bounds import igzip_bound
from benchmarks.cases import CASES, TIMEZONE, Case
from benchmarks.homes import Homes, make_homes
from benchmarks.measure import Figure, zip_sizes
from benchmarks.parity import rows_in_parity
from benchmarks.report import PRODUCT, Figures, ratio, write
from benchmarks.rivals import RIVALS, ROW_BY_ROW, shortened
from demo.shop import make_shop

PROTOTYPE, BOUND = "bare prototype", "igzip alone, 2 threads"
_SIZES = {"small": (50_000, 1_000_000), "full": (1_000_000, 20_000_000)}
_MOST_OF_PROTOTYPE = 1.3
_WITHIN_S = 120


class Contest:
    """One run of the whole benchmark in a folder that keeps its data for the next."""

    def __init__(self, folder: Path, *, cursor_days: int | None) -> None:
        """`cursor_days`: of how many days the row-by-row rivals have rows; None: of all."""
        self.folder, self.homes = folder, Homes(folder / "homes")
        self._cursor_days = cursor_days
        self.figures: Figures = defaultdict(lambda: defaultdict(list))
        self.faults: list[str] = []
        self._rows: dict[tuple[str, str], int] = {}

    def round(self, case: Case, rivals: list[str]) -> None:
        """Every contestant once, Outhaul first."""
        archive = self.folder / "product.zip"
        archive.unlink(missing_ok=True)
        found = product.measure(self.folder, case.body, archive)
        self._note(case, PRODUCT, found)
        self._note(case, PROTOTYPE, self._prototype(case))
        self._note(case, BOUND, igzip_bound(archive, self.folder))
        for name in rivals:
            figure = self._rival(case, name, archive)
            if figure is not None:
                self._note(case, (RIVALS[name].__doc__ or name).rstrip("."), figure)

    def _note(self, case: Case, name: str, figure: Figure) -> None:
        self.figures[case.name][name].append(figure)
        print(
            f"{case.name:7} {name:70} {figure.rows:>10,} rows {figure.seconds:7.2f} s"
            f" {figure.cpu_seconds:7.1f} CPU s {figure.peak_mb:6.0f} MB",
            flush=True,
        )

    def _prototype(self, case: Case) -> Figure:
        target = self.folder / "prototype.deflate"
        cost = _alone("benchmarks.prototype", case.name, self.folder / "data", target)
        size = target.stat().st_size
        target.unlink()
        text = self.figures[case.name][PRODUCT][-1].csv_bytes
        return Figure(**cost, csv_bytes=text, zip_bytes=size)

    def _rival(self, case: Case, name: str, archive: Path) -> Figure | None:
        cut = self._cursor_days is not None and RIVALS[name] in ROW_BY_ROW
        if (case.name, name) in self._rows and self._rows[case.name, name] < 0:
            return None
        target = self.folder / f"{name}.zip"
        target.unlink(missing_ok=True)
        days = str(self._cursor_days) if cut else "all"
        try:
            cost = _alone("benchmarks.rivals", name, case.name, days, self.homes.folder, target)
            if (case.name, name) not in self._rows:
                asked = shortened(case, int(days)) if cut and not case.contacts else case
                self._rows[case.name, name] = rows_in_parity(
                    archive, target, asked, self.folder / "scratch", cut=cut
                )
        except (ValueError, subprocess.SubprocessError) as fault:
            kind = "no parity" if isinstance(fault, ValueError) else type(fault).__name__
            self._rows[case.name, name] = -1
            self.faults.append(f"{case.name}, {name}: {kind}: {str(fault)[:400]}")
            print(self.faults[-1], flush=True)
            return None
        text, size = zip_sizes(target)
        target.unlink()
        rows = self._rows[case.name, name]
        return Figure(**cost, rows=rows, csv_bytes=text, zip_bytes=size)


def _alone(module: str, *arguments: object) -> dict[str, Any]:
    """Run a contestant in a process of its own; returns the cost it prints."""
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=_WITHIN_S,
    )
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=_SIZES, default="small")
    parser.add_argument("--folder", type=Path, default=Path("benchmarks-data"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--rivals", nargs="*", choices=RIVALS, default=list(RIVALS))
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve() / arguments.size
    contacts, activities = _SIZES[arguments.size]
    shop = folder / "shop"
    if not (shop / "segments.parquet").exists():
        make_shop(shop, contacts=contacts, activities=activities, days=90)
    product.load(folder, shop, timezone=TIMEZONE, language="es")
    contest = Contest(folder, cursor_days=1 if arguments.size == "full" else None)
    if arguments.check:
        return _check(contest, arguments.rounds)
    window = shortened(CASES["q2"], 1).window if arguments.size == "full" else None
    make_homes(shop, contest.homes, cursor_window=window)
    for case in (CASES[name] for name in arguments.cases):
        rivals = arguments.rivals if case.date_format.value == "ISO" else []
        for _ in range(arguments.rounds):
            contest.round(case, rivals)
        # After every case, so that a run that is stopped leaves what it has found.
        print(write(contest.figures, contest.faults, size=arguments.size))
    return 1 if contest.faults else 0


def _check(contest: Contest, rounds: int) -> int:
    for _ in range(rounds):
        contest.round(CASES["q2"], [])
    found = 1 / ratio(contest.figures["q2"][PROTOTYPE], contest.figures["q2"][PRODUCT])
    print(f"Outhaul takes {found:.2f} x the bare prototype's time (at most {_MOST_OF_PROTOTYPE}).")
    return 0 if found <= _MOST_OF_PROTOTYPE else 1


if __name__ == "__main__":
    sys.exit(main())
