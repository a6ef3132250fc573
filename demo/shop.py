"""Makes the sample shop: contacts, activities and segments as files to import.

Everything is a pure function of a row's number and the seed, computed by DuckDB with hashes in
place of a random generator. So the same arguments give the same rows (with one version of DuckDB),
nothing has to be joined or sorted, and twenty million activities take two minutes.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import gcd
from pathlib import Path
from typing import Literal

import duckdb

from demo import words
from demo.shop_activities import activities_sql
from demo.shop_contacts import contacts_sql
from demo.shop_sql import macros, segments_sql
from demo.shop_types import ANONYMOUS_MIX, MIX, TYPES

FileFormat = Literal["parquet", "jsonl", "csv"]

UNTIL = datetime(2026, 11, 8, tzinfo=UTC)
"""Two weeks after the clocks went back in Europe, so that the last month holds a 25-hour day."""

LARGE_SEGMENT_ID = "5e60000000000000000000a1"
SMALL_SEGMENT_ID = "5e60000000000000000000b2"


@dataclass(frozen=True, kw_only=True)
class Shop:
    """The files of a sample shop and what is known about them."""

    contacts: Path
    activities: Path
    segments: Path
    """One row a member."""
    contact_count: int
    activity_count: int
    starts: datetime
    """No activity is earlier."""
    until: datetime
    """Every activity is earlier than this."""
    large_segment_id: str = LARGE_SEGMENT_ID
    """About one contact in five."""
    small_segment_id: str = SMALL_SEGMENT_ID
    """About one contact in five hundred."""


def make_shop(
    folder: Path,
    *,
    contacts: int = 50_000,
    activities: int = 500_000,
    days: int = 60,
    until: datetime = UNTIL,
    file_format: FileFormat = "parquet",
    seed: int = 1,
    shuffled: bool = False,
) -> Shop:
    """Write `contacts.*`, `activities.*` and `segments.*` into the folder, replacing older ones.

    Rows are in order of time, unless `shuffled` spreads the activities over the whole file.
    Needs at least one contact, one activity and one day, and at most one activity a millisecond;
    raises ValueError otherwise.
    """
    span_ms = days * 86_400_000
    if contacts < 1 or days < 1 or not 1 <= activities <= span_ms:
        raise ValueError("a shop needs contacts, days, and from one activity to one a millisecond")
    folder.mkdir(parents=True, exist_ok=True)
    starts = until - timedelta(days=days)
    shop = Shop(
        contacts=folder / f"contacts.{file_format}",
        activities=folder / f"activities.{file_format}",
        segments=folder / f"segments.{file_format}",
        contact_count=contacts,
        activity_count=activities,
        starts=starts,
        until=until,
    )
    with duckdb.connect() as connection:
        # DuckDB reads a table with all threads, and the function range() with one.
        connection.execute(f"CREATE TABLE numbers AS SELECT range AS n FROM range({activities})")
        _define(connection, seed=seed, contacts=contacts, starts=starts, until=until)
        _write(connection, contacts_sql(contacts), shop.contacts, file_format)
        _write(
            connection,
            activities_sql(
                activities,
                starts_ms=_epoch_ms(starts),
                step_ms=span_ms // activities,
                stride=_stride(activities) if shuffled else 1,
            ),
            shop.activities,
            file_format,
        )
        _write(
            connection,
            segments_sql(contacts, (LARGE_SEGMENT_ID, SMALL_SEGMENT_ID)),
            shop.segments,
            file_format,
        )
    return shop


def _define(
    connection: duckdb.DuckDBPyConnection,
    *,
    seed: int,
    contacts: int,
    starts: datetime,
    until: datetime,
) -> None:
    """Give the connection the words as variables and the macros that every query is made of."""
    lists = {name.lower(): list(value) for name, value in vars(words).items() if name.isupper()}
    for name, value in {
        **lists,
        "types": list(TYPES),
        "mix": [TYPES.index(type_) for type_ in MIX],
        "anonymous_mix": [TYPES.index(type_) for type_ in ANONYMOUS_MIX],
    }.items():
        connection.execute(f"SET VARIABLE {name} = ?", [value])
    # The shop has been open for two years when the first activity comes.
    opened_ms = _epoch_ms(starts - timedelta(days=730))
    until_ms = _epoch_ms(until)
    for macro in macros(seed=seed, contacts=contacts, first_ms=opened_ms, until_ms=until_ms):
        connection.execute(macro)


def _write(
    connection: duckdb.DuckDBPyConnection, query: str, path: Path, file_format: FileFormat
) -> None:
    """Stream the query's rows into a file, in their order."""
    rows = connection.sql(query)
    match file_format:
        case "parquet":
            rows.write_parquet(str(path), compression="lz4_raw")
        case "csv":
            # A CSV cell cannot hold a list, so lists go in as JSON text.
            columns = zip(rows.columns, rows.types, strict=True)
            lists = [name for name, type_ in columns if type_.id == "list"]
            as_json = ", ".join(f'to_json("{name}") AS "{name}"' for name in lists)
            replaced = f"* REPLACE ({as_json})" if lists else "*"
            connection.sql(f"SELECT {replaced} FROM ({query})").write_csv(str(path), header=True)
        case "jsonl":
            # Merging into an empty object leaves out what a row does not have.
            lines = f"SELECT json_merge_patch('{{}}'::JSON, to_json(r)) FROM ({query}) r"
            connection.sql(lines).write_csv(
                str(path), header=False, quotechar="", escapechar="", sep="\x1f"
            )


def _stride(rows: int) -> int:
    """A step that visits every row once before it comes back to the first, and jumps far.

    Near the golden ratio of the rows: neighbours in the file are then far apart in time, and
    nothing has to be sorted to get there.
    """
    stride = max(1, round(rows * 0.618))
    while gcd(stride, rows) != 1:
        stride += 1
    return stride


def _epoch_ms(instant: datetime) -> int:
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
