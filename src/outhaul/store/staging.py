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
from outhaul.domain.ids import new_id
from outhaul.store.engine import Engine, quoted


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
    *,
    folder: Path,
    cancellation: Cancellation,
) -> Iterator[Staging]:
    """Open an empty scratch database in `folder` for one import of the account.

    Raises Cancelled out of a statement that the cancellation interrupts.
    """
    # A name of its own: who did the import before may have died, or hang with its database open.
    name = new_id()
    file, alias = folder / f"staging-{name}.duckdb", f"staging_{name}"
    for left in folder.glob("staging-*"):
        left.unlink()
    with engine.session(account_id) as connection:
        # Never the only copy of anything, so no log of it is written either.
        connection.execute(f"ATTACH {quoted(file)} AS {alias} (RECOVERY_MODE NO_WAL_WRITES)")
        try:
            with interruptible(connection, cancellation):
                yield Staging(connection=connection, alias=alias)
        finally:
            _let_go(connection, alias)
            _delete(file)


@contextmanager
def interruptible(
    connection: duckdb.DuckDBPyConnection, cancellation: Cancellation
) -> Iterator[None]:
    """Let the cancellation interrupt the connection; the block then raises Cancelled. How far the
    connection's statements are counts as progress."""
    connection.execute("SET enable_progress_bar = true")
    connection.execute("SET enable_progress_bar_print = false")
    with cancellation.interrupting(connection.interrupt, connection.query_progress):
        try:
            yield
        except duckdb.InterruptException as error:
            if cancellation.is_set:
                raise Cancelled from error
            raise


def _let_go(connection: duckdb.DuckDBPyConnection, alias: str) -> None:
    # Without tables there is nothing that the engine would compress and write before it lets go.
    tables = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = ?", [alias]
    ).fetchall()
    for (table,) in tables:
        connection.execute(f"DROP TABLE {alias}.{table}")
    connection.execute(f"DETACH {alias}")


def _delete(file: Path) -> None:
    for path in (file, file.with_name(f"{file.name}.wal")):
        path.unlink(missing_ok=True)
