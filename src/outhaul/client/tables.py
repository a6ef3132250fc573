"""Reads an export's CSV or Parquet into Arrow, Polars or pandas, where they are installed.

Every column of CSV is text unless types are asked for, because a guess turns postcodes into
numbers; Parquet knows its types. A missing value is null, an empty text stays an empty text.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outhaul.client.join import members

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

_PARQUET = ".parquet"


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

    if parts := _parquet(path, product_lines):
        from pyarrow.parquet import read_table

        return pyarrow.concat_tables([read_table(part) for part in parts])
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

    if parts := _parquet(path, product_lines):
        return polars.concat([polars.read_parquet(part) for part in parts])
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


def _parquet(path: str | Path, product_lines: bool) -> Iterable[io.BytesIO] | None:
    """The files of a Parquet data set, one after another; None for a ZIP without Parquet.

    Raises ValueError where there are data sets, but not this one."""
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(_PARQUET)]
    folders = list(dict.fromkeys(name.rpartition("/")[0] for name in names))
    if not folders:
        return None
    found = [folder for folder in folders if folder.endswith("-product") == product_lines]
    if not found:
        raise ValueError(f"{path} holds no product lines")
    return _opened(path, [name for name in names if name.rpartition("/")[0] == found[0]])


def _opened(path: str | Path, names: Sequence[str]) -> Iterator[io.BytesIO]:
    with zipfile.ZipFile(path) as archive:
        for name in names:
            yield io.BytesIO(archive.read(name))


def _member(path: str | Path, product_lines: bool) -> str:
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path} is no ZIP; tables are read from ZIPs of CSV or Parquet")
    found = [name for name in members(Path(path), product=product_lines) if name.endswith(".csv")]
    if not found:
        raise ValueError(f"{path} holds no {'product lines' if product_lines else 'CSV'}")
    return found[0]


def _header(path: str | Path, name: str, delimiter: str) -> list[str]:
    with zipfile.ZipFile(path) as archive, archive.open(name) as text:
        lines = io.TextIOWrapper(text, encoding="utf-8", newline="")
        return next(csv.reader(lines, delimiter=delimiter), [])
