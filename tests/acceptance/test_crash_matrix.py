"""An export that meets a fault at one of its steps: the most telling cells of the crash matrix.

`make chaos` runs the others.
"""

import math
from pathlib import Path

import pytest

from tests.crash.cell import CrashShop, crash_shop, meets, restart, stored, survives
from tests.crash.faults import FAULTS
from tests.crash.matrix import Cell, cells_of, read_cells
from tests.crash.program import STEPS

__all__ = ["crash_shop"]

HERE = "tests/acceptance/test_crash_matrix.py"
CHAOS = "tests/chaos/test_crash_matrix.py"


@pytest.mark.parametrize("cell", cells_of(HERE), ids=lambda cell: f"{cell.step}-{cell.fault}")
def test_an_export_survives(crash_shop: CrashShop, cell: Cell, tmp_path: Path) -> None:
    """It ends `finished` with the bytes of a quiet run, nothing done twice, nothing left over."""
    survives(crash_shop, cell, tmp_path)


def test_a_disk_that_stays_full_ends_the_export_in_error(
    crash_shop: CrashShop, tmp_path: Path
) -> None:
    """With the cause, and with nothing left of it; the export of before can still be had."""
    caller = crash_shop.copy(tmp_path)
    before = stored(caller)
    try:
        export = meets(caller, "rendering", "full-disk", seconds=math.inf)
        assert export["status"] == "error"
        assert export["error"]["cause"] == "storageFull"
        assert export["error"]["retryHelps"] is True
        restart(caller)
        assert stored(caller) == before
        assert list(caller.members(caller.finished()).values()) == [crash_shop.text]
    finally:
        caller.server.kill()


def test_the_matrix_has_every_step_under_every_fault() -> None:
    """Each cell names exactly one test that exists, or says why it has none."""
    cells = read_cells()
    assert [(cell.step, cell.fault) for cell in cells] == [
        (step, fault) for step in STEPS for fault in FAULTS
    ]
    for cell in cells:
        place = f"{cell.step}-{cell.fault}"
        assert (cell.test is None) != (cell.gap is None), place
        if cell.test is not None:
            file, _, name = cell.test.partition("::")
            assert file in {HERE, CHAOS}, place
            assert name == f"test_an_export_survives[{place}]"
        else:
            assert len(cell.gap or "") > 20, f"{place} gives no reason"
