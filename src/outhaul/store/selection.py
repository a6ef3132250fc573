"""A selection as SQL: which rows of which table, as of which commit, in the file's order."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from outhaul.domain import instants
from outhaul.domain.activity_types import ACTIVITY_TYPES
from outhaul.domain.export import MemberKind, RowKey, Selection
from outhaul.store.families import FAMILIES, shown
from outhaul.store.members import members


@dataclass(frozen=True, kw_only=True)
class Part:
    """Rows of one table that meet the conditions."""

    table: str
    """What stands after FROM; a table of the store has a `rowid`."""
    where: str = "true"
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
    contact: str
    """The column that says whose a row is."""
    between_ms: tuple[int, int] | None = None
    """Instants (ms since 1970, both included) that no row lies outside of, where known."""
    contact_ids: str | None = None
    """A query of the contacts whose rows alone are meant; None: everybody's."""

    def source(self, part: Part, condition: str = "") -> str:
        """The part's rows that meet the condition (it starts with AND), after FROM."""
        return f"{part.table} WHERE {part.where}{condition}{self._of_members}"

    def keys(self, condition: str = "") -> str:
        """The `created` and `key` of every row that meets the condition, after FROM."""
        # Who is a member is asked once for all tables: the list of them may be long.
        whose = [self.contact] if self.contact_ids is not None else []
        columns = ", ".join(dict.fromkeys([self.created, self.key, *whose]))
        each = " UNION ALL ".join(
            f"SELECT {columns} FROM {part.table} WHERE {part.where}{condition}"
            for part in self.parts
        )
        return f"({each}) AS rows WHERE true{self._of_members}"

    def lines(self, line_sql: Callable[[frozenset[str]], str], condition: str) -> str:
        """The statement that gives `line`, `created` and `key` of the rows that meet the
        condition, in the file's order. `line_sql` tells the expression of a line for rows of
        these activity types."""
        found, chosen = "", [self.source(part, condition) for part in self.parts]
        if self.contact_ids is not None and len(self.parts) > 1:
            # Here too members are asked for once, and then each table for the rows found in it.
            each = " UNION ALL ".join(
                f"SELECT {number} AS part, rowid AS place, {self.contact} FROM {part.table}"
                f" WHERE {part.where}{condition}"
                for number, part in enumerate(self.parts)
            )
            found = (
                "WITH found AS MATERIALIZED"
                f" (SELECT part, place FROM ({each}) WHERE true{self._of_members}) "
            )
            chosen = [
                f"{part.table} WHERE rowid IN (SELECT place FROM found WHERE part = {number})"
                f"{condition}"
                for number, part in enumerate(self.parts)
            ]
        lines = " UNION ALL ".join(
            f"SELECT {line_sql(part.types)} AS line, {self.created}, {self.key}{self.tie}"
            f" FROM {source}"
            for part, source in zip(self.parts, chosen, strict=True)
        )
        return (
            f"{found}SELECT line, {self.created}, {self.key} FROM ({lines})"
            f" ORDER BY {self.created}, {self.key}{self.tie}"
        )

    @property
    def _of_members(self) -> str:
        if self.contact_ids is None:
            return ""
        return f" AND {self.contact} IN ({self.contact_ids})"


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
        return _erased(selection, parameters)
    if selection.kind is MemberKind.CONTACTS:
        return query_of(selection, (_contacts(parameters),), parameters, contact_ids)
    parts = _activities(selection, parameters, identities_changed=identities_changed)
    return query_of(selection, parts, parameters, contact_ids)


def _contacts(parameters: dict[str, Any]) -> Part:
    where = ["commit_from <= $snapshot", "commit_to > $snapshot"]
    if "changed_since" in parameters:
        where.append("commit_from > $changed_since")
    return Part(table="contacts AS rows", where=" AND ".join(where))


def _erased(selection: Selection, parameters: dict[str, Any]) -> Query:
    """Contacts erased in the commits after `changed_since`. Who came back under the old id is
    among the changed ones instead."""
    part = Part(
        table="(SELECT contact_id AS id,"
        " max(coalesce(erased_at, TIMESTAMP '1970-01-01')) AS \"erasedAt\""
        " FROM tombstones WHERE commit > $changed_since AND commit <= $snapshot"
        " GROUP BY contact_id) AS rows",
        where="NOT EXISTS (SELECT 1 FROM contacts AS held WHERE held.id = rows.id"
        " AND held.commit_from <= $snapshot AND held.commit_to > $snapshot)",
    )
    return query_of(selection, (part,), parameters)


def _activities(
    selection: Selection, parameters: dict[str, Any], *, identities_changed: bool
) -> tuple[Part, ...]:
    where = []
    if selection.from_date is not None:
        where.append('"createdAt" >= $from_date')
        parameters["from_date"] = _naive(selection.from_date)
    if selection.to_date is not None:
        where.append('"createdAt" <= $to_date')
        parameters["to_date"] = _naive(selection.to_date)
    wanted = frozenset(selection.activity_types or ACTIVITY_TYPES)
    parts = []
    for table, held in _tables(selection.kind):
        types, conditions = held & wanted, [shown(table), *where]
        if not types:
            continue
        if types != held:
            conditions.append(of_types(types))
        rows = _with_present_email(table) if identities_changed else f"{table} AS rows"
        parts.append(Part(table=rows, where=" AND ".join(conditions), types=types))
    return tuple(parts)


_ORDERS = {
    MemberKind.CONTACTS: ('"_createdAt"', "id", ""),
    MemberKind.ERASED: ('"erasedAt"', "id", ""),
    MemberKind.ACTIVITIES: ('"createdAt"', "id", ""),
    MemberKind.PRODUCTS: ('"createdAt"', '"activityId"', ", position"),
    MemberKind.REPORT: ("place", "id", ""),
}
"""By member: the columns of a row's key, and what orders rows of one key."""


def query_of(
    selection: Selection,
    parts: tuple[Part, ...],
    parameters: dict[str, Any],
    contact_ids: str | None = None,
) -> Query:
    """The query of these parts, in the order of the selection's file."""
    kind = selection.kind
    created, key, tie = _ORDERS[kind]
    of_activities = kind in {MemberKind.ACTIVITIES, MemberKind.PRODUCTS}
    return Query(
        parts=parts,
        parameters=parameters,
        created=created,
        key=key,
        tie=tie,
        between_ms=_between_ms(selection) if of_activities else None,
        contact='"contactId"' if of_activities else "id",
        contact_ids=contact_ids,
    )


def of_types(types: frozenset[str]) -> str:
    """The condition for rows of these activity types."""
    # Not IN: from five constants on the engine makes that a join.
    listed = ", ".join(f"'{type_}'" for type_ in sorted(types))
    return f"list_contains([{listed}], type)"


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
        "(SELECT held.rowid, held.* REPLACE (CASE WHEN moved.contact_id IS NULL THEN held.email"
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
