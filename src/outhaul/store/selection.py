"""A selection as SQL: which rows of which table, as of which commit, in the file's order."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from outhaul.domain import instants
from outhaul.domain.export import MemberKind, RowKey, Selection


@dataclass(frozen=True, kw_only=True)
class Query:
    """A FROM ... WHERE clause whose values are bound by name in `parameters`.

    Within it the alias `rows` has every column of the member, `created` and `key` the two
    columns that order the file.
    """

    source: str
    parameters: dict[str, Any]
    created: str
    key: str
    tie: str
    """Further ordering within one key: product lines have a position."""


_MEMBERS = (
    "SELECT contact_id FROM segment_members WHERE segment_id = $segment"
    " AND commit_from <= $snapshot AND commit_to > $snapshot"
)


def query(selection: Selection, *, identities_changed: bool) -> Query:
    """The rows of a selection. `identities_changed` tells whether any email has changed since
    activities arrived; only then the lookup of present emails is joined in."""
    parameters: dict[str, Any] = {"snapshot": selection.snapshot}
    if selection.segment_id is not None:
        parameters["segment"] = selection.segment_id
    if selection.kind is MemberKind.CONTACTS:
        return _contacts(selection, parameters)
    return _activities(selection, parameters, identities_changed=identities_changed)


def _contacts(selection: Selection, parameters: dict[str, Any]) -> Query:
    where = ["commit_from <= $snapshot", "commit_to > $snapshot"]
    if selection.segment_id is not None:
        where.append(f"id IN ({_MEMBERS})")
    return Query(
        source=f"contacts AS rows WHERE {' AND '.join(where)}",
        parameters=parameters,
        created='"_createdAt"',
        key="id",
        tie="",
    )


def _activities(
    selection: Selection, parameters: dict[str, Any], *, identities_changed: bool
) -> Query:
    products = selection.kind is MemberKind.PRODUCTS
    where = ["commit <= $snapshot"]
    if selection.from_date is not None:
        where.append('"createdAt" >= $from_date')
        parameters["from_date"] = _naive(selection.from_date)
    if selection.to_date is not None:
        where.append('"createdAt" <= $to_date')
        parameters["to_date"] = _naive(selection.to_date)
    if selection.activity_types is not None:
        where.append("list_contains($types, type)")
        parameters["types"] = list(selection.activity_types)
    if selection.segment_id is not None:
        where.append(f'"contactId" IN ({_MEMBERS})')
    table = "product_lines" if products else "activities"
    source = f"{table} AS rows WHERE {' AND '.join(where)}"
    if identities_changed:
        source = (
            "(SELECT held.* REPLACE (CASE WHEN moved.contact_id IS NULL THEN held.email"
            f" ELSE moved.email END AS email) FROM {table} AS held LEFT JOIN ("
            "SELECT contact_id, arg_max({'email': email}, commit).email AS email"
            " FROM identity_changes WHERE commit <= $snapshot GROUP BY contact_id"
            ') AS moved ON moved.contact_id = held."contactId") AS rows'
            f" WHERE {' AND '.join(where)}"
        )
    return Query(
        source=source,
        parameters=parameters,
        created='"createdAt"',
        key='"activityId"' if products else "id",
        tie=", position" if products else "",
    )


def within(query: Query, first: RowKey | None, until: RowKey | None) -> tuple[str, dict[str, Any]]:
    """The condition (starting with AND, or empty) for keys from `first` up to before `until`.

    The plain comparison of instants comes first because only it lets the engine skip row groups.
    """
    conditions, parameters = "", dict(query.parameters)
    if first is not None:
        parameters["first_at"] = _naive(instants.from_epoch_ms(first.created_ms))
        conditions += f" AND {query.created} >= $first_at"
        if first.id:
            parameters["first_id"] = first.id
            conditions += f" AND ({query.created} > $first_at OR {query.key} >= $first_id)"
    if until is not None:
        parameters["until_at"] = _naive(instants.from_epoch_ms(until.created_ms))
        if until.id:
            parameters["until_id"] = until.id
            conditions += (
                f" AND {query.created} <= $until_at"
                f" AND ({query.created} < $until_at OR {query.key} < $until_id)"
            )
        else:
            conditions += f" AND {query.created} < $until_at"
    return conditions, parameters


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)
