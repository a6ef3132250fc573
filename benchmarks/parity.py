"""Whether two archives hold the same rows, value for value, in any order."""

import zipfile
from pathlib import Path

import duckdb

from benchmarks.cases import Case, column_name
from benchmarks.homes import CURSOR_CONTACTS_UNTIL
from outhaul.domain.export import FieldType

_NUMBERS = {FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY}


def rows_in_parity(product: Path, rival: Path, case: Case, scratch: Path, *, cut: bool) -> int:
    """The rows of the rival's archive, which the product's must hold too; nothing else.

    Numbers are compared as numbers, and empty text as missing, because not every rival can tell
    the two apart. With `cut` only the product's rows that the row-by-row rivals have are compared.
    Raises ValueError with the first differing row.
    """
    total = 0
    with duckdb.connect() as connection:
        for place, member in enumerate(case.members):
            names = [f"c{number}" for number in range(len(member.columns))]
            values = ", ".join(
                f"CAST(nullif({name}, '') AS DECIMAL(18,6)) AS {name}"
                if column.type in _NUMBERS
                else f"coalesce({name}, '') AS {name}"
                for name, column in zip(names, member.columns, strict=True)
            )
            sources = [column_name(column) for column in member.columns]
            limit = "true"
            if cut:
                at = sources.index("_createdAt" if case.contacts else "createdAt")
                until = f"{case.window[1]:%Y-%m-%dT%H:%M:%S}"
                limit = f"c{at} < '{CURSOR_CONTACTS_UNTIL if case.contacts else until}'"
            texts = [_extracted(archive, place, scratch) for archive in (product, rival)]
            read = [
                f"SELECT {values} FROM read_csv('{text}', header=true, auto_detect=false,"
                f" delim=',', quote='\"', escape='\"', columns={dict.fromkeys(names, 'VARCHAR')})"
                for text in texts
            ]
            read[0] = f"SELECT * FROM ({read[0]}) WHERE {limit}"
            facts = [
                connection.execute(
                    f"SELECT count(*), sum(hash({', '.join(names)})::HUGEINT) FROM ({query})"
                ).fetchall()
                for query in read
            ]
            if facts[0] != facts[1]:
                only = [
                    connection.execute(f"({one}) EXCEPT ALL ({other}) LIMIT 1").fetchall()
                    for one, other in (read, read[::-1])
                ]
                raise ValueError(f"{member.table}: {facts}\n{only[0]}\n{only[1]}")
            total += facts[0][0][0]
            for text in texts:
                text.unlink()
    return total


def _extracted(archive: Path, place: int, scratch: Path) -> Path:
    with zipfile.ZipFile(archive) as opened:
        return Path(opened.extract(opened.namelist()[place], scratch / archive.stem))
