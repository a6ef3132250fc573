"""The table, the raw figures and the picture in `benchmarks/results/`."""

import json
import platform
import statistics
import subprocess
from collections import defaultdict
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import matplotlib.pyplot as plt
import psutil

from benchmarks.measure import Figure

RESULTS = Path(__file__).parent / "results"
PRODUCT = "Outhaul, over HTTP"

Figures = dict[str, dict[str, list[Figure]]]
"""Case, contestant, rounds in order."""


def median(figures: list[Figure], name: str) -> float:
    return statistics.median(getattr(figure, name) for figure in figures)


def ratio(figures: list[Figure], product: list[Figure]) -> float:
    """How many times the product's time a contestant takes per row (the igzip bound: per byte),
    as the median over rounds."""

    def pace(figure: Figure) -> float:
        return figure.seconds / (figure.rows or figure.csv_bytes)

    def product_pace(figure: Figure, against: Figure) -> float:
        return figure.seconds / (figure.rows if against.rows else figure.csv_bytes)

    return statistics.median(
        pace(figure) / product_pace(own, figure)
        for figure, own in zip(figures, product, strict=False)
    )


def write(figures: Figures, faults: list[str], *, size: str) -> Path:
    """Write `<size>-<date>.md`, `.json` and `.png`; returns the first."""
    RESULTS.mkdir(exist_ok=True)
    stem = RESULTS / f"{size}-{datetime.now(UTC):%Y-%m-%d}"
    raw = {
        case: {name: [asdict(figure) for figure in rounds] for name, rounds in contest.items()}
        for case, contest in figures.items()
    }
    stem.with_suffix(".json").write_text(json.dumps(raw, indent=1) + "\n")
    stem.with_suffix(".md").write_text(_markdown(figures, faults, size))
    _plot(figures, stem.with_suffix(".png"))
    return stem.with_suffix(".md")


def _markdown(figures: Figures, faults: list[str], size: str) -> str:
    lines = [f"# Benchmark, {size}, {datetime.now(UTC):%Y-%m-%d}", "", _machine(), ""]
    lines += [
        "Medians over the rounds. x: times Outhaul's time per row, round by round (below 1: faster"
        " than Outhaul); the bound's is per byte. All rows of a line were found equal, value for"
        " value, to Outhaul's.",
    ]
    for case, contest in figures.items():
        lines += ["", f"## {case}", ""]
        lines.append("| contestant | rows | s | x | CPU s | peak MB | CSV MB | ZIP MB | rounds |")
        lines.append("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
        for name, rounds in contest.items():
            lines.append(
                f"| {name} | {int(median(rounds, 'rows')):,} | {median(rounds, 'seconds'):.2f}"
                f" | {ratio(rounds, contest[PRODUCT]):.2f} | {median(rounds, 'cpu_seconds'):.1f}"
                f" | {median(rounds, 'peak_mb'):.0f} | {median(rounds, 'csv_bytes') / 1e6:.0f}"
                f" | {median(rounds, 'zip_bytes') / 1e6:.0f} | {len(rounds)} |"
            )
    if faults:
        lines += ["", "## No figure", "", *(f"- {fault}" for fault in faults)]
    return "\n".join(lines) + "\n"


def _machine() -> str:
    model = next(
        (
            line.partition(": ")[2]
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    memory = psutil.virtual_memory().total / 1e9
    return (
        f"{psutil.cpu_count()} x {model}, {memory:.0f} GB; Python {platform.python_version()},"
        f" DuckDB {duckdb.__version__}; commit {commit}."
    )


def _plot(figures: Figures, path: Path) -> None:
    speeds: dict[str, dict[str, float]] = defaultdict(dict)
    for case, contest in figures.items():
        for name, rounds in contest.items():
            if rounds[0].rows:
                speeds[case][name] = median(rounds, "rows") / median(rounds, "seconds") / 1e6
    chart, axes = plt.subplots(
        len(speeds), 1, figsize=(9, 0.6 + 0.32 * sum(map(len, speeds.values()))), squeeze=False,
        height_ratios=[len(contest) for contest in speeds.values()],
    )  # fmt: skip
    for axis, (case, contest) in zip(axes[:, 0], speeds.items(), strict=True):
        names = list(contest)[::-1]
        colours = ["#1f6f8b" if name == PRODUCT else "#b8c4c9" for name in names]
        bars = axis.barh(names, [contest[name] for name in names], color=colours)
        axis.bar_label(bars, fmt="%.2f", padding=3, fontsize=8)
        axis.set_title(f"{case}: million rows a second", loc="left", fontsize=10)
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
        axis.margins(x=0.1)
    chart.tight_layout()
    chart.savefig(path, dpi=110)
