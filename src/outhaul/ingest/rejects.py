"""The list of refused rows: one JSON object a line, in file order, or no file at all."""

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path

from outhaul.ingest.sources import REJECTS, Format, Source, literal
from outhaul.ingest.staged import STAGED
from outhaul.store.staging import Staging

_BROKEN = {
    "MISSING COLUMNS": "the row has fewer values than the header",
    "TOO MANY COLUMNS": "the row has more values than the header",
    "UNQUOTED VALUE": "a quoted value is not closed, or text follows its closing quote",
    "LINE SIZE OVER MAXIMUM": "the row is longer than two million bytes",
}
_LONGEST_VALUE = 2_000_000
_BATCH = 10_000


def count_broken(staging: Staging, source: Source) -> int:
    """Records that could not even be split into values, and so were never staged."""
    if source.format is Format.PARQUET:
        return 0
    return staging.count(f"SELECT count(DISTINCT line) FROM {REJECTS}")


def write_rejects(staging: Staging, source: Source, turned_away: list[Path], target: Path) -> int:
    """Write every refused row's line number and reasons to `target`, or remove it when there is
    none. Replaces the file at once, never in part. Returns the rows refused."""
    part = target.with_name(f"{target.name}.part")
    count = 0
    with part.open("w", encoding="utf-8", newline="\n") as file:
        for line, reason in _refused(staging, source, turned_away):
            count += 1
            file.write(json.dumps({"line": line, "reason": reason}, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    if count:
        part.replace(target)
    else:
        part.unlink()
        target.unlink(missing_ok=True)
    return count


def _refused(
    staging: Staging, source: Source, turned_away: list[Path]
) -> Iterator[tuple[int, str]]:
    """(line, reasons) in file order: staged rows and records never staged, woven together."""
    broken: list[tuple[int, str]] = []
    if source.format is not Format.PARQUET:
        broken = [
            (record, _BROKEN.get(kind, "the row cannot be read"))
            for record, kind in staging.rows(
                f"SELECT line, min(error_type::VARCHAR) FROM {REJECTS} GROUP BY line ORDER BY line"
            )
        ]
    files = ", ".join(literal(str(path)) for path in turned_away)
    late = f" UNION ALL SELECT n, reason FROM read_parquet([{files}])" if files else ""
    cursor = staging.connection.execute(
        f"SELECT n, reasons FROM {staging.table(STAGED)} WHERE reasons <> ''{late} ORDER BY n"
    )
    staged = (row for batch in iter(lambda: cursor.fetchmany(_BATCH), []) for row in batch)
    next_broken, next_staged = _Peek(iter(broken)), _Peek(staged)
    records = _records(source, {record for record, _ in broken})
    while next_broken.key is not None or next_staged.key is not None:
        record, line, place = next(records)
        if next_broken.key == record:
            yield line, next_broken.take()
        elif place is not None and next_staged.key == place:
            yield line, next_staged.take()


class _Peek:
    """An iterator of (key, text) whose next key can be seen; None at the end."""

    def __init__(self, items: Iterator[tuple[int, str]]) -> None:
        self._items = items
        self._next = next(items, None)

    @property
    def key(self) -> int | None:
        return None if self._next is None else self._next[0]

    def take(self) -> str:
        assert self._next is not None
        text = self._next[1]
        self._next = next(self._items, None)
        return text


def _records(source: Source, broken: set[int]) -> Iterator[tuple[int, int, int | None]]:
    """Every record: its number as the engine counts, the line it starts on, its staged row.

    The engine numbers records from 1, the header and blank lines included. A record of a CSV file
    may span lines, which only reading it again can tell; that is done for refused rows alone.
    """
    place = 0
    for record, line, blank in _starts(source):
        if record in broken or blank:
            yield record, line, None
        else:
            yield record, line, place
            place += 1


def _starts(source: Source) -> Iterator[tuple[int, int, bool]]:
    if source.format is not Format.CSV:
        record = 0
        while True:
            record += 1
            yield record, record, False
    csv.field_size_limit(_LONGEST_VALUE)
    with source.path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        delimiter = ";" if _separates(source, ";") else ","
        reader = csv.reader(file, delimiter=delimiter)
        start = 1
        for record, values in enumerate(reader, start=1):
            blank = record == 1 or (not values and len(source.columns) > 1)
            yield record, start, blank
            start = reader.line_num + 1


def _separates(source: Source, delimiter: str) -> bool:
    return f"delim = '{delimiter}'" in source.relation
