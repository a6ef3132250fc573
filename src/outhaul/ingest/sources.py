"""The three kinds of files as one: a relation with a cell of text per column and record."""

import csv
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import duckdb

from outhaul.domain.errors import ImportRefused
from outhaul.store.faults import is_no_room

_CHUNK_BYTES = 1 << 20
REJECTS = "import_rejects"
"""Temporary table in which the engine leaves the records it cannot split."""


class Format(StrEnum):
    """How a file is written."""

    CSV = "csv"
    JSON_LINES = "jsonl"
    PARQUET = "parquet"


_ENDINGS = {
    ".csv": Format.CSV,
    ".jsonl": Format.JSON_LINES,
    ".ndjson": Format.JSON_LINES,
    ".parquet": Format.PARQUET,
}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A column's value in a record, as SQL over the source's relation."""

    text: str
    """The value as text; NULL when missing."""
    nested: str | None = None
    """Whether a JSON list or object stands where the text came from; None: never."""
    native: str = "VARCHAR"
    """The file's own type of `value`."""
    value: str = ""
    may_hold_nul: bool = True
    """Whether the text can hold a NUL character, which no text field takes."""


NO_CELL = Cell(text="NULL::VARCHAR")


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file, opened. `relation` gives one row a record, in file order, without blank records
    being left out; `skipping` is the same for a look ahead that passes over broken records."""

    path: Path
    format: Format
    columns: tuple[str, ...]
    relation: str
    skipping: str
    cells: dict[str, Cell]
    blank: str
    """Whether the record is a blank line, which is neither taken nor refused."""
    fault: str | None
    """Why the record as a whole is wrong, or NULL; None: records never are."""
    given: str | None
    """The list of columns that the record names; None: all of them."""
    delimiter: str = ""
    """What stands between the values of a CSV file."""


def open_source(
    path: Path,
    connection: duckdb.DuckDBPyConnection,
    *,
    known: frozenset[str] | None,
    delimiter: str | None = None,
) -> Source:
    """Open the file by its ending; the delimiter of a CSV file is found where none is given. With
    `known`, a JSON line that names another key is wrong
    on its own; without, all keys of the file are its columns. Raises ImportRefused."""
    format_ = _ENDINGS.get(path.suffix.lower())
    if format_ is None:
        raise ImportRefused("The file name must end in .csv, .jsonl, .ndjson or .parquet.")
    try:
        size = path.stat().st_size if path.is_file() else None
    except OSError:
        size = None
    if size is None:
        raise ImportRefused("The server cannot read this file, or there is none.")
    if size == 0:
        raise ImportRefused("The file is empty.")
    with reading(format_):
        if format_ is Format.CSV:
            return _csv(path, delimiter)
        if format_ is Format.PARQUET:
            return _parquet(path, connection)
        return _json_lines(path, connection, known)


class reading:  # noqa: N801 -- reads as a word in a with statement
    """Turns a file that cannot be read at all into ImportRefused."""

    def __init__(self, format_: Format) -> None:
        self._format = format_

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        # The scratch database may be what fails, for want of room.
        if isinstance(error, OSError | duckdb.IOException) and not is_no_room(error):
            raise ImportRefused("The server cannot read this file.") from error
        if isinstance(error, UnicodeDecodeError):
            raise ImportRefused("The file is not UTF-8 text.") from error
        if isinstance(error, duckdb.InvalidInputException | csv.Error):
            detail = {
                Format.CSV: "The file cannot be read as CSV; all its lines must end alike.",
                Format.JSON_LINES: "The file cannot be read; all its lines must end alike.",
                Format.PARQUET: "The file is not a Parquet file, or is damaged.",
            }[self._format]
            raise ImportRefused(detail) from error


def _csv(path: Path, delimiter: str | None) -> Source:
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        if delimiter is None:
            delimiter = ";" if ";" in first and "," not in first else ","
        file.seek(0)
        header = next(csv.reader(file, delimiter=delimiter), [])
    if not header:
        raise ImportRefused("The first line of the file must name its columns.")
    _refuse_repeats(header)
    holds_nul = _holds(path, b"\0")
    names = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(len(header)))
    arguments = (
        f"{_literal(path)}, columns = {{{names}}}, auto_detect = false, header = true,"
        f" delim = '{delimiter}', quote = '\"', escape = '\"', nullstr = '',"
        " allow_quoted_nulls = false, null_padding = false"
    )
    return Source(
        path=path,
        format=Format.CSV,
        columns=tuple(header),
        relation=_keeping_rejects(arguments, REJECTS),
        skipping=f"read_csv({arguments}, ignore_errors = true)",
        cells={
            id_: Cell(text=f"c{index}", may_hold_nul=holds_nul) for index, id_ in enumerate(header)
        },
        # Only in a file of one column can an empty line be told from a line of missing values.
        blank="c0 IS NULL" if len(header) == 1 else "false",
        fault=None,
        given=None,
        delimiter=delimiter,
    )


def _parquet(path: Path, connection: duckdb.DuckDBPyConnection) -> Source:
    whole = f"read_parquet({_literal(path)})"
    described = connection.execute(f"DESCRIBE SELECT * FROM {whole}").fetchall()
    header = [row[0] for row in described]
    _refuse_repeats(header)
    numbered = ", ".join(f"{identifier(id_)} AS c{index}" for index, id_ in enumerate(header))
    relation = f"(SELECT {numbered} FROM {whole})"
    return Source(
        path=path,
        format=Format.PARQUET,
        columns=tuple(header),
        relation=relation,
        skipping=relation,
        cells={
            id_: _native_cell(f"c{index}", native)
            for index, (id_, native, *_) in enumerate(described)
        },
        blank="false",
        fault=None,
        given=None,
    )


def _native_cell(value: str, native: str) -> Cell:
    if native == "VARCHAR":
        return Cell(text=value)
    if native.endswith("]") or native.startswith(("STRUCT", "MAP")):
        return Cell(text=f"to_json({value})::VARCHAR", nested=f"{value} IS NOT NULL")
    if native.startswith("TIMESTAMP"):
        text = f"strftime({value}::TIMESTAMP, '%Y-%m-%dT%H:%M:%S.%gZ')"
    else:
        text = f"{value}::VARCHAR"
    return Cell(text=text, native=native, value=value)


def _json_lines(
    path: Path, connection: duckdb.DuckDBPyConnection, known: frozenset[str] | None
) -> Source:
    arguments = (
        f"{_literal(path)}, columns = {{'j': 'VARCHAR'}}, auto_detect = false, header = false,"
        " delim = '', quote = '', escape = '', nullstr = ''"
    )
    looked = _keeping_rejects(arguments, "import_look_rejects")
    # Objects of a file have few shapes, so they are looked at once, not in every record. A line
    # that is no JSON has none, and one that is no object has no keys.
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE import_shapes AS"
        f" SELECT DISTINCT TRY(json_keys(j)) AS keys FROM {looked}"
    )
    refuse_other_encodings(connection, "import_look_rejects")
    keys = [
        row[0]
        for row in connection.execute(
            "SELECT DISTINCT unnest(keys) AS key FROM import_shapes ORDER BY key"
        ).fetchall()
    ]
    repeats = connection.execute(
        "SELECT count(*) FROM import_shapes WHERE len(keys) <> len(list_distinct(keys))"
    ).fetchall()[0][0]
    faults = ["WHEN NOT whole THEN 'the line is not one JSON object'"]
    if repeats:
        faults.append(
            "WHEN len(json_keys(j)) <> len(list_distinct(json_keys(j)))"
            " THEN 'a key stands more than once'"
        )
    if known is not None and not known.issuperset(keys):
        taken = ", ".join(literal(key) for key in sorted(known))
        strangers = f"list_filter(json_keys(j), lambda k: NOT list_contains([{taken}], k))"
        faults.append(
            f"WHEN len({strangers}) > 0 THEN 'unknown field ' || array_to_string({strangers}, ', ')"
        )
        keys = [key for key in keys if key in known]
    values, members = _members(keys)
    holds_nul = _holds(path, b"\\u0000")
    whole = "coalesce(TRY(json_type(j)) = 'OBJECT', false) AS whole"

    def wrapped(relation: str) -> str:
        taken = f"CASE WHEN whole THEN {values} END AS v"
        return f"(SELECT j, whole, {taken} FROM (SELECT j, {whole} FROM {relation}))"

    return Source(
        path=path,
        format=Format.JSON_LINES,
        columns=tuple(keys),
        relation=wrapped(_keeping_rejects(arguments, REJECTS)),
        skipping=wrapped(f"read_csv({arguments}, ignore_errors = true)"),
        cells={
            key: Cell(
                text=member,
                may_hold_nul=holds_nul,
                nested=(
                    f"CASE WHEN starts_with({member}, '[') OR starts_with({member}, '{{')"
                    f" THEN json_type(j, {_pointer(key)}) IN ('ARRAY', 'OBJECT') ELSE false END"
                ),
            )
            for key, member in zip(keys, members, strict=True)
        },
        blank="j IS NULL OR trim(j) = ''",
        fault=f"CASE {' '.join(faults)} END",
        given="CASE WHEN whole THEN json_keys(j) END",
    )


def _members(keys: list[str]) -> tuple[str, list[str]]:
    """SQL of all values of the object `j` as text, and of each of them in that, called `v`."""
    if len({key.casefold() for key in keys}) == len(keys) > 0:
        wanted = json.dumps(dict.fromkeys(keys, "VARCHAR"), ensure_ascii=False)
        return f"json_transform(j, {literal(wanted)})", [f"v.{identifier(key)}" for key in keys]
    # The members of a structure cannot differ in case alone; a list takes a third longer.
    pointers = ", ".join(map(_pointer, keys))
    places = [f"v[{place}]" for place in range(1, len(keys) + 1)]
    return f"json_extract_string(j, CAST([{pointers}] AS VARCHAR[]))", places


def _pointer(key: str) -> str:
    return literal("/" + key.replace("~", "~0").replace("/", "~1"))


def refuse_other_encodings(connection: duckdb.DuckDBPyConnection, rejects: str = REJECTS) -> None:
    """Raise ImportRefused when a pass over the file met bytes that are not UTF-8."""
    found = connection.execute(
        f"SELECT count(*) FROM {rejects} WHERE error_type = 'INVALID ENCODING'"
    ).fetchall()
    if found[0][0]:
        raise ImportRefused("The file is not UTF-8 text.")


def _keeping_rejects(arguments: str, table: str) -> str:
    return (
        f"read_csv({arguments}, store_rejects = true, rejects_table = '{table}',"
        f" rejects_scan = '{table}_scans', rejects_limit = 0)"
    )


def _holds(path: Path, wanted: bytes) -> bool:
    """Whether these bytes stand anywhere in the file: far quicker than to look in every value."""
    end = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            if wanted in (read := end + chunk):
                return True
            end = read[1 - len(wanted) :] if len(wanted) > 1 else b""
    return False


def _refuse_repeats(header: list[str]) -> None:
    repeated = sorted({id_ for id_ in header if header.count(id_) > 1})
    if repeated:
        raise ImportRefused(f"The file names a column more than once: {', '.join(repeated)}.")


def _literal(path: Path) -> str:
    # The engine takes wildcards in file names; in brackets they stand for themselves.
    return literal(re.sub(r"[*?\[]", lambda found: f"[{found[0]}]", str(path)))


def literal(text: str) -> str:
    """The text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """The name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
