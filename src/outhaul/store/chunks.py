"""Chunks of an import: each is applied in one commit, together with the note that it was.

After a crash the same import runs again over the same chunks; those that are noted are skipped,
so nothing is applied twice.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from outhaul.domain.cancellation import Cancellation
from outhaul.store.commits import Commit, Commits
from outhaul.store.engine import quoted
from outhaul.store.staging import interruptible


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What became of a chunk: rows `taken` by commit number `commit`."""

    commit: int
    taken: int


TURNED_AWAY = "chunk_turned_away"
"""Temporary table (n, reason) in which writers leave the rows that the store's state refuses;
n is the row's number in the staged table."""


class _AlreadyApplied(Exception):
    """Not a fault: it undoes the commit just opened."""

    def __init__(self, applied: Applied) -> None:
        self.applied = applied


class Chunks:
    """Applies the chunks of one import to its account."""

    def __init__(self, commits: Commits, account_id: str, import_id: str, *, folder: Path) -> None:
        """`folder` keeps, until the import ends, which rows each applied chunk turned away."""
        self._commits = commits
        self._account_id = account_id
        self._import_id = import_id
        self._folder = folder

    def apply(
        self, chunk: int, write: Callable[[Commit], int], *, cancellation: Cancellation
    ) -> Applied:
        """Apply one chunk unless it was applied before. `write` returns the rows taken."""
        try:
            with self._commits.open(self._account_id, source=self._import_id) as commit:
                connection = commit.connection
                known = connection.execute(
                    "SELECT commit, taken FROM applied_chunks WHERE import_id = ? AND chunk = ?",
                    [self._import_id, chunk],
                ).fetchall()
                if known:
                    number, taken = known[0]
                    raise _AlreadyApplied(Applied(commit=number, taken=taken))
                connection.execute(f"CREATE TEMP TABLE {TURNED_AWAY} (n BIGINT, reason VARCHAR)")
                with interruptible(connection, cancellation):
                    taken = write(commit)
                connection.execute(
                    "INSERT INTO applied_chunks VALUES (?, ?, ?, ?)",
                    [self._import_id, chunk, commit.number, taken],
                )
                self._keep_turned_away(commit, chunk)
                return Applied(commit=commit.number, taken=taken)
        except _AlreadyApplied as already:
            return already.applied

    def turned_away(self) -> list[Path]:
        """Parquet files (n, reason) of the rows turned away by the chunks applied so far."""
        return sorted(self._folder.glob("turned-away-*.parquet"))

    def _keep_turned_away(self, commit: Commit, chunk: int) -> None:
        # Whether a row is turned away depends on the store as it was then. A run after a crash
        # could not find it out again, so the rows are on disk before the commit is.
        path = self._folder / f"turned-away-{chunk:06}.parquet"
        path.unlink(missing_ok=True)
        count = commit.connection.execute(f"SELECT count(*) FROM {TURNED_AWAY}").fetchall()[0][0]
        if count:
            part = path.with_suffix(".part")
            commit.connection.execute(f"COPY {TURNED_AWAY} TO {quoted(part)} (FORMAT parquet)")
            part.replace(path)
