"""Reading an unload: the same cuts and lines as from the store that it was written of."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache, partial

import duckdb

from outhaul.domain.cancellation import Cancellation
from outhaul.domain.errors import ExportFailed, FailureCause
from outhaul.domain.export import MemberKind, RowKey, Selection
from outhaul.files.object_store import Files
from outhaul.store.engine import Engine
from outhaul.store.reader import RowReader, interruptible
from outhaul.store.selection import Part, Query, query_of
from outhaul.unload.arrow_file import ArrowFile
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
                yield connection, self._query(connection, place, selection, found)
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
            zoned = _zoned(connection, list(urls)[:1])
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
                zoned=zoned,
                types=tuple(sorted(names[urls[url]])),
            )
            for url, rows, _, first, last in found
        )

    def _query(
        self,
        connection: duckdb.DuckDBPyConnection,
        folder: str,
        selection: Selection,
        found: Iterable[UnloadedFile],
    ) -> Query:
        batches: list[Part] = []
        alike: dict[tuple[frozenset[str], tuple[str, ...]], list[str]] = {}
        for file in found:
            url = self._system.url(f"{folder}/{file.name}")
            if file.arrow:
                name = f"unloaded_{len(batches)}"
                connection.register(name, ArrowFile(partial(self._system.open, url)))
                batches.append(Part(table=f"{name} AS rows", types=frozenset(file.types)))
                continue
            alike.setdefault((frozenset(file.types), file.zoned), []).append(url)
        parquet = [
            Part(table=f"{_source(f'$files_{number}', zoned)} AS rows", types=types)
            for number, (types, zoned) in enumerate(alike)
        ]
        bound = {f"files_{number}": urls for number, urls in enumerate(alike.values())}
        return query_of(selection, (*batches, *parquet), bound)


def _source(files: str, zoned: Iterable[str] = ()) -> str:
    """The rows of Parquet files, all instants as UTC without a zone."""
    read = f"read_parquet({files}, hive_partitioning = false)"
    plain = ", ".join(f'make_timestamp(epoch_us("{name}")) AS "{name}"' for name in zoned)
    return f"(SELECT * REPLACE ({plain}) FROM {read})" if plain else read


def _zoned(connection: duckdb.DuckDBPyConnection, urls: list[str]) -> tuple[str, ...]:
    """The columns of the files with a zone; their types say so and all files are of one kind."""
    if not urls:
        return ()
    described = connection.execute(
        f"DESCRIBE SELECT * FROM {_source('$urls')}", {"urls": urls}
    ).fetchall()
    return tuple(name for name, type_, *_ in described if type_ == "TIMESTAMP WITH TIME ZONE")
