"""Lines of refused rows, found without reading a file whole again where that can be told."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from outhaul.ingest.places import Places
from outhaul.ingest.sources import Format, Source, open_source

_ROWS = {
    "plain": "1,a",
    "quoted": '2,"a, ""b"""',
    "empty": "",
    "broken": "3",
    "two lines": '4,"a\n\nb"',
    "three lines": '5,"\n\n\n"',
}


def opened(path: Path) -> Source:
    with duckdb.connect() as connection:
        return open_source(path, connection, known=None)


@given(
    kinds=st.lists(st.sampled_from(sorted(_ROWS)), max_size=30),
    end=st.sampled_from(["\n", "\r\n"]),
    bom=st.booleans(),
    ends=st.booleans(),
)
def test_every_staged_row_has_its_record_and_line(
    kinds: list[str], end: str, bom: bool, ends: bool
):
    """In CSV files with empty lines, broken records and values of many lines."""
    lines = ["id,text", *(_ROWS[kind].replace("\n", end) for kind in kinds)]
    text = end.join(lines) + (end if ends else "")
    starts, at = [], 1
    for line in lines:
        starts.append(at)
        at += 1 + line.count("\n")
    staged = [n for n, kind in enumerate(kinds) if kind not in {"empty", "broken"}]
    broken = {n + 2 for n, kind in enumerate(kinds) if kind == "broken"}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        path.write_bytes((b"\xef\xbb\xbf" if bom else b"") + text.encode())
        places = Places(opened(path), staged=len(staged), broken=broken)
        for row, n in enumerate(staged):
            record = places.record_of(row)
            assert (record, places.line_of(record)) == (n + 2, starts[n + 1])
        for record in broken:
            assert places.line_of(record) == starts[record - 1]


def test_an_empty_line_is_a_row_where_there_is_one_column(tmp_path: Path):
    """It can then not be told from a missing value."""
    path = tmp_path / "rows.csv"
    path.write_text("id\n1\n\n2\n")
    places = Places(opened(path), staged=3, broken=set())
    assert [places.record_of(row) for row in range(3)] == [2, 3, 4]


def test_records_of_other_files_are_lines(tmp_path: Path):
    """Broken ones are counted, in JSON Lines; Parquet has none."""
    path = tmp_path / "rows.csv"
    path.write_text("id\n")
    source = replace(opened(path), format=Format.JSON_LINES)
    places = Places(source, staged=3, broken={1, 3})
    assert [places.record_of(row) for row in range(3)] == [2, 4, 5]
    assert places.line_of(5) == 5
