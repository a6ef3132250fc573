"""Names of the files of reports."""

import unicodedata
from datetime import date

import pytest

from outhaul.domain.reports import file_stem

DAYS = date(2026, 3, 1), date(2026, 3, 31)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("V! Ventas Diarias", "V! Ventas Diarias"),
        ("Envíos/Día", "Env_os_D_a"),
        (unicodedata.normalize("NFD", "Envíos"), "Env_os"),
        ('../..\\a:*?"<>|b\n', ".._.._a_______b_"),
        ("日本 🎉", "__ _"),
        ("x" * 250, "x" * 150),
    ],
)
def test_a_reports_name_becomes_a_file_name_that_every_system_takes(name: str, shown: str):
    """Accented letters and forbidden signs are one `_` each, and long names are cut."""
    stem = file_stem(name, *DAYS)
    assert stem == f"{shown}-20260301-20260331"
    assert len(f"{stem}-{'0' * 36}.zip".encode()) <= 255
