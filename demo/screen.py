"""What the demo shows: sections, bars, the table of timings, lines of CSV and the checks."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from demo.checks import Check


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How long a step took, for how many rows or bytes."""

    step: str
    seconds: float
    rows: int | None = None
    bytes: int | None = None


class Screen:
    """A terminal, or a log: then without colours, bars and control characters."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._timings: list[Timing] = []

    def section(self, title: str) -> None:
        self._console.print()
        self._console.print(Text(title, style="bold cyan"))

    def say(self, message: str) -> None:
        self._console.print(Text(f"  {message}"), soft_wrap=True)

    def took(self, step: str, since: float, *, rows: int | None = None) -> None:
        """Note a step that began at `since` (by time.perf_counter) and has just ended."""
        self.add(Timing(step=step, seconds=time.perf_counter() - since, rows=rows))

    def add(self, timing: Timing) -> None:
        self._timings.append(timing)

    @contextmanager
    def bar(self, title: str, *, in_bytes: bool = False) -> Iterator[Callable[[int, int], None]]:
        """A progress bar; what it gives takes the amount done and the total (0: not known)."""
        count = DownloadColumn() if in_bytes else MofNCompleteColumn()
        with Progress(
            TextColumn("  {task.description}"),
            BarColumn(),
            count,
            console=self._console,
            disable=not self._console.is_terminal,
        ) as progress:
            task = progress.add_task(title, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total or None)

    def lines(self, title: str, lines: Iterable[str]) -> None:
        """Lines of a file, cut to the width of the terminal."""
        self.say(title)
        for line in lines:
            shown = Text("    " + line.expandtabs(4).replace("\r", "␍"), style="dim")
            self._console.print(shown, no_wrap=True, overflow="ellipsis", crop=True)

    def checks(self, title: str, checks: Iterable[Check]) -> None:
        self.say(title)
        for check in checks:
            mark, style = ("✓", "green") if check.held else ("✗", "bold red")
            text = check.claim if check.held else f"NOT TRUE: {check.claim} ({check.found})"
            self._console.print(Text.assemble("    ", (mark, style), f" {text}"), soft_wrap=True)

    def timings(self) -> None:
        """Every step noted so far."""
        table = Table("  step", "seconds", "rows", "rows/s", "MB", box=None, pad_edge=False)
        for column in table.columns[1:]:
            column.justify = "right"
        for timing in self._timings:
            rows, size = timing.rows, timing.bytes
            table.add_row(
                f"  {timing.step}",
                f"{timing.seconds:.2f}",
                "" if rows is None else f"{rows:,}",
                "" if rows is None else f"{rows / max(timing.seconds, 0.001):,.0f}",
                "" if size is None else f"{size / 1e6:,.1f}",
            )
        self._console.print(table)

    def verdict(self, message: str, *, passed: bool) -> None:
        self._console.print()
        style = "bold green" if passed else "bold red"
        self._console.print(Text(message, style=style), soft_wrap=True)


def survive_any_encoding() -> None:
    """Let a terminal that cannot show an accent or an emoji show a question mark instead."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
