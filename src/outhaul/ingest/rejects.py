"""The list of refused rows: one JSON object a line, in file order, or no file at all."""

import json
import os
from collections.abc import Iterator
from heapq import merge
from pathlib import Path

from outhaul.ingest.places import Places
from outhaul.ingest.sources import REJECTS, Format, Source, literal
from outhaul.ingest.staged import STAGED
from outhaul.store.staging import Staging

_BROKEN = {
    "MISSING COLUMNS": "the row has fewer values than the header",
    "TOO MANY COLUMNS": "the row has more values than the header",
    "UNQUOTED VALUE": "a quoted value is not closed, or text follows its closing quote",
    "LINE SIZE OVER MAXIMUM": "the row is longer than two million bytes",
}
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
    staged = staging.table(STAGED)
    total = staging.count(f"SELECT count(*) FROM {staged}")
    places = Places(source, staged=total, broken={record for record, _ in broken})
    files = ", ".join(literal(str(path)) for path in turned_away)
    late = f" UNION ALL SELECT n, reason FROM read_parquet([{files}])" if files else ""
    cursor = staging.connection.execute(
        f"SELECT n, reasons FROM {staged} WHERE reasons <> ''{late} ORDER BY n"
    )
    rows = (row for batch in iter(lambda: cursor.fetchmany(_BATCH), []) for row in batch)
    for record, reasons in merge(((places.record_of(n), text) for n, text in rows), broken):
        yield places.line_of(record), reasons
