"""An export that meets a fault at one of its steps: the most telling cells of the crash matrix.

`make chaos` runs the others.
"""

from collections.abc import Iterable
from itertools import product
from pathlib import Path

import pytest

from tests.chaos.test_real_disks import CAUSES, PARTS
from tests.crash.cell import LASTING_CAUSES, CrashShop, crash_shop, ends, survives
from tests.crash.faults import FAULTS
from tests.crash.matrix import Cell, cells_of, read_cells
from tests.crash.program import STEPS

__all__ = ["crash_shop"]

HERE = "tests/acceptance/test_crash_matrix.py"
CHAOS = "tests/chaos/test_crash_matrix.py"
DISKS = "tests/chaos/test_real_disks.py"


@pytest.mark.parametrize("cell", cells_of("passing", HERE), ids=str)
def test_an_export_survives(crash_shop: CrashShop, cell: Cell, tmp_path: Path) -> None:
    """It ends `finished` with the bytes of a quiet run, nothing done twice, nothing left over."""
    survives(crash_shop, cell, tmp_path)


@pytest.mark.parametrize("cell", cells_of("lasting", HERE), ids=str)
def test_an_export_ends(crash_shop: CrashShop, cell: Cell, tmp_path: Path) -> None:
    """In `error` with its cause, or finished if its archive was there before; nothing left over."""
    ends(crash_shop, cell, tmp_path)


@pytest.mark.parametrize(
    ("kind", "expected", "test"),
    [
        ("passing", product(STEPS, FAULTS), "test_an_export_survives"),
        ("lasting", product(STEPS, [*LASTING_CAUSES, "catalog-locked"]), "test_an_export_ends"),
        ("disks", product(PARTS, CAUSES), "test_an_export_ends_and_the_next_is_whole"),
    ],
)
def test_the_matrix_has_every_step_under_every_fault(
    kind: str, expected: Iterable[tuple[str, str]], test: str
) -> None:
    """Each cell names exactly one test that exists, or says why it has none."""
    cells = read_cells(kind)
    assert [(cell.step, cell.fault) for cell in cells] == list(expected)
    for cell in cells:
        assert (cell.test is None) != (cell.gap is None), cell
        if cell.test is not None:
            file, _, name = cell.test.partition("::")
            assert file in ({DISKS} if kind == "disks" else {HERE, CHAOS}), cell
            assert name == f"{test}[{cell}]"
        else:
            assert len(cell.gap or "") > 20, f"{cell} gives no reason"
