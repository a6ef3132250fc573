"""Reads an export's CSV into Arrow, Polars or pandas, where they are installed.

Every column is text unless types are asked for, because a guess turns postcodes into numbers. A
missing value is null, an empty text stays an empty text.
"""

import csv
import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outhaul.client.join import members

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow


def read_arrow(
    path: str | Path,
    *,
    product_lines: bool = False,
    guess_types: bool = False,
    delimiter: str = ",",
) -> "pyarrow.Table":
    """The table in a downloaded ZIP. `product_lines` reads the second file of an activities export.

    Raises ModuleNotFoundError without pyarrow, ValueError when the ZIP has no such file.
    """
    import pyarrow
    from pyarrow.csv import ConvertOptions, ParseOptions, read_csv

    name = _member(path, product_lines)
    types: Any = None
    if not guess_types:
        types = dict.fromkeys(_header(path, name, delimiter), pyarrow.string())
    with zipfile.ZipFile(path) as archive, archive.open(name) as text:
        return read_csv(
            text,
            parse_options=ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=ConvertOptions(
                column_types=types,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )


def read_polars(
    path: str | Path,
    *,
    product_lines: bool = False,
    guess_types: bool = False,
    delimiter: str = ",",
) -> "polars.DataFrame":
    """As read_arrow, into Polars; needs no pyarrow."""
    import polars

    name = _member(path, product_lines)
    with zipfile.ZipFile(path) as archive, archive.open(name) as text:
        return polars.read_csv(
            text.read(),
            separator=delimiter,
            infer_schema=guess_types,
            infer_schema_length=None,
        )


def read_pandas(
    path: str | Path,
    *,
    product_lines: bool = False,
    guess_types: bool = False,
    delimiter: str = ",",
) -> "pandas.DataFrame":
    """As read_arrow, into pandas. Its own reader takes empty texts for missing, so Arrow reads."""
    table = read_arrow(
        path, product_lines=product_lines, guess_types=guess_types, delimiter=delimiter
    )
    return table.to_pandas()


def _member(path: str | Path, product_lines: bool) -> str:
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path} is no ZIP; tables are read from ZIPs of CSV")
    found = [name for name in members(Path(path), product=product_lines) if name.endswith(".csv")]
    if not found:
        raise ValueError(f"{path} holds no {'product lines' if product_lines else 'CSV'}")
    return found[0]


def _header(path: str | Path, name: str, delimiter: str) -> list[str]:
    with zipfile.ZipFile(path) as archive, archive.open(name) as text:
        lines = io.TextIOWrapper(text, encoding="utf-8", newline="")
        return next(csv.reader(lines, delimiter=delimiter), [])
