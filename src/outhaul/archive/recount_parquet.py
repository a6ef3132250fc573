"""Counting the rows of a Parquet file by reading every value of it, in bounded memory."""

import tempfile
from typing import IO

import duckdb

from outhaul.domain.errors import OuthaulError

_MEMORY = "256MB"


class Undecodable(OuthaulError):
    """The bytes are no Parquet file whose every value can be read; the message says why."""


class ParquetCounter:
    """Takes a file bit by bit, keeps it on the disk, and reads it as a whole in the end."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.NamedTemporaryFile(suffix=".parquet")  # noqa: SIM115
        self.count = 0
        """Rows; none before the end."""
        self.columns: tuple[str, ...] = ()
        """Name and type of each column."""

    def take(self, text: bytes) -> None:
        """More of the file."""
        self._file.write(text)

    def end(self) -> None:
        """That was all of it. Raises Undecodable."""
        self._file.flush()
        self.count, self.columns = _decoded(self._file.name)

    def close(self) -> None:
        """Nothing of it is kept on the disk."""
        self._file.close()


def _decoded(path: str) -> tuple[int, tuple[str, ...]]:
    # An engine of its own for each file: one that is damaged may leave an engine unusable.
    with duckdb.connect(
        ":memory:",
        config={
            "memory_limit": _MEMORY,
            "threads": 1,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    ) as engine:
        source = "read_parquet(?, hive_partitioning = false)"
        try:
            described = engine.execute(f"DESCRIBE FROM {source}", [path]).fetchall()
            # A hash of each row asks for all of its values; a mere count would trust the footer.
            [(rows, _)] = engine.execute(
                f"SELECT count(*), bit_xor(hash(held)) FROM {source} AS held", [path]
            ).fetchall()
        except duckdb.Error as error:
            first = str(error).splitlines()[0].replace(path, "the file")
            raise Undecodable(first) from None
    return rows, tuple(f"{name} {type_}" for name, type_, *_ in described)
