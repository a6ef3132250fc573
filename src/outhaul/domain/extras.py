"""What a request may ask for beyond the contract; left out, everything is the contract's."""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any


class FileFormat(StrEnum):
    """How rows are written."""

    CSV = "csv"
    JSONL = "jsonl"
    """JSON Lines: an object a row, values by column id."""
    PARQUET = "parquet"
    """Typed columns, called by column id; a folder of files for every file of the others."""


class Compression(StrEnum):
    """What the files are packed in."""

    ZIP = "zip"
    GZIP = "gzip"
    ZSTD = "zstd"

    @property
    def ending(self) -> str:
        """How names of such files end."""
        return {Compression.GZIP: "gz", Compression.ZSTD: "zst"}.get(self, self.value)


@dataclass(frozen=True, kw_only=True)
class Extras:
    """Extensions of a request."""

    columns: tuple[str, ...] | None = None
    """Ids of the columns of the first file, in their order; None: those of the version."""
    product_columns: tuple[str, ...] | None = None
    """The same for the file of product lines."""
    bom: bool = False
    """Whether files begin with a byte order mark."""
    formula_guard: bool = False
    """Whether text that a spreadsheet would run is escaped."""
    changed_since: int | None = None
    """A commit number: only contacts changed after it, and a file of those erased after it."""
    format: FileFormat = FileFormat.CSV
    compression: Compression = Compression.ZIP
    allow_long_window: bool = False
    """Whether the window of an export of activities may exceed 31 days."""

    @property
    def asked(self) -> dict[str, Any]:
        """Only what differs from the contract, by name."""
        return {
            field.name: value
            for field in fields(self)
            if (value := getattr(self, field.name)) != field.default
        }
