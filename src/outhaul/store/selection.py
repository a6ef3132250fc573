"""A selection as SQL: which rows of which table, as of which commit, in the file's order."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from outhaul.domain import instants
from outhaul.domain.activity_types import ACTIVITY_TYPES
from outhaul.domain.export import MemberKind, RowKey, Selection
from outhaul.store.families import FAMILIES
from outhaul.store.members import members


@dataclass(frozen=True, kw_only=True)
class Part:
    """Rows of one table: what stands after FROM, with at least one condition at its end."""

    source: str
    types: frozenset[str] = frozenset()
    """The activity types among the rows."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """The rows of a selection, in one or more tables; values are bound by name."""

    parts: tuple[Part, ...]
    parameters: dict[str, Any]
    created: str
    """With `key`, the columns that order the file."""
    key: str
    tie: str
    """Further ordering within one key: product lines have a position."""
    between_ms: tuple[int, int] | None = None
    """Instants (ms since 1970, both included) that no row lies outside of, where known."""

    @property
    def keys(self) -> str:
        """The `created` and `key` of every row, after FROM; a condition may follow with AND."""
        each = " UNION ALL ".join(
            f"SELECT {self.created}, {self.key} FROM {part.source}" for part in self.parts
        )
        return f"({each}) AS rows WHERE true"


def query(selection: Selection, *, identities_changed: bool) -> Query:
    """The rows of a selection. `identities_changed` tells whether any email has changed since
    activities arrived; only then the lookup of present emails is joined in."""
    parameters: dict[str, Any] = {"snapshot": selection.snapshot}
    contact_ids = None
    if selection.segment_id is not None:
        contact_ids, bound = members(selection.segment_id, selection.rule)
        parameters |= bound
    if selection.changed_since is not None:
        parameters["changed_since"] = selection.changed_since
    if selection.kind is MemberKind.ERASED:
        return _erased(parameters)
    if selection.kind is MemberKind.CONTACTS:
        return _contacts(selection, contact_ids, parameters)
    return _activities(selection, contact_ids, parameters, identities_changed=identities_changed)


def _contacts(selection: Selection, contact_ids: str | None, parameters: dict[str, Any]) -> Query:
    where = ["commit_from <= $snapshot", "commit_to > $snapshot"]
    if "changed_since" in parameters:
        where.append("commit_from > $changed_since")
    if contact_ids is not None:
        where.append(f"id IN ({contact_ids})")
    part = Part(source=f"contacts AS rows WHERE {' AND '.join(where)}")
    return query_of(selection, (part,), parameters)


def _erased(parameters: dict[str, Any]) -> Query:
    """Contacts erased in the commits after `changed_since`. Who came back under the old id is
    among the changed ones instead."""
    return Query(
        parts=(
            Part(
                source="(SELECT contact_id AS id,"
                " max(coalesce(erased_at, TIMESTAMP '1970-01-01')) AS \"erasedAt\""
                " FROM tombstones WHERE commit > $changed_since AND commit <= $snapshot"
                " GROUP BY contact_id) AS rows WHERE NOT EXISTS (SELECT 1 FROM contacts AS held"
                " WHERE held.id = rows.id AND held.commit_from <= $snapshot"
                " AND held.commit_to > $snapshot)"
            ),
        ),
        parameters=parameters,
        created='"erasedAt"',
        key="id",
        tie="",
    )


def _activities(
    selection: Selection,
    contact_ids: str | None,
    parameters: dict[str, Any],
    *,
    identities_changed: bool,
) -> Query:
    where = ["commit <= $snapshot"]
    if selection.from_date is not None:
        where.append('"createdAt" >= $from_date')
        parameters["from_date"] = _naive(selection.from_date)
    if selection.to_date is not None:
        where.append('"createdAt" <= $to_date')
        parameters["to_date"] = _naive(selection.to_date)
    if contact_ids is not None:
        where.append(f'"contactId" IN ({contact_ids})')
    wanted = frozenset(selection.activity_types or ACTIVITY_TYPES)
    parts = []
    for table, held in _tables(selection.kind):
        types, conditions = held & wanted, list(where)
        if not types:
            continue
        if types != held:
            # Not IN: from five constants on the engine makes that a join.
            listed = ", ".join(f"'{type_}'" for type_ in sorted(types))
            conditions.append(f"list_contains([{listed}], type)")
        rows = _with_present_email(table) if identities_changed else f"{table} AS rows"
        parts.append(Part(source=f"{rows} WHERE {' AND '.join(conditions)}", types=types))
    return query_of(selection, tuple(parts), parameters)


def query_of(selection: Selection, parts: tuple[Part, ...], parameters: dict[str, Any]) -> Query:
    """The query of these parts, in the order of the selection's file."""
    if selection.kind is MemberKind.CONTACTS:
        return Query(parts=parts, parameters=parameters, created='"_createdAt"', key="id", tie="")
    products = selection.kind is MemberKind.PRODUCTS
    return Query(
        parts=parts,
        parameters=parameters,
        created='"createdAt"',
        key='"activityId"' if products else "id",
        tie=", position" if products else "",
        between_ms=_between_ms(selection),
    )


def _between_ms(selection: Selection) -> tuple[int, int] | None:
    if selection.from_date is None or selection.to_date is None:
        return None
    return instants.epoch_ms(selection.from_date), instants.epoch_ms(selection.to_date)


def _tables(kind: MemberKind) -> list[tuple[str, frozenset[str]]]:
    """The tables of a member of an activities export, with the types that each may hold."""
    if kind is MemberKind.PRODUCTS:
        with_lines = (id_ for id_, type_ in ACTIVITY_TYPES.items() if type_.has_product_lines)
        return [("product_lines", frozenset(with_lines))]
    return [(family.table, family.types) for family in FAMILIES]


def _with_present_email(table: str) -> str:
    return (
        "(SELECT held.* REPLACE (CASE WHEN moved.contact_id IS NULL THEN held.email"
        f" ELSE moved.email END AS email) FROM {table} AS held LEFT JOIN ("
        "SELECT contact_id, arg_max({'email': email}, commit).email AS email"
        " FROM identity_changes WHERE commit <= $snapshot GROUP BY contact_id"
        ') AS moved ON moved.contact_id = held."contactId") AS rows'
    )


def within(query: Query, first: RowKey, until: RowKey) -> tuple[str, dict[str, Any]]:
    """The condition (starting with AND) for keys from `first` up to before `until`.

    The plain comparison of instants comes first because only it lets the engine skip row groups.
    """
    parameters = query.parameters | {
        "first_at": _naive(instants.from_epoch_ms(first.created_ms)),
        "until_at": _naive(instants.from_epoch_ms(until.created_ms)),
    }
    conditions = f" AND {query.created} >= $first_at"
    if first.id:
        parameters["first_id"] = first.id
        conditions += f" AND ({query.created} > $first_at OR {query.key} >= $first_id)"
    if not until.id:
        return f"{conditions} AND {query.created} < $until_at", parameters
    parameters["until_id"] = until.id
    conditions += (
        f" AND {query.created} <= $until_at"
        f" AND ({query.created} < $until_at OR {query.key} < $until_id)"
    )
    return conditions, parameters


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)
