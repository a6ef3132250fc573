"""Activities: each type has its own fields, some types have product lines."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from outhaul.domain.activity_types import (
    ACTIVITY_FIELDS,
    ACTIVITY_TYPES,
    PRODUCT_FIELDS,
    ActivityField,
    canonical,
)
from outhaul.domain.cancellation import Cancellation
from outhaul.domain.errors import ImportRefused
from outhaul.domain.export import FieldType
from outhaul.ingest.product_lines import LINES, stage_lines
from outhaul.ingest.sources import Source, identifier, literal, open_source
from outhaul.ingest.staged import GOOD, STAGED, Layout, Rule, StagedField, stage
from outhaul.ingest.work import Piece, Work
from outhaul.render.values import cell_sql
from outhaul.store.activities import ActivityRows, append
from outhaul.store.commits import Commit
from outhaul.store.staging import Staging

_MOST_BYTES = 64 << 20
"""Text that is sorted and written at once: a quarter of what the engine has where it has little."""
_LOOKED_AT = 10_000
_OWN = ("type", "createdAt", "email", "contactId", "id", "products")
_SPELLINGS = {
    spelling: type_
    for type_ in ACTIVITY_TYPES
    for part in (type_, type_.removeprefix("entity-"), type_.removeprefix("contact-"))
    for spelling in (part, f"entity-{part}", f"contact-{part}")
    if canonical(spelling) == type_
}
_TYPE_BIT = "type_bit"
"""Working column with one bit set, at the place of the row's spelling of its type."""


def prepare(
    staging: Staging, work: Work, *, cancellation: Cancellation
) -> tuple[Source, list[Piece]]:
    """Stage a file of activities and cut it by creation instant, so that the store, to which
    chunks are appended sorted, stays in time order."""
    known = frozenset({*_OWN, *ACTIVITY_FIELDS})
    source = open_source(work.path, staging.connection, known=known)
    _check_columns(source, known)
    fields = [field for field in ACTIVITY_FIELDS.values() if field.id in source.columns]
    total = stage(staging, source, _layout(source))
    cancellation.check()
    has_lines = "products" in source.columns
    if has_lines:
        stage_lines(staging)
    repeats = _find_repeats(staging) if "id" in source.columns else 0
    rows = ActivityRows(
        staged=staging.table(STAGED),
        lines=staging.table(LINES) if has_lines else None,
        repeats=staging.table("repeats") if repeats else None,
        own_ids="id" in source.columns,
        import_id=work.import_id,
        columns={field.id: _stored(field, "s") for field in fields},
        line_columns={field.id: _stored(field, "l") for field in PRODUCT_FIELDS.values()},
    )
    return source, _pieces(staging, total, work.activity_chunk, rows)


def _stored(field: ActivityField, alias: str) -> str:
    """The field as the store keeps it: text as its finished cell."""
    value = f"{alias}.{identifier(field.id)}"
    return cell_sql(value) if field.type.is_text else value


def _check_columns(source: Source, known: frozenset[str]) -> None:
    unknown = [id_ for id_ in source.columns if id_ not in known]
    if unknown:
        raise ImportRefused(f"No activity type has these fields: {', '.join(unknown)}.")
    if not {"type", "createdAt"} <= set(source.columns) or not (
        {"email", "contactId"} & set(source.columns)
    ):
        raise ImportRefused("The file needs the columns type, createdAt, and email or contactId.")


def _layout(source: Source) -> Layout:
    fields = [
        StagedField(
            id="type",
            type=FieldType.RADIO,
            column="spelling",
            options=tuple(_SPELLINGS),
            reason="type must be an activity type, such as purchase",
        ),
        StagedField(id="createdAt", type=FieldType.INSTANT, column="createdAt"),
        StagedField(id="email", type=FieldType.EMAIL, column="email"),
    ]
    rules = [
        Rule(broken="r2 IS NULL", reason="type is missing"),
        Rule(broken="r3 IS NULL", reason="createdAt is missing"),
        Rule(
            broken='email IS NULL AND "contactId" IS NULL',
            reason="the row needs an email or a contactId",
        ),
    ]
    for field in ACTIVITY_FIELDS.values():
        if field.id in source.columns:
            fields.append(StagedField(id=field.id, type=field.type, column=field.id))
            owners = [id_ for id_, type_ in ACTIVITY_TYPES.items() if field.id in type_.fields]
            rules.append(_foreign(field.id, owners))
    if "products" in source.columns:
        fields.append(StagedField(id="products", type=FieldType.JSON, column="products"))
        rules.append(
            _foreign("products", [id_ for id_, t in ACTIVITY_TYPES.items() if t.has_product_lines])
        )
    spellings = ", ".join(map(literal, _SPELLINGS))
    aliases = " ".join(
        f"WHEN {literal(spelling)} THEN {literal(type_)}"
        for spelling, type_ in _SPELLINGS.items()
        if spelling != type_
    )
    return Layout(
        ids=["contactId", "id"],
        fields=fields,
        further=[("type", f"CASE spelling {aliases} ELSE spelling END")],
        working=[(_TYPE_BIT, f"1::UBIGINT << enum_code(TRY_CAST(r2 AS ENUM({spellings})))")],
        rules=rules,
    )


def _foreign(id_: str, owners: Sequence[str]) -> Rule:
    """The field holds a value although the row's type does not have it."""
    # Not IN: from five constants on the engine makes that a join, which does not keep the rows in
    # file order.
    bits = sum(1 << n for n, type_ in enumerate(_SPELLINGS.values()) if type_ in owners)
    return Rule(
        broken=f"{identifier(id_)} IS NOT NULL AND ({_TYPE_BIT} & {bits}::UBIGINT) = 0",
        reason=f"this type has no field {id_}",
    )


def _find_repeats(staging: Staging) -> int:
    """Note the rows whose id an earlier good row of the file has; returns how many."""
    staged, repeats = staging.table(STAGED), staging.table("repeats")
    staging.rows(
        f"CREATE TABLE {repeats} AS SELECT s.n FROM {staged} AS s JOIN"
        f" (SELECT id, min(n) AS first FROM {staged} WHERE {GOOD} AND id IS NOT NULL"
        " GROUP BY id HAVING count(*) > 1) AS d ON d.id = s.id"
        f" WHERE {GOOD} AND s.n > d.first"
    )
    return staging.count(f"SELECT count(*) FROM {repeats}")


def _width(staging: Staging, rows: ActivityRows) -> int:
    """About how many bytes of text a row has, by those at the beginning of the file."""
    texts = [id_ for id_ in rows.columns if ACTIVITY_FIELDS[id_].type.is_text]
    bytes_ = " + ".join(f"coalesce(strlen({identifier(id_)}), 0)" for id_ in texts) or "0"
    return staging.count(
        f"SELECT greatest(1, coalesce(avg({bytes_}), 0))::BIGINT"
        f" FROM {rows.staged} WHERE n < {_LOOKED_AT}"
    )


def _edges(staging: Staging, rows: ActivityRows, size: int) -> list[datetime]:
    """Creation instants at every so many good rows, in order."""
    found = staging.rows(
        'SELECT DISTINCT edge FROM (SELECT "createdAt" AS edge,'
        f' row_number() OVER (ORDER BY "createdAt") AS place FROM {rows.staged}'
        f" WHERE {GOOD}) WHERE place % {size} = 0 ORDER BY edge"
    )
    return [edge for (edge,) in found]


def _pieces(staging: Staging, total: int, size: int, rows: ActivityRows) -> list[Piece]:
    """Disjoint ranges of creation instants, of about `size` rows."""
    good = staging.count(f"SELECT count(*) FROM {rows.staged} WHERE {GOOD}")
    at_once = min(size, max(1, _MOST_BYTES // _width(staging, rows)))
    bounds = _edges(staging, rows, size) if good > size else []
    fine = _edges(staging, rows, at_once) if good > at_once and at_once < size else []
    edges = [None, *bounds, None]

    def piece(index: int) -> Piece:
        first, until = edges[index], edges[index + 1]
        within = rows.within(first, until)
        count = (
            good
            if not bounds
            else staging.count(f"SELECT count(*) FROM {rows.staged} AS s WHERE {within}")
        )
        inner = [
            edge
            for edge in fine
            if (first is None or edge > first) and (until is None or edge < until)
        ]

        def write(commit: Commit) -> int:
            return append(commit, rows, [first, *inner, until])

        return Piece(rows=count, good=count, write=write)

    pieces = [piece(index) for index in range(len(edges) - 1)]
    pieces[0] = replace(pieces[0], rows=pieces[0].rows + total - good)
    return pieces
