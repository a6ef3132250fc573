"""The crash matrix as tests/data/crash-matrix.toml states it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

PATH = Path(__file__).parents[1] / "data" / "crash-matrix.toml"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One step under one fault: the test that shows it, or why there is none."""

    step: str
    fault: str
    test: str | None
    gap: str | None

    def __str__(self) -> str:
        return f"{self.step}-{self.fault}"


def read_cells(kind: str) -> list[Cell]:
    """Every cell of one part of the file, in its order: of faults that are `passing`, of those
    that are `lasting`, or of real `disks`."""
    table = tomllib.loads(PATH.read_text())[kind]
    return [
        Cell(step=step, fault=fault, test=cell.get("test"), gap=cell.get("gap"))
        for step, row in table.items()
        for fault, cell in row.items()
    ]


def cells_of(kind: str, file: str) -> list[Cell]:
    """The cells of one part whose test stands in this test file."""
    return [cell for cell in read_cells(kind) if cell.test and cell.test.startswith(f"{file}::")]
