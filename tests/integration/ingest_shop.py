"""An account with a real store, into which files are imported and whose tables are read back."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from outhaul.domain.cancellation import Cancellation
from outhaul.domain.ids import new_id
from outhaul.domain.imports import ImportKind, ImportOptions
from outhaul.ingest.importer import Importer, ImportJob, ImportResult
from outhaul.store.commits import Commits
from outhaul.store.contact_fields import ContactFields
from outhaul.store.engine import Engine
from outhaul.store.schema import OPEN

Row = dict[str, Any]


class Shop:
    """One account; every import gets its own id unless one is given."""

    def __init__(
        self,
        folder: Path,
        *,
        record_chunk: int = 200_000,
        activity_chunk: int = 500_000,
        memory_limit: str = "256MB",
    ):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.engine = Engine(folder / "store", memory_limit=memory_limit, threads=2)
        commits = Commits(self.engine)
        self.importer = Importer(
            self.engine,
            commits,
            ContactFields(self.engine),
            scratch=folder / "imports",
            record_chunk=record_chunk,
            activity_chunk=activity_chunk,
        )
        self.account_id = new_id()

    def close(self) -> None:
        self.engine.close()

    def take(
        self,
        kind: str,
        name: str,
        content: str | bytes | None = None,
        *,
        create_fields: bool = False,
        import_id: str | None = None,
        progress: Callable[[int, int], None] = lambda done, total: None,
        cancellation: Cancellation | None = None,
    ) -> ImportResult:
        """Import `content`, or the file that is there already, under the file name `name`."""
        path = self.folder / name
        if content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return self.importer.run(
            ImportJob(
                id=import_id or new_id(),
                account_id=self.account_id,
                kind=ImportKind(kind),
                path=path,
                options=ImportOptions(create_fields=create_fields),
                rejects=self.rejects_of(name),
            ),
            progress=progress,
            cancellation=cancellation or Cancellation(),
        )

    def rejects_of(self, name: str) -> Path:
        return self.folder / f"{name}.rejected.jsonl"

    def rejects(self, name: str) -> list[tuple[int, str]]:
        """(line, reason) of every refused row; empty when there is no such file."""
        path = self.rejects_of(name)
        if not path.exists():
            return []
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        return [(row["line"], row["reason"]) for row in rows]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.engine.session(self.account_id) as connection:
            return connection.execute(sql).fetchall()

    def contacts(self, *columns: str) -> list[tuple[Any, ...]]:
        """The open versions, by email, id."""
        listed = ", ".join(f'"{column}"' for column in columns)
        return self.rows(
            f"SELECT {listed} FROM contacts WHERE commit_to = {OPEN} ORDER BY _email, id"
        )


class Crash(Exception):
    """Stands for the end of the process."""


def crash_after(commits: int) -> Callable[[int, int], None]:
    """A progress callback that raises Crash when it is called for that many chunks."""
    calls: list[int] = []

    def progress(done: int, total: int) -> None:
        calls.append(done)
        if len(calls) == commits:
            raise Crash

    return progress


def instant(*parts: int) -> datetime:
    """An instant in UTC as the store gives it: year, month, day, hour ... microsecond."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 -- stored without a zone


def json_lines(rows: list[Row]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def csv_text(columns: list[str], rows: list[Row]) -> str:
    """CSV as Outhaul writes it: a missing value is empty and unquoted, text is quoted."""

    def cell(value: Any) -> str:
        if value is None:
            return ""
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return '"' + text.replace('"', '""') + '"'

    lines = [",".join(columns)]
    lines += [",".join(cell(row.get(column)) for column in columns) for row in rows]
    return "".join(f"{line}\n" for line in lines)


def write_parquet(path: Path, select: str) -> None:
    """Write the result of a statement as a Parquet file."""
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
