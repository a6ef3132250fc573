"""Reading an unload: the same cuts and lines as from the store that it was written of."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache

import duckdb

from outhaul.domain.export import RowKey, Selection
from outhaul.files.object_store import Files
from outhaul.store.engine import Engine
from outhaul.store.reader import RowReader
from outhaul.store.selection import Part, Query, query_of
from outhaul.unload.filesystem import FilesSystem
from outhaul.unload.index import UnloadedFile, UnloadIndex, read_index


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

    def _query(self, folder: str, selection: Selection, found: Iterable[UnloadedFile]) -> Query:
        by_types: dict[frozenset[str], list[str]] = {}
        for file in found:
            url = self._system.url(f"{folder}/{file.name}")
            by_types.setdefault(frozenset(file.types), []).append(url)
        parts = tuple(
            Part(table=f"read_parquet($files_{number}) AS rows", types=types)
            for number, types in enumerate(by_types)
        )
        bound = {f"files_{number}": urls for number, urls in enumerate(by_types.values())}
        return query_of(selection, parts, bound)
