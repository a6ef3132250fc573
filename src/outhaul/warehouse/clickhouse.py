"""ClickHouse over HTTP, and chDB, the same engine in process, by the same client."""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from sqlglot import exp

from outhaul.domain.cancellation import Cancellation, Cancelled
from outhaul.domain.errors import WarehouseUnavailable
from outhaul.domain.export import FieldType
from outhaul.domain.ids import new_id
from outhaul.warehouse.engine import EngineColumn, Progress
from outhaul.warehouse.mapping import TableMapping
from outhaul.warehouse.watch import watched

_ASK_S = 2
_PIECE_ROWS = 1_000_000
_MOST_PIECES = 64
_AT_ONCE = 4
_SETTINGS = {
    # Else a missing partner of a join is an empty text, and a column hides behind its alias.
    "join_use_nulls": 1,
    "prefer_column_name_to_alias": 1,
    "session_timezone": "UTC",
}
_TEXT = frozenset(type_ for type_ in FieldType if type_.is_text)
_NUMBER = frozenset({FieldType.DECIMAL, FieldType.MONEY})
_FITS = (
    (r"U?Int(8|16|32|64)", _NUMBER | {FieldType.INTEGER}),
    (r"Decimal|Float", _NUMBER),
    (r"Bool", frozenset({FieldType.BOOLEAN})),
    (r"DateTime", frozenset({FieldType.INSTANT})),
    (r"Date", frozenset({FieldType.DATE})),
    (r"String|FixedString|Enum|UUID|IPv", _TEXT),
)


class ClickHouseDialect:
    """ClickHouse's SQL."""

    name = "clickhouse"

    def table(self, mapping: TableMapping, version: str | None) -> exp.Expression:  # noqa: ARG002 -- tables of ClickHouse have no versions
        if mapping.table is not None:
            names = [part.name for part in exp.to_table(mapping.table, dialect=self.name).parts]
            quoted = [exp.to_identifier(name, quoted=True) for name in reversed(names)]
            return exp.Table(**dict(zip(("this", "db", "catalog"), quoted, strict=False)))
        path = mapping.path or ""
        if mapping.format == "parquet":
            return _files(path)
        local = "" if "://" in path and not path.startswith("file://") else "Local"
        function = {"delta": "deltaLake", "iceberg": "iceberg"}[mapping.format]
        return exp.Anonymous(
            this=f"{function}{local}", expressions=[exp.Literal.string(_plain(path))]
        )

    def instant(self, text: str) -> exp.Expression:
        return exp.cast(exp.Literal.string(text), _type("DateTime64(3, 'UTC')"))

    def value(self, column: exp.Expression, type_: FieldType) -> exp.Expression:
        match type_:
            case FieldType.INSTANT:
                return exp.cast(column, _type("Nullable(DateTime64(3, 'UTC'))"))
            case FieldType.INTEGER:
                return exp.cast(column, _type("Nullable(Int64)"))
            case FieldType.DECIMAL | FieldType.MONEY:
                # A cast alone cuts what is longer.
                rounded = exp.Round(this=column, decimals=exp.Literal.number(6))
                return exp.cast(rounded, _type("Nullable(Decimal(18, 6))"))
            case FieldType.BOOLEAN:
                return exp.cast(column, _type("Nullable(Bool)"))
            case FieldType.DATE:
                return exp.cast(column, _type("Nullable(Date32)"))
            case _:
                return exp.cast(column, _type("Nullable(String)"))


class ClickHouseEngine:
    """Speaks to one server, or to the chDB of this process."""

    def __init__(self, url: str) -> None:
        """`url` as clickhouse-connect takes it: `clickhouse://user:password@host:8443/database`,
        `chdb://memory` or `chdb:///folder`."""
        self._url = url
        in_process = urlsplit(url).scheme == "chdb"
        self._at_once = 1 if in_process else _AT_ONCE
        # A session would keep a client's next query waiting for one that is being killed.
        self._options: dict[str, Any] = {} if in_process else {"autogenerate_session_id": False}
        self._idle: list[Client] = []
        self.dialect = ClickHouseDialect()

    def describe(self) -> str:
        with self._client("describe") as client:
            return f"ClickHouse {client.server_version}"

    def tables(self) -> Sequence[str]:
        found = self.rows(
            exp.select("database", "name")
            .from_("system.tables")
            .where(
                exp.column("database")
                .isin(
                    *map(exp.Literal.string, ("system", "INFORMATION_SCHEMA", "information_schema"))
                )
                .not_()
            )
            .order_by("database", "name")
        )
        return [f"{database}.{name}" for database, name in found]

    def columns(self, mapping: TableMapping) -> tuple[EngineColumn, ...] | None:
        table = self.dialect.table(mapping, None).sql(self.dialect.name)
        with self._client("columns") as client:
            try:
                described = client.query(f"DESCRIBE TABLE {table}").result_rows
            except DatabaseError:
                return None
        return tuple(
            EngineColumn(name=name, type=type_, fits=_fits(type_)) for name, type_, *_ in described
        )

    def version(self, mapping: TableMapping) -> str | None:  # noqa: ARG002 -- there are none
        return None

    def rows(self, query: exp.Query) -> list[tuple[Any, ...]]:
        return self._rows(query)

    def _rows(self, query: exp.Query, mark: str = "") -> list[tuple[Any, ...]]:
        with self._client("rows") as client:
            sql = query.sql(self.dialect.name)
            found = client.query(sql, settings={"log_comment": mark}).result_rows
        return [tuple(row) for row in found]

    def unload(
        self,
        query: exp.Query,
        *,
        url: str,
        partition_by: str | None,
        cancellation: Cancellation,
        progress: Progress,
    ) -> int:
        mark = f"outhaul-{new_id()}"
        folder = url if partition_by is None else f"{url}/{partition_by}={{_partition_id}}"
        with (
            self._client("unload") as watcher,
            watched(lambda: progress(*_done(watcher, mark)), cancellation, every_s=_ASK_S),
            cancellation.interrupting(lambda: self._kill(mark)),
        ):

            def write(number: int, piece: exp.Query) -> None:
                cancellation.check()
                target = _files(f"{folder}/part-{number:03}.parquet")
                insert = _insert(target, partition_by, piece).sql(self.dialect.name)
                with self._client("unload") as client:
                    client.command(insert, settings={"log_comment": mark})

            try:
                pieces = self._pieces(query, mark)
                with ThreadPoolExecutor(self._at_once) as executor:
                    list(executor.map(write, range(len(pieces)), pieces))
            except Exception as error:
                if cancellation.is_set:
                    raise Cancelled from error
                raise
        if not pieces:
            return 0
        written = exp.select(exp.Count(this=exp.Star())).from_(_files(f"{url}/**/*.parquet"))
        return int(self.rows(written)[0][0])

    def _pieces(self, query: exp.Query, mark: str) -> list[exp.Query]:
        """The query cut by time into pieces of some million rows, each of which is one stream."""
        created = query.args["order"].expressions[0].this
        unordered = query.copy()
        unordered.set("order", None)
        found = exp.select(exp.Count(this=exp.Star())).from_(unordered.subquery("found"))
        [(rows,)] = self._rows(found, mark)
        count = min(-(-rows // _PIECE_ROWS), _MOST_PIECES)
        if count <= 1:
            return [query] if rows else []
        levels = [exp.Literal.number(number / count) for number in range(1, count)]
        at = exp.func("toUnixTimestamp64Milli", created.copy())
        quantiles = exp.ParameterizedAgg(this="quantiles", expressions=levels, params=[at])
        sampled = exp.select(quantiles).from_(unordered.subquery("found"))
        [(bounds,)] = self._rows(sampled, mark)
        edges = [None, *(int(bound) for bound in sorted(set(bounds))), None]
        return [_between(query, created, first, until) for first, until in pairwise(edges)]

    def _kill(self, mark: str) -> None:
        # Whoever cancels has other things to do than to hear that the work is over.
        with suppress(WarehouseUnavailable), self._client("kill") as client:
            client.command(f"KILL QUERY WHERE {_of(mark)} ASYNC")

    @contextmanager
    def _client(self, what: str) -> Iterator[Client]:
        try:
            # A new client asks the server who it is, which takes longer than most answers.
            client = (
                self._idle.pop()
                if self._idle
                else clickhouse_connect.get_client(
                    dsn=self._url, settings=_SETTINGS, **self._options
                )
            )
            yield client
            self._idle.append(client)
        except Cancelled:
            raise
        except Exception as error:
            # Its text may quote rows; the class of the error says enough in public.
            raise WarehouseUnavailable(f"{what}: {type(error).__name__}") from error


def _insert(target: exp.Expression, partition_by: str | None, query: exp.Query) -> exp.Insert:
    insert = exp.Insert(this=target, is_function=True, expression=query)
    if partition_by is not None:
        column = exp.column(partition_by, quoted=True)
        insert.set("partition", exp.PartitionedByProperty(this=column))
    return insert


def _between(
    query: exp.Query, created: exp.Expression, first: int | None, until: int | None
) -> exp.Query:
    """The rows created (in ms since 1970) from `first` to before `until`, as far as these are
    given. Those without an instant come with the first, so that they are counted."""
    at = exp.func("toUnixTimestamp64Milli", created.copy())
    conditions: list[exp.Expression] = []
    if first is not None:
        conditions.append(exp.GTE(this=at, expression=exp.Literal.number(first)))
    if until is not None:
        before: exp.Expression = exp.LT(this=at.copy(), expression=exp.Literal.number(until))
        if first is None:
            before = exp.Or(
                this=before, expression=exp.Is(this=created.copy(), expression=exp.null())
            )
        conditions.append(before)
    return query.where(*conditions)


def _of(mark: str) -> str:
    """The condition for the queries of one unload, in the server's table of what it does."""
    setting = exp.Bracket(
        this=exp.column("Settings"), expressions=[exp.Literal.string("log_comment")]
    )
    return exp.EQ(this=setting, expression=exp.Literal.string(mark)).sql("clickhouse")


def _done(client: Client, mark: str) -> tuple[int, int]:
    """Rows read, of how many."""
    [(read, total)] = client.query(
        f"SELECT sum(read_rows), sum(total_rows_approx) FROM system.processes WHERE {_of(mark)}"
    ).result_rows
    return int(read), int(total)


def _files(url: str) -> exp.Anonymous:
    """The function that reads and writes Parquet files at a URL or a path."""
    function = "s3" if "://" in url and not url.startswith("file://") else "file"
    named = [exp.Literal.string(_plain(url)), exp.Literal.string("Parquet")]
    return exp.Anonymous(this=function, expressions=named)


def _plain(url: str) -> str:
    return url.removeprefix("file://")


def _type(text: str) -> exp.DataType:
    return exp.DataType.build(text, dialect="clickhouse")


def _fits(type_: str) -> frozenset[FieldType]:
    """What a column can be written as, by the name of its type without what is wrapped around."""
    bare = re.sub(r"^(?:LowCardinality\(|Nullable\()*", "", type_)
    return next((fits for pattern, fits in _FITS if re.match(pattern, bare)), frozenset())
