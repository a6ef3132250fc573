"""The cells of the crash matrix that `make test` has no time for."""

from pathlib import Path

import pytest

from tests.crash.cell import CrashShop, crash_shop, ends, survives
from tests.crash.matrix import Cell, cells_of

__all__ = ["crash_shop"]

HERE = "tests/chaos/test_crash_matrix.py"


@pytest.mark.parametrize("cell", cells_of("passing", HERE), ids=str)
def test_an_export_survives(crash_shop: CrashShop, cell: Cell, tmp_path: Path) -> None:
    """It ends `finished` with the bytes of a quiet run, nothing done twice, nothing left over."""
    survives(crash_shop, cell, tmp_path)


@pytest.mark.parametrize("cell", cells_of("lasting", HERE), ids=str)
def test_an_export_ends(crash_shop: CrashShop, cell: Cell, tmp_path: Path) -> None:
    """In `error` with its cause, or finished if its archive was there before; nothing left over."""
    ends(crash_shop, cell, tmp_path)
