"""What a distributed engine has to be able to do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlglot import exp

from outhaul.domain.cancellation import Cancellation
from outhaul.domain.export import FieldType
from outhaul.warehouse.mapping import TableMapping

Progress = Callable[[int, int], None]
"""Hears how many of how many tasks of an unload are done."""


@dataclass(frozen=True, kw_only=True)
class EngineColumn:
    """A column of a table as the engine describes it."""

    name: str
    type: str
    """The engine's own word for it."""
    fits: frozenset[FieldType]
    """What it can be written as without loss."""


class Dialect(Protocol):
    """Where engines' SQL differs beyond what sqlglot translates."""

    @property
    def name(self) -> str:
        """What sqlglot calls it."""
        ...

    def table(self, mapping: TableMapping, version: str | None) -> exp.Expression:
        """The table, as of a version if one is given."""
        ...

    def instant(self, text: str) -> exp.Expression:
        """An instant, given as UTC text with milliseconds, that compares with a column."""
        ...

    def value(self, column: exp.Expression, type_: FieldType) -> exp.Expression:
        """The column as the type that unloads keep it in: instants as UTC without a zone, cut to
        milliseconds, decimals with six places, text for all that is no number or date."""
        ...


class WarehouseEngine(Protocol):
    """Runs SQL where the tables are. Methods may be called from any thread, and raise
    WarehouseUnavailable."""

    @property
    def dialect(self) -> Dialect: ...

    def describe(self) -> str:
        """Name and version, for people."""
        ...

    def tables(self) -> Sequence[str]:
        """The full names of the tables that the engine's catalog shows."""
        ...

    def columns(self, mapping: TableMapping) -> tuple[EngineColumn, ...] | None:
        """The columns of a table; None when there is no such table."""
        ...

    def version(self, mapping: TableMapping) -> str | None:
        """The newest version of a table, which reads can be pinned to; None without versions."""
        ...

    def rows(self, query: exp.Query) -> list[tuple[Any, ...]]:
        """All rows of a small answer."""
        ...

    def unload(
        self,
        query: exp.Query,
        *,
        url: str,
        partition_by: str | None,
        cancellation: Cancellation,
        progress: Progress,
    ) -> int:
        """Write the query's rows as Parquet files below `url`, which nobody has used before, in
        parallel and in the query's order; returns how many the engine says it has written. With
        `partition_by` rows of one value of that column lie in files below `<column>=<value>/`.
        Cancelling stops it in the engine; raises Cancelled."""
        ...
