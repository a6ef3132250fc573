"""What the parts of an import hand to each other."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from outhaul.domain.imports import ImportOptions
from outhaul.ingest.staged import GOOD, STAGED
from outhaul.store.commits import Commit
from outhaul.store.staging import Staging


@dataclass(frozen=True, kw_only=True)
class Work:
    """An import as its kind sees it; chunk sizes are rows."""

    import_id: str
    account_id: str
    path: Path
    options: ImportOptions
    record_chunk: int
    activity_chunk: int


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A chunk to be applied: `rows` of the file, `write` returns how many of them were taken."""

    rows: int
    good: int
    """Rows that nothing in the file itself speaks against."""
    write: Callable[[Commit], int]


def line_pieces(
    staging: Staging, total: int, size: int, write: Callable[[Commit, int, int], int]
) -> list[Piece]:
    """Cut `total` staged rows in file order; `write` gets first (included) and until (not)."""
    table = staging.table(STAGED)
    good = dict(
        staging.rows(f"SELECT n // {size}, count(*) FROM {table} WHERE {GOOD} GROUP BY ALL")
    )

    def piece(first: int) -> Piece:
        return Piece(
            rows=min(size, total - first),
            good=good.get(first // size, 0),
            write=lambda commit: write(commit, first, first + size),
        )

    return [piece(first) for first in range(0, total, size)]
