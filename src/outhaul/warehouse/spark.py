"""Spark Connect: Apache Spark clusters, Databricks and Sail by one protocol."""

import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from sqlglot import exp

from outhaul.domain.cancellation import Cancellation, Cancelled
from outhaul.domain.errors import WarehouseUnavailable
from outhaul.domain.export import FieldType
from outhaul.warehouse.engine import EngineColumn, Progress
from outhaul.warehouse.mapping import TableMapping
from outhaul.warehouse.watch import watched


@contextmanager
def _importing_pyspark() -> Iterator[None]:
    """Pyspark warns of every newer pandas, none of which is used here; and it takes a process
    whose main module has no file for a run of its own doctests, and ends it."""
    main = sys.modules["__main__"]
    nameless = not hasattr(main, "__file__")
    if nameless:
        main.__file__ = "outhaul"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if nameless:
            del main.__file__


with _importing_pyspark():
    from pyspark.errors import AnalysisException, PySparkException
    from pyspark.sql import Observation
    from pyspark.sql import functions as spark_functions
    from pyspark.sql.connect.client.retries import DefaultPolicy
    from pyspark.sql.connect.session import SparkSession
    from pyspark.sql.types import (
        BooleanType,
        ByteType,
        DataType,
        DateType,
        DecimalType,
        DoubleType,
        FloatType,
        IntegerType,
        LongType,
        ShortType,
        StringType,
        TimestampNTZType,
        TimestampType,
    )

_ASK_S = 10
# The client's own patience is ten minutes: too long for a caller that waits for an answer. Eight
# tries bridge a minute, such as the restart of a proxy in the middle of an unload.
_PATIENT_TRIES, _LONGEST_PAUSE_MS = 8, 15_000
_CONF = {
    "spark.sql.session.timeZone": "UTC",
    # Else Spark puts its variables in the place of what looks like one, in texts as well.
    "spark.sql.variable.substitute": "false",
}
_TEXT = frozenset(type_ for type_ in FieldType if type_.is_text)
_NUMBER = frozenset({FieldType.DECIMAL, FieldType.MONEY})
_FITS: tuple[tuple[tuple[type[DataType], ...], frozenset[FieldType]], ...] = (
    ((ByteType, ShortType, IntegerType, LongType), _NUMBER | {FieldType.INTEGER}),
    ((DecimalType, DoubleType, FloatType), _NUMBER),
    ((BooleanType,), frozenset({FieldType.BOOLEAN})),
    ((DateType,), frozenset({FieldType.DATE})),
    ((TimestampType, TimestampNTZType), frozenset({FieldType.INSTANT})),
    ((StringType,), _TEXT),
)


class SparkDialect:
    """Spark's SQL."""

    name = "spark"

    def table(self, mapping: TableMapping, version: str | None) -> exp.Expression:
        if mapping.table is not None:
            parts = exp.to_table(mapping.table, dialect=self.name).parts
            names = [part.name for part in parts]
        else:
            names = [mapping.format, mapping.path or ""]
        quoted = [exp.to_identifier(name, quoted=True) for name in reversed(names)]
        table = exp.Table(**dict(zip(("this", "db", "catalog"), quoted, strict=False)))
        if version is not None:
            pinned = exp.Literal.number(version)
            table.set("version", exp.Version(this="VERSION", kind="AS OF", expression=pinned))
        return table

    def instant(self, text: str) -> exp.Expression:
        # The session's zone is UTC, so the same text is right for columns with and without zone.
        return exp.cast(exp.Literal.string(text), "timestamp", dialect="duckdb")

    def value(self, column: exp.Expression, type_: FieldType) -> exp.Expression:
        match type_:
            case FieldType.INSTANT if not isinstance(column, exp.Null):
                cut = exp.TimestampTrunc(this=column, unit=exp.var("MILLISECOND"))
                return exp.cast(cut, exp.DataType.Type.TIMESTAMPNTZ)
            case FieldType.INSTANT:
                return exp.cast(column, exp.DataType.Type.TIMESTAMPNTZ)
            case FieldType.INTEGER:
                return exp.cast(column, exp.DataType.Type.BIGINT)
            case FieldType.DECIMAL | FieldType.MONEY:
                return exp.cast(column, "decimal(18, 6)")
            case FieldType.BOOLEAN:
                return exp.cast(column, exp.DataType.Type.BOOLEAN)
            case FieldType.DATE:
                return exp.cast(column, exp.DataType.Type.DATE)
            case _:
                return exp.cast(column, exp.DataType.Type.TEXT)


class SparkEngine:
    """Speaks to one server; every call has a session of its own."""

    def __init__(self, url: str) -> None:
        """`url` as Spark Connect writes it: `sc://host:port/;token=...`."""
        self._url = url
        self.dialect = SparkDialect()

    def describe(self) -> str:
        with self._session("describe") as session:
            return f"Spark Connect {session.version}"

    def tables(self) -> Sequence[str]:
        with self._session("tables") as session:
            databases = [database.name for database in session.catalog.listDatabases()]
            return [
                f"{database}.{table.name}"
                for database in databases
                for table in session.catalog.listTables(database)
                if not table.isTemporary
            ]

    def columns(self, mapping: TableMapping) -> tuple[EngineColumn, ...] | None:
        query = exp.select("*").from_(self.dialect.table(mapping, None))
        with self._session("columns") as session:
            try:
                schema = session.sql(query.sql(self.dialect.name)).schema
            except AnalysisException:
                return None
        if not schema.fields:
            # What some engines make of a path where nothing is.
            return None
        return tuple(
            EngineColumn(
                name=field.name,
                type=field.dataType.simpleString(),
                fits=next(
                    (fits for kinds, fits in _FITS if isinstance(field.dataType, kinds)),
                    frozenset(),
                ),
            )
            for field in schema.fields
        )

    def version(self, mapping: TableMapping) -> str | None:
        if mapping.path is not None and mapping.format == "parquet":
            return None
        table = self.dialect.table(mapping, None).sql(self.dialect.name)
        with self._session("version") as session:
            for ask in (_delta_version, _log_version, _iceberg_version):
                try:
                    found = ask(session, table, mapping)
                except PySparkException:
                    continue
                if found is not None:
                    return str(found)
        return None

    def rows(self, query: exp.Query) -> list[tuple[Any, ...]]:
        with self._session("rows") as session:
            return [tuple(row) for row in session.sql(query.sql(self.dialect.name)).collect()]

    def unload(
        self,
        query: exp.Query,
        *,
        url: str,
        partition_by: str | None,
        cancellation: Cancellation,
        progress: Progress,
    ) -> int:
        with self._session("unload", tries=_PATIENT_TRIES) as session:
            session.registerProgressHandler(_reporting(progress))

            def interrupt() -> None:
                # Whoever cancels has other things to do than to hear that the work is over.
                with suppress(PySparkException):
                    session.interruptAll()

            with (
                watched(session.sql("SELECT 1").collect, cancellation, every_s=_ASK_S),
                cancellation.interrupting(interrupt),
            ):
                try:
                    return _unload(session, query.sql(self.dialect.name), url, partition_by)
                except Exception as error:
                    if cancellation.is_set:
                        raise Cancelled from error
                    raise

    @contextmanager
    def _session(self, what: str, *, tries: int = 3) -> Iterator[SparkSession]:
        try:
            session = SparkSession(self._url)
            session.client.set_retry_policies(
                [DefaultPolicy(max_retries=tries, max_backoff=_LONGEST_PAUSE_MS)]
            )
            try:
                for name, value in _CONF.items():
                    session.conf.set(name, value)
                yield session
            finally:
                session.stop()
        except Cancelled:
            raise
        except Exception as error:
            # Its text may quote rows; the class of the error says enough in public.
            raise WarehouseUnavailable(f"{what}: {type(error).__name__}") from error


def _unload(session: SparkSession, sql: str, url: str, partition_by: str | None) -> int:
    frame = session.sql(sql)
    counted = None
    if _observes(session):
        counted = Observation("unloaded")
        rows = spark_functions.count(spark_functions.lit(1)).alias("rows")
        frame = frame.observe(counted, rows)
    writer = frame.write.option("compression", "zstd")
    if partition_by is not None:
        writer = writer.partitionBy(partition_by)
    writer.parquet(url)
    if counted is not None:
        return int(counted.get["rows"])
    # Engines that cannot count in passing count what they have written; where there was no row,
    # they have written nothing to count.
    try:
        return int(session.read.parquet(url).count())
    except AnalysisException:
        return 0


def _observes(session: SparkSession) -> bool:
    probe = Observation("probe")
    try:
        session.range(1).observe(probe, spark_functions.count(spark_functions.lit(1))).collect()
    except PySparkException:
        return False
    return True


def _delta_version(session: SparkSession, table: str, _: TableMapping) -> int | None:
    rows = session.sql(f"DESCRIBE HISTORY {table} LIMIT 1").collect()
    return rows[0]["version"] if rows else None


def _log_version(session: SparkSession, table: str, mapping: TableMapping) -> int | None:
    """From the names in the log of a Delta table, for engines that do not tell its history."""
    location = mapping.path if mapping.format == "delta" else None
    if mapping.table is not None:
        described = session.sql(f"DESCRIBE TABLE EXTENDED {table}").collect()
        facts = {str(row[0]): row[1] for row in described}
        if str(facts.get("Provider")).lower() == "delta":
            location = facts.get("Location")
    if location is None:
        return None
    logged = session.read.format("binaryFile").load(f"{location.rstrip('/')}/_delta_log/*.json")
    names = [str(row[0]).rpartition("/")[2] for row in logged.select("path").collect()]
    return max((int(name.removesuffix(".json")) for name in names), default=None)


def _iceberg_version(session: SparkSession, table: str, _: TableMapping) -> int | None:
    newest = session.sql(
        f"SELECT snapshot_id FROM {table}.`snapshots` ORDER BY committed_at DESC LIMIT 1"
    ).collect()
    return newest[0][0] if newest else None


def _reporting(progress: Progress) -> Any:
    def report(stages: Any, inflight_tasks: int, operation_id: str | None, done: bool) -> None:  # noqa: ARG001 -- pyspark's signature
        stages = list(stages or ())
        progress(
            sum(stage.num_completed_tasks for stage in stages),
            sum(stage.num_tasks for stage in stages),
        )

    return report
