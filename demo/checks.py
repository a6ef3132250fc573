"""Opens a downloaded archive with the standard library alone and holds it against the source."""

import csv
import io
import re
import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path

from demo.source import Expected


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that must be true of an export."""

    claim: str
    """In plain words, as if it held."""
    held: bool
    found: str = ""
    """What was found instead, when it did not hold."""


_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


class Member(StrEnum):
    """The files that archives hold, by the pattern of their names."""

    CONTACTS = rf"export-contacts-{_UUID}\.csv"
    ACTIVITIES = rf"export-activities-{_UUID}\.csv"
    PRODUCTS = rf"export-activities-{_UUID}-product\.csv"


def member_name(archive: Path, member: Member) -> str:
    """What the member is called in this archive; ValueError when there is not exactly one."""
    with zipfile.ZipFile(archive) as opened:
        (name,) = [name for name in opened.namelist() if re.fullmatch(member, name)]
    return name


def first_lines(archive: Path, member: str, count: int) -> list[str]:
    """The first physical lines of a CSV, as they stand in it."""
    with zipfile.ZipFile(archive) as opened, opened.open(member) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="\n")
        return [line.removesuffix("\n") for line in islice(text, count)]


def check_archive(archive: Path, members: Collection[Member]) -> list[Check]:
    """Whether the ZIP is whole and holds each of the members once, and nothing else."""
    with zipfile.ZipFile(archive) as opened:
        names, broken = opened.namelist(), opened.testzip()
    fitting = all(sum(bool(re.fullmatch(m, name)) for name in names) == 1 for m in members)
    return [
        Check(
            claim="the ZIP is whole: every checksum fits",
            held=broken is None,
            found=f"{broken} does not fit its checksum",
        ),
        Check(
            claim=f"it holds {' and '.join(m.name.lower() for m in members)}, nothing else",
            held=len(names) == len(members) and fitting,
            found=", ".join(names),
        ),
    ]


def check_rows(archive: Path, member: str, expected: Expected) -> list[Check]:
    """Whether the CSV has exactly the expected rows, in their order and word for word."""
    with zipfile.ZipFile(archive) as opened, opened.open(member) as file:
        header, *rows = csv.reader(io.TextIOWrapper(file, encoding="utf-8", newline=""))
    ragged = next((n for n, row in enumerate(rows, 1) if len(row) != len(header)), None)
    missing = [label for label in expected.labels if label not in header]
    checks = [
        Check(
            claim=f"every row has as many values as the header, {len(header)}",
            held=ragged is None,
            found=f"row {ragged} has not",
        ),
        Check(
            claim=f"it has as many rows as the source, {len(expected.rows):,}",
            held=len(rows) == len(expected.rows),
            found=f"{len(rows):,} rows",
        ),
    ]
    if missing:
        found = f"no column {', '.join(missing)}"
        return [*checks, Check(claim="every column to compare is there", held=False, found=found)]
    if ragged is None:
        checks += _check_values(header, rows, expected)
    return checks


def _check_values(header: list[str], rows: list[list[str]], expected: Expected) -> list[Check]:
    places = [header.index(label) for label in expected.labels]
    got = [tuple(row[place] for place in places) for row in rows]
    id_label = expected.labels[0]
    ids, wanted_ids = ({row[0] for row in table} for table in (got, expected.rows))
    return [
        Check(
            claim=f"the set of {id_label}s is the source's",
            held=ids == wanted_ids,
            found=f"{len(wanted_ids - ids):,} are missing, {len(ids - wanted_ids):,} are too many",
        ),
        Check(
            claim="rows come by creation instant, then id",
            held=[row[0] for row in got] == [row[0] for row in expected.rows],
            found="they come in another order",
        ),
        Check(
            claim=f"{len(places)} columns say word for word what the source says",
            held=got == expected.rows,
            found=_first_difference(got, expected),
        ),
    ]


def _first_difference(got: list[tuple[str, ...]], expected: Expected) -> str:
    for number, (row, wanted) in enumerate(zip(got, expected.rows, strict=False), start=1):
        for label, value, other in zip(expected.labels, row, wanted, strict=True):
            if value != other:
                return f"row {number}, {label}: {value!r} instead of {other!r}"
    return "one ends before the other"
