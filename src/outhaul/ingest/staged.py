"""Reading a file into the staged table: typed columns, and the reasons against each row.

`reasons` is NULL for a row that is good as far as the file tells, empty for a blank line (which
is passed over without a word), else all reasons joined by "; ". `n` is the row's place in the
file, from 0: rows are staged in file order.

What is read is a view. In the table beneath it the fields are members of one column: the engine
reckons memory by the column when rows have to stay in order, and with sixty of them it would give
the work to a single thread.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from outhaul.domain.export import FieldType
from outhaul.ingest.sources import (
    NO_CELL,
    Format,
    Source,
    identifier,
    literal,
    reading,
    refuse_other_encodings,
)
from outhaul.ingest.values import ID, parse
from outhaul.store.staging import Staging

STAGED = "staged"
ROWS = "staged_rows"
"""The table beneath, for whoever changes reasons; its `rowid` is `n`."""
FIELDS = "fields"
GOOD = "reasons IS NULL"
_NONE = "CAST(NULL AS VARCHAR[])"


@dataclass(frozen=True, kw_only=True)
class StagedField:
    """A column of the staged table, read from the file's column `id`."""

    id: str
    type: FieldType
    column: str
    """Its name in the staged table, which is the store's."""
    options: tuple[str, ...] | None = None
    reason: str | None = None
    """What to say of a wrong value, where the usual words would not do."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A reason that applies where `broken` (SQL over raw cells `r<n>` and columns) is true."""

    broken: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What to stage: fields, further columns as (name, SQL over the fields) and rules."""

    fields: Sequence[StagedField]
    ids: Sequence[str] = ()
    """Columns that hold ids of our own spelling, staged under their own names."""
    further: Sequence[tuple[str, str]] = ()
    working: Sequence[tuple[str, str]] = ()
    """Columns for the rules alone, as (name, SQL over raw cells)."""
    rules: Sequence[Rule] = ()
    keeps_given: bool = False
    """Whether the names of the fields that a record names are staged, as `given`, else NULL."""


def stage(staging: Staging, source: Source, layout: Layout) -> int:
    """Fill the staged table from the file; returns its rows. Raises ImportRefused."""
    with reading(source.format):
        staging.rows(f"CREATE TABLE {staging.table(ROWS)} AS {_select(source, layout)}")
    if source.format is not Format.PARQUET:
        refuse_other_encodings(staging.connection)
    show(staging, layout, {})
    return staging.count(f"SELECT count(*) FROM {staging.table(ROWS)}")


def show(staging: Staging, layout: Layout, names: Mapping[str, str]) -> None:
    """Make the staged table, with other `names` for some columns of fields."""
    plain = [*layout.ids, *(name for name, _ in layout.further), "given", "reasons"]
    shown = [identifier(name) for name in plain]
    for field in layout.fields:
        name = names.get(field.column, field.column)
        shown.append(f"{FIELDS}.{identifier(field.column)} AS {identifier(name)}")
    staging.rows(
        f"CREATE OR REPLACE VIEW {staging.table(STAGED)} AS"
        f" SELECT rowid AS n, {', '.join(shown)} FROM {staging.table(ROWS)}"
    )


def _select(source: Source, layout: Layout) -> str:
    raw: list[str] = []
    typed: list[str] = []
    wrong: list[Rule] = []
    for id_ in layout.ids:
        cell = source.cells.get(id_, NO_CELL)
        name = f"r{len(raw)}"
        raw.append(f"{cell.text} AS {name}")
        typed.append(
            f"CASE WHEN regexp_full_match({name}, {literal(ID)}) THEN {name} END"
            f" AS {identifier(id_)}"
        )
        broken = f"{name} IS NOT NULL AND {identifier(id_)} IS NULL"
        wrong.append(
            Rule(broken=broken, reason=f"{id_} must be 1 to 64 letters, digits, or any of . _ : -")
        )
    for field in layout.fields:
        cell = source.cells.get(field.id, NO_CELL)
        name, column = f"r{len(raw)}", identifier(field.column)
        raw.append(f"{cell.text} AS {name}")
        value = parse(field.id, field.type, cell, raw=name, options=field.options)
        typed.append(f"{value.sql} AS {column}")
        if value.reason is not None:
            broken = f"{name} IS NOT NULL AND {column} IS NULL"
            wrong.append(Rule(broken=broken, reason=field.reason or value.reason))
    typed += [f"{sql} AS {identifier(name)}" for name, sql in layout.working]
    wrong += layout.rules
    kept = [identifier(id_) for id_ in layout.ids]
    members = ", ".join(
        f"{column} := {column}" for column in (identifier(one.column) for one in layout.fields)
    )
    kept.append(f"struct_pack({members}) AS {FIELDS}")
    kept += [f"{sql} AS {identifier(name)}" for name, sql in layout.further]
    given = f"{source.given if layout.keeps_given and source.given else _NONE} AS given"
    fault = f"{source.fault}" if source.fault is not None else "NULL::VARCHAR"
    anything = " OR ".join(f"({rule.broken})" for rule in wrong)
    each = ", ".join(f"CASE WHEN {rule.broken} THEN {literal(rule.reason)} END" for rule in wrong)
    reasons = (
        "CASE WHEN blank THEN '' WHEN fault IS NOT NULL THEN fault"
        f" WHEN {anything} THEN concat_ws('; ', {each}) END"
    )
    return (
        f"SELECT {', '.join(kept)}, given, {reasons} AS reasons FROM ("
        f"SELECT *, {', '.join(typed)} FROM ("
        f"SELECT *, {', '.join(raw)}, {given}, {source.blank} AS blank, {fault} AS fault"
        f" FROM {source.relation}))"
    )
