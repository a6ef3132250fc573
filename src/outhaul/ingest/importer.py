"""Takes a file of contacts, activities or segments into an account.

The file is read into a scratch database, where every row is checked as a whole column at a time;
good rows are then applied chunk by chunk, one commit each. Refused rows are listed with reasons
and never stop the others.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from outhaul.domain.cancellation import Cancellation
from outhaul.domain.errors import ImportRefused
from outhaul.domain.imports import ImportKind, ImportOptions
from outhaul.ingest import activities, contacts, segments
from outhaul.ingest.rejects import count_broken, write_rejects
from outhaul.ingest.sources import Source
from outhaul.ingest.work import Piece, Work
from outhaul.store.chunks import Chunks
from outhaul.store.commits import Commits
from outhaul.store.contact_fields import ContactFields
from outhaul.store.engine import Engine
from outhaul.store.staging import Staging, staging


@dataclass(frozen=True, kw_only=True)
class ImportJob:
    """An import to be done. The same job, run again after a crash, goes on where it stopped."""

    id: str
    account_id: str
    kind: ImportKind
    path: Path
    """Absolute; must not change until the import is done."""
    options: ImportOptions
    rejects: Path
    """Where refused rows are listed."""


@dataclass(frozen=True, kw_only=True)
class ImportResult:
    """What became of the rows; blank lines count nowhere."""

    taken: int
    refused: int
    repeated: int
    """Activities passed over because their id was taken already."""
    commit: int
    """Number of the last commit that the import made; without any, the newest at its end."""


class Importer:
    """Does imports for one engine."""

    def __init__(
        self,
        engine: Engine,
        commits: Commits,
        fields: ContactFields,
        *,
        scratch: Path,
        record_chunk: int = 200_000,
        activity_chunk: int = 500_000,
    ) -> None:
        """`scratch` is a folder that survives a crash; chunks are rows per commit."""
        self._engine = engine
        self._commits = commits
        self._fields = fields
        self._scratch = scratch
        self._record_chunk = record_chunk
        self._activity_chunk = activity_chunk

    def run(
        self,
        job: ImportJob,
        *,
        progress: Callable[[int, int], None],
        cancellation: Cancellation,
    ) -> ImportResult:
        """Do the import, telling `progress` the rows done and in all after every commit.

        Raises ImportRefused when the file as a whole cannot be taken, and Cancelled.
        """
        folder = self._scratch / job.id
        folder.mkdir(parents=True, exist_ok=True)
        chunks = Chunks(self._commits, job.account_id, job.id, folder=folder)
        try:
            with staging(
                self._engine, job.account_id, folder=folder, cancellation=cancellation
            ) as scratch:
                source, pieces = self._prepare(job, scratch, cancellation)
                total = sum(piece.rows for piece in pieces) + count_broken(scratch, source)
                done, taken, good, last = 0, 0, 0, 0
                for number, piece in enumerate(pieces):
                    cancellation.check()
                    if piece.good:
                        applied = chunks.apply(number, piece.write, cancellation=cancellation)
                        taken, last = taken + applied.taken, applied.commit
                    done, good = done + piece.rows, good + piece.good
                    progress(done, total)
                turned_away = chunks.turned_away()
                refused = write_rejects(scratch, source, turned_away, job.rejects)
                late = scratch.count_parquet(turned_away)
                progress(total, total)
        except ImportRefused:
            shutil.rmtree(folder)
            raise
        shutil.rmtree(folder)
        return ImportResult(
            taken=taken,
            refused=refused,
            repeated=good - taken - late,
            commit=last or self._commits.snapshot(job.account_id).number,
        )

    def _prepare(
        self, job: ImportJob, scratch: Staging, cancellation: Cancellation
    ) -> tuple[Source, list[Piece]]:
        work = Work(
            import_id=job.id,
            account_id=job.account_id,
            path=job.path,
            options=job.options,
            record_chunk=self._record_chunk,
            activity_chunk=self._activity_chunk,
        )
        match job.kind:
            case ImportKind.CONTACTS:
                source, pieces = contacts.prepare(
                    scratch,
                    work,
                    commits=self._commits,
                    fields=self._fields,
                    cancellation=cancellation,
                )
            case ImportKind.ACTIVITIES:
                source, pieces = activities.prepare(scratch, work, cancellation=cancellation)
            case ImportKind.SEGMENTS:
                source, pieces = segments.prepare(scratch, work)
        return source, pieces
