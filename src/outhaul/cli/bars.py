"""Live bars on standard error for an export: its rows, then its bytes. Only on a terminal."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.text import Text

from outhaul.client import Export, Progress

_TITLES = {"waiting": "Exporting", "downloading": "Downloading", "joining": "Joining"}


class ExportBars:
    """A progress callback for the client; `export` is the one that it was told of last."""

    def __init__(self, *, quiet: bool) -> None:
        console = Console(stderr=True)
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            _Amount(),
            _Rate(),
            TimeRemainingColumn(),
            console=console,
            disable=quiet or not console.is_terminal,
        )
        self._tasks: dict[tuple[str, int], TaskID] = {}
        self.export: Export | None = None

    def __call__(self, now: Progress) -> None:
        self.export = now.export
        place = (now.phase, now.window)
        if place not in self._tasks:
            part = f" {now.window}/{now.windows}" if now.windows > 1 else ""
            self._tasks[place] = self._bars.add_task(
                _TITLES[now.phase] + part, total=None, phase=now.phase
            )
        self._bars.update(self._tasks[place], completed=now.done, total=now.total)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()


class _Amount(ProgressColumn):
    def render(self, task: Task) -> Text:
        done, unit = _told(task, task.completed)
        if task.total is None:
            return Text(f"{done} {unit}")
        total, total_unit = _told(task, task.total)
        return Text(f"{done}{'' if unit == total_unit else f' {unit}'} of {total} {total_unit}")


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{' '.join(_told(task, speed))}/s")


def _told(task: Task, number: float) -> tuple[str, str]:
    """Number and unit."""
    match task.fields["phase"]:
        case "downloading":
            amount, unit = decimal(int(number)).split(" ")
            return amount, unit
        case "joining":
            return f"{number:.0f}", "files"
        case _:
            return f"{number:,.0f}", "rows"
