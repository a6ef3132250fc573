"""The cells of the crash matrix that `make test` has no time for."""

from pathlib import Path

import pytest

from tests.crash.cell import CrashShop, crash_shop, survives
from tests.crash.matrix import Cell, cells_of

__all__ = ["crash_shop"]

HERE = "tests/chaos/test_crash_matrix.py"


@pytest.mark.parametrize("cell", cells_of(HERE), ids=lambda cell: f"{cell.step}-{cell.fault}")
def test_an_export_survives(crash_shop: CrashShop, cell: Cell, tmp_path: Path) -> None:
    """It ends `finished` with the bytes of a quiet run, nothing done twice, nothing left over."""
    survives(crash_shop, cell, tmp_path)
