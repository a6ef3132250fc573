"""Reading an unload: the same cuts and lines as from the store that it was written of."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache

import duckdb

from outhaul.domain.cancellation import Cancellation
from outhaul.domain.errors import ExportFailed, FailureCause
from outhaul.domain.export import MemberKind, RowKey, Selection
from outhaul.files.object_store import Files
from outhaul.store.engine import Engine
from outhaul.store.reader import RowReader, interruptible
from outhaul.store.selection import Part, Query, query_of
from outhaul.unload.filesystem import FilesSystem
from outhaul.unload.index import UnloadedFile, UnloadIndex, read_index

_log = logging.getLogger(__name__)


class UnloadReader(RowReader):
    """Reads unloads, whose folders are the `place`s; needs no account's store.

    Everything raises StorageError when the files cannot be read, FileMissing for an unload that
    is not complete or no more.
    """

    def __init__(self, engine: Engine, files: Files) -> None:
        self._engine = engine
        self._system = FilesSystem(files)
        # A worker asks for the same few unloads again and again; none changes once complete.
        self._index = lru_cache(maxsize=64)(lambda folder: read_index(files, folder))
        with engine.bare() as connection:
            connection.register_filesystem(self._system)

    @contextmanager
    def opened(
        self, place: str, selection: Selection, *, between: tuple[RowKey, RowKey] | None = None
    ) -> Iterator[tuple[duckdb.DuckDBPyConnection, Query]]:
        index: UnloadIndex = self._index(place)
        found = [
            file
            for file in index.members.get(selection.kind, ())
            if between is None
            or (file.last_ms >= between[0].created_ms and file.first_ms <= between[1].created_ms)
        ]
        with self._engine.bare() as connection:
            try:
                yield connection, self._query(place, selection, found)
            except (duckdb.Error, RuntimeError) as error:
                fault = self._system.take_fault([f"{place}/{file.name}" for file in found])
                if fault is not None:
                    raise fault from error
                raise

    def measured(
        self,
        folder: str,
        kind: MemberKind,
        names: Mapping[str, frozenset[str]],
        *,
        cancellation: Cancellation,
    ) -> tuple[UnloadedFile, ...]:
        """What lies in the Parquet files that somebody else wrote to `folder`: their `names`, with
        the activity types that each may have. Files without rows are left out.

        Raises Cancelled, and ExportFailed where rows have no creation instant to order them by.
        """
        urls = {self._system.url(f"{folder}/{name}"): name for name in names}
        created = '"_createdAt"' if kind is MemberKind.CONTACTS else '"createdAt"'
        with self._engine.bare() as connection, interruptible(connection, cancellation):
            found = (
                connection.execute(
                    f"SELECT filename, count(*), count({created}), epoch_ms(min({created})),"
                    f" epoch_ms(max({created})) FROM read_parquet($urls, filename = true,"
                    " hive_partitioning = false) GROUP BY filename ORDER BY filename",
                    {"urls": list(urls)},
                ).fetchall()
                if urls
                else []
            )
        undated = sum(rows - dated for _, rows, dated, _, _ in found)
        if undated:
            _log.error("rows without an instant", extra={"member": kind, "rows": undated})
            raise ExportFailed(
                FailureCause.WAREHOUSE_REFUSED, f"{kind}: {undated} rows have no creation instant"
            )
        return tuple(
            UnloadedFile(
                name=urls[url],
                rows=rows,
                first_ms=first,
                last_ms=last,
                types=tuple(sorted(names[urls[url]])),
            )
            for url, rows, _, first, last in found
        )

    def _query(self, folder: str, selection: Selection, found: Iterable[UnloadedFile]) -> Query:
        by_types: dict[frozenset[str], list[str]] = {}
        for file in found:
            url = self._system.url(f"{folder}/{file.name}")
            by_types.setdefault(frozenset(file.types), []).append(url)
        parts = tuple(
            Part(
                table=f"read_parquet($files_{number}, hive_partitioning = false) AS rows",
                types=types,
            )
            for number, types in enumerate(by_types)
        )
        bound = {f"files_{number}": urls for number, urls in enumerate(by_types.values())}
        return query_of(selection, parts, bound)
