"""Many activities in one request: all of them in one commit, or none."""

import hashlib
import json
import shutil
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from outhaul.domain.cancellation import Cancellation
from outhaul.domain.errors import Conflict, ImportRefused, Invalid, MalformedBody, Violation
from outhaul.domain.ids import new_id
from outhaul.domain.imports import ImportOptions
from outhaul.ingest import activities
from outhaul.ingest.rejects import count_broken, write_rejects
from outhaul.ingest.work import Piece, Work
from outhaul.store.chunks import TURNED_AWAY, Applied, Chunks
from outhaul.store.commits import Commit, Commits
from outhaul.store.engine import Engine
from outhaul.store.staging import staging

MOST_LISTED = 100
_ALL_ROWS = 2**40


@dataclass(frozen=True, kw_only=True)
class BulkTaken:
    """What became of a request whose rows are all good."""

    commit: int
    taken: int
    """Activities added; those whose id is taken already are passed over."""


class Bulk:
    """Takes activities as JSON Lines. Methods may be called from any thread."""

    def __init__(self, engine: Engine, commits: Commits, *, scratch: Path) -> None:
        """`scratch` is a folder that is cleared at the next start."""
        self._engine = engine
        self._commits = commits
        self._scratch = scratch

    def new_folder(self) -> Path:
        """A folder for one request; `take` removes it."""
        folder = self._scratch / new_id()
        folder.mkdir(parents=True)
        return folder

    def discard(self, folder: Path) -> None:
        """Remove the folder of a request that cannot be taken."""
        shutil.rmtree(folder, ignore_errors=True)

    def take(self, account_id: str, body: Path, *, key: str | None) -> BulkTaken:
        """Add the activities in the file `body`, which lies in a `new_folder`. Durable when this
        returns. A request that repeats the `key` of an earlier one changes nothing and gets that
        one's answer.

        Raises MalformedBody, Invalid with the lines that are refused, and Conflict when the key
        came with another body.
        """
        folder = body.parent
        try:
            return self._take(account_id, body, folder, key)
        except ImportRefused as refused:
            raise MalformedBody(refused.detail) from None
        finally:
            self.discard(folder)

    def _take(self, account_id: str, body: Path, folder: Path, key: str | None) -> BulkTaken:
        request_id, part = new_id(), 0
        if key is not None:
            request_id = hashlib.sha256(f"activities:{key}".encode()).hexdigest()[:24]
            part = _fingerprint(body)
        work = Work(
            import_id=request_id,
            account_id=account_id,
            path=body,
            options=ImportOptions(),
            record_chunk=_ALL_ROWS,
            activity_chunk=_ALL_ROWS,
        )
        cancellation = Cancellation()
        with staging(self._engine, account_id, folder=folder, cancellation=cancellation) as scratch:
            source, pieces = activities.prepare(scratch, work, cancellation=cancellation)
            rows = sum(piece.rows for piece in pieces) + count_broken(scratch, source)
            listed = folder / "refused.jsonl"
            refused = write_rejects(scratch, source, [], listed)
            if refused:
                raise _refused(_listed(listed), refused, rows)

            def write(commit: Commit) -> int:
                return _all_or_none(commit, pieces, request_id)

            chunks = Chunks(self._commits, account_id, request_id, folder=folder)
            applied: Applied = chunks.apply(part, write, cancellation=cancellation)
        return BulkTaken(commit=applied.commit, taken=applied.taken)


def _all_or_none(commit: Commit, pieces: list[Piece], request_id: str) -> int:
    run = commit.connection.execute
    known = run("SELECT count(*) FROM applied_chunks WHERE import_id = ?", [request_id])
    if known.fetchall()[0][0]:
        raise Conflict("This Idempotency-Key was used for another body.")
    taken = sum(piece.write(commit) for piece in pieces if piece.good)
    late = run(f"SELECT n, reason FROM {TURNED_AWAY} ORDER BY n").fetchall()
    if late:
        # Every line is a staged row here, because a line that cannot be read ended it before.
        lines = [(row + 1, reason) for row, reason in late[:MOST_LISTED]]
        raise _refused(lines, len(late), sum(piece.rows for piece in pieces))
    return taken


def _listed(path: Path) -> list[tuple[int, str]]:
    with path.open() as file:
        rows = [json.loads(line) for line in islice(file, MOST_LISTED)]
    return [(row["line"], row["reason"]) for row in rows]


def _refused(lines: list[tuple[int, str]], refused: int, rows: int) -> Invalid:
    return Invalid(
        [Violation(name="line", path=f"/{line}", reason=reason) for line, reason in lines],
        detail=f"{refused} of {rows} lines are not valid; nothing was taken.",
    )


def _fingerprint(path: Path) -> int:
    """A number that tells bodies apart, as the store keeps the number of a chunk."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    return int.from_bytes(digest[:4]) >> 1
