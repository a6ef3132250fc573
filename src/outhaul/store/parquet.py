"""Rows into Parquet, the same bytes for the same rows.

An engine with several threads cuts row groups as its threads get along. So a second engine writes
them, one thread for each file: it reads one stream of rows, in batches of one length, and cuts it
at fixed counts.
"""

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import duckdb

from outhaul.domain.cancellation import Cancellation
from outhaul.store.engine import quoted
from outhaul.store.faults import translated
from outhaul.store.reader import RowStream, interruptible

WRITER = f"duckdb {duckdb.__version__}"
"""What makes the bytes; they are only promised to repeat under the same name."""
_MEGABYTES_A_FILE = 96
_VALUES_OF_GROUP = 1_200_000
_LEAST_ROWS, _MOST_ROWS = 2048, 122_880
"""The engine's vector, and its own row group."""


class ParquetWriter:
    """Writes files, several at a time; methods may be called from many threads at once."""

    def __init__(self, scratch: Path, *, at_once: int) -> None:
        """A file lies in the folder `scratch` while it is written. Memory is for `at_once` files;
        more of them take longer."""
        self._scratch = scratch
        self._at_once = at_once
        self._lock = threading.Lock()
        self._instance: duckdb.DuckDBPyConnection | None = None

    def write(
        self, stream: RowStream, query: str, *, columns: int, cancellation: Cancellation
    ) -> tuple[int, BinaryIO]:
        """A file with what `query` gives of the relation `rows`, and how many rows these are. It
        has no name any more and is gone when it is closed.

        Raises Cancelled, and the engines' errors as they are: whoever opened the stream knows which
        of them are faults of where the rows lie.
        """
        with self._session() as (connection, path):
            connection.register("rows", stream.batches)
            with interruptible(
                connection, cancellation, lambda: path.stat().st_size if path.exists() else 0
            ):
                count = _copy(connection, query, path, columns)
            return count, path.open("rb")

    def empty(self, query: str) -> bytes:
        """A file with the columns of `query`, which gives no rows. Raises as `Engine.session`."""
        with translated("a Parquet file"), self._session() as (connection, path):
            _copy(connection, query, path, 1)
            return path.read_bytes()

    def close(self) -> None:
        """Let go of the engine; nothing is being written any more."""
        with self._lock:
            if self._instance is not None:
                self._instance.close()
                self._instance = None

    @contextmanager
    def _session(self) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
        """A connection, and where to write a file that is there for the block alone."""
        with tempfile.TemporaryDirectory(dir=self._scratch, prefix="parquet-") as folder:
            with self._lock:
                if self._instance is None:
                    self._instance = self._opened()
                connection = self._instance.cursor()
            try:
                yield connection, Path(folder) / "part.parquet"
            finally:
                connection.close()

    def _opened(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(
            ":memory:",
            config={
                "memory_limit": f"{_MEGABYTES_A_FILE * self._at_once}MB",
                # The thread that asks for a file writes it, and no other.
                "threads": 1,
                "temp_directory": str(self._scratch / "parquet-spill"),
                "allocator_background_threads": True,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )


def _copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path, columns: int) -> int:
    [(count,)] = connection.execute(
        f"COPY ({query}) TO {quoted(path)}"
        f" (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_rows_of_group(columns)})"
    ).fetchall()
    return int(count)


def _rows_of_group(columns: int) -> int:
    """A whole number of vectors. A group is held in memory, with a place for every value, missing
    ones too."""
    wanted = _VALUES_OF_GROUP // max(columns, 1)
    return min(max(wanted // _LEAST_ROWS * _LEAST_ROWS, _LEAST_ROWS), _MOST_ROWS)
