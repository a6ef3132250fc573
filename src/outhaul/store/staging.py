"""A scratch database beside an account's file, in which an import is read and checked.

It is attached to the same instance, so that a commit can copy from it; it never holds the only
copy of anything and is thrown away at the end, also of a failed import.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from outhaul.domain.cancellation import Cancellation, Cancelled
from outhaul.domain.ids import is_id
from outhaul.store.engine import Engine


@dataclass(frozen=True, kw_only=True)
class Staging:
    """An open scratch database. Plain table names mean the account's tables, see `table`."""

    connection: duckdb.DuckDBPyConnection
    alias: str

    def table(self, name: str) -> str:
        """The full name of a scratch table, good in every connection while staging is open."""
        return f"{self.alias}.{name}"

    def rows(self, sql: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a statement."""
        return self.connection.execute(sql, parameters).fetchall()

    def count(self, sql: str) -> int:
        """The only value of a statement, a number."""
        return int(self.rows(sql)[0][0])

    def count_parquet(self, files: Sequence[Path]) -> int:
        """The rows in all of the Parquet files."""
        if not files:
            return 0
        names = [str(file) for file in files]
        return int(self.rows("SELECT count(*) FROM read_parquet($names)", {"names": names})[0][0])


@contextmanager
def staging(
    engine: Engine,
    account_id: str,
    import_id: str,
    *,
    folder: Path,
    cancellation: Cancellation,
) -> Iterator[Staging]:
    """Open an empty scratch database `folder/staging.duckdb` for one import of the account.

    Raises Cancelled out of a statement that the cancellation interrupts.
    """
    if not is_id(import_id):
        raise ValueError("not an import id")
    file, alias = folder / "staging.duckdb", f"import_{import_id}"
    quoted = str(file).replace("'", "''")
    _delete(file)
    with engine.session(account_id) as connection:
        connection.execute(f"ATTACH '{quoted}' AS {alias}")
        try:
            with interruptible(connection, cancellation):
                yield Staging(connection=connection, alias=alias)
        finally:
            connection.execute(f"DETACH {alias}")
            _delete(file)


@contextmanager
def interruptible(
    connection: duckdb.DuckDBPyConnection, cancellation: Cancellation
) -> Iterator[None]:
    """Let the cancellation interrupt the connection; the block then raises Cancelled."""
    with cancellation.interrupting(connection.interrupt):
        try:
            yield
        except duckdb.InterruptException as error:
            if cancellation.is_set:
                raise Cancelled from error
            raise


def _delete(file: Path) -> None:
    for path in (file, file.with_name(f"{file.name}.wal")):
        path.unlink(missing_ok=True)
