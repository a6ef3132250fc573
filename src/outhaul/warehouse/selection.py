"""A selection as SQL for an engine: an expression tree, in which nothing is pasted."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta

from sqlglot import exp

from outhaul.domain.activity_types import ACTIVITY_FIELDS, ACTIVITY_TYPES
from outhaul.domain.export import FieldType, MemberKind, Selection
from outhaul.store.families import FAMILIES
from outhaul.warehouse.engine import Dialect
from outhaul.warehouse.mapping import COLUMNS, TableMapping, WarehouseMapping

FAMILY = "family"
"""The column by which unloaded activities are kept apart: the name of their family."""


class Selections:
    """Builds the queries of one account."""

    def __init__(
        self,
        mapping: WarehouseMapping,
        dialect: Dialect,
        account_id: str,
        versions: Mapping[str, str | None],
    ) -> None:
        """`versions`: what to read each table as of, by its name in the mapping file."""
        self._mapping = mapping
        self._dialect = dialect
        self._account_id = account_id
        self._versions = versions

    def rows(self, selection: Selection, columns: Collection[str]) -> exp.Select:
        """The selected rows with these of Outhaul's columns and those that order them, in the
        order of the file. Activities also have FAMILY."""
        order: tuple[str, ...]
        match selection.kind:
            case MemberKind.CONTACTS:
                query, order = self._contacts(selection, columns), ("_createdAt", "id")
            case MemberKind.ACTIVITIES:
                query, order = self._activities(selection, columns), ("createdAt", "id")
                query = query.select(_family().as_(FAMILY, quoted=True))
            case MemberKind.PRODUCTS:
                query = self._products(selection, columns)
                order = ("createdAt", "activityId", "position")
        outer = exp.select("*").from_(query.subquery("selected"))
        return outer.order_by(*(_column(name) for name in order))

    def segment(self, segment_id: str) -> exp.Select | None:
        """The contact ids of a segment, in `contactId`; None when segments are not mapped."""
        table = self._mapping.members
        if table is None:
            return None
        return self._from(table, "members", ("contactId",)).where(
            exp.EQ(
                this=self._value(table, "members", "segmentId"),
                expression=exp.Literal.string(segment_id),
            )
        )

    def _contacts(self, selection: Selection, columns: Collection[str]) -> exp.Select:
        wanted = ["id", "_createdAt", *(c for c in columns if c not in {"id", "_createdAt"})]
        found = exp.select("*").from_(self._present(wanted).subquery("contacts"))
        return self._in_segment(found, selection, _column("id"))

    def _present(self, columns: Collection[str]) -> exp.Select:
        """The contacts that there are, each once: the last row by commit counts."""
        table = self._mapping.contacts
        custom = {f"x{number}": one for number, one in enumerate(table.custom, 1)}
        source: exp.Expression = self._dialect.table(table, self._versions["contacts"])
        own = self._own(table)
        if table.commit_column is not None:
            latest = exp.Window(
                this=exp.RowNumber(),
                partition_by=[_column(table.columns["id"])],
                order=exp.Order(
                    expressions=[exp.Ordered(this=_column(table.commit_column), desc=True)]
                ),
            )
            ranked = exp.select("*", latest.as_("outhaul_rank", quoted=True)).from_(source)
            source = (ranked if own is None else ranked.where(own)).subquery("ranked")
            own = exp.EQ(this=_column("outhaul_rank"), expression=exp.Literal.number(1))
        if table.deleted_column is not None:
            deleted = self._dialect.value(_column(table.deleted_column), FieldType.BOOLEAN)
            kept: exp.Expression = exp.Not(
                this=exp.Coalesce(this=deleted, expressions=[exp.false()])
            )
            own = kept if own is None else exp.And(this=own, expression=kept)
        shown = []
        for id_ in columns:
            if id_ in custom:
                type_ = FieldType(custom[id_].type)
                value = self._dialect.value(_column(custom[id_].column), type_)
            else:
                value = self._value(table, "contacts", id_)
            shown.append(value.as_(id_, quoted=True))
        query = exp.select(*shown).from_(source)
        return query if own is None else query.where(own)

    def _activities(self, selection: Selection, columns: Collection[str]) -> exp.Select:
        """The selected activities with keys, type, contact and email, and the columns."""
        table = self._mapping.activities
        joined = "email" not in table.columns
        keys = ("id", "type", "createdAt", "contactId")
        wanted = [*keys, *(c for c in columns if c not in {*keys, "email"})]
        if not joined:
            wanted.append("email")
        held = self._from(table, "activities", wanted)
        # Bounds on the engine's own column, so that it can pass over files outside of them.
        created = _column(table.columns["createdAt"])
        if selection.from_date is not None:
            held = held.where(exp.GTE(this=created, expression=self._instant(selection.from_date)))
        if selection.to_date is not None:
            until = selection.to_date + timedelta(milliseconds=1)
            held = held.where(exp.LT(this=created.copy(), expression=self._instant(until)))
        found = exp.select("*").from_(held.subquery("found"))
        types = sorted(selected_types(selection))
        found = found.where(_column("type").isin(*map(exp.Literal.string, types)))
        found = self._in_segment(found, selection, _column("contactId"))
        if not joined:
            return found
        emails = self._present(("id", "_email"))
        kept = [_column(name, "activities").as_(name, quoted=True) for name in wanted]
        email = _column("_email", "contacts").as_("email", quoted=True)
        return (
            exp.select(*kept, email)
            .from_(found.subquery("activities"))
            .join(
                emails.subquery("contacts"),
                on=exp.EQ(
                    this=_column("contactId", "activities"), expression=_column("id", "contacts")
                ),
                join_type="left",
            )
        )

    def _products(self, selection: Selection, columns: Collection[str]) -> exp.Select:
        table = self._mapping.products
        of_activity = ("type", "createdAt", "contactId", "email")
        own = ["activityId", "position"]
        own += [c for c in columns if c not in {*own, *of_activity}]
        activities = self._activities(selection, ()).subquery("activities")
        shown = [_column(name, "activities").as_(name, quoted=True) for name in of_activity]
        if table is None:
            # No lines at all, with the columns that lines have.
            empty = [self._null("products", name).as_(name, quoted=True) for name in own]
            return exp.select(*empty, *shown).from_(activities).where(exp.false())
        lines = self._from(table, "products", own).subquery("product_lines")
        shown += [_column(name, "product_lines").as_(name, quoted=True) for name in own]
        return (
            exp.select(*shown)
            .from_(lines)
            .join(
                activities,
                on=exp.EQ(
                    this=_column("activityId", "product_lines"),
                    expression=_column("id", "activities"),
                ),
            )
        )

    def _from(self, table: TableMapping, name: str, columns: Collection[str]) -> exp.Select:
        """The account's rows of a table, with these of Outhaul's columns."""
        shown = [self._value(table, name, id_).as_(id_, quoted=True) for id_ in columns]
        query = exp.select(*shown).from_(self._dialect.table(table, self._versions[name]))
        own = self._own(table)
        return query if own is None else query.where(own)

    def _own(self, table: TableMapping) -> exp.Expression | None:
        """The condition for rows of the account."""
        if table.account_column is None:
            return None
        owner = self._dialect.value(_column(table.account_column), FieldType.TEXT)
        return exp.EQ(this=owner, expression=exp.Literal.string(self._account_id))

    def _in_segment(
        self, query: exp.Select, selection: Selection, contact_id: exp.Column
    ) -> exp.Select:
        if selection.segment_id is None:
            return query
        members = self.segment(selection.segment_id)
        if members is None:
            return query.where(exp.false())
        return query.where(exp.In(this=contact_id, query=members.subquery()))

    def _value(self, table: TableMapping, name: str, id_: str) -> exp.Expression:
        """Outhaul's column; NULL where the table does not have it, and in activities of types
        that do not carry the field, whatever the table has there."""
        column = table.columns.get(id_)
        if column is None:
            return self._null(name, id_)
        value = self._dialect.value(_column(column), COLUMNS[name][id_])
        if name != "activities" or id_ not in ACTIVITY_FIELDS:
            return value
        carriers = [type_.id for type_ in ACTIVITY_TYPES.values() if id_ in type_.fields]
        type_of_row = self._dialect.value(_column(table.columns["type"]), FieldType.TEXT)
        return exp.Case().when(type_of_row.isin(*map(exp.Literal.string, carriers)), value)

    def _null(self, name: str, id_: str) -> exp.Expression:
        return self._dialect.value(exp.null(), COLUMNS[name][id_])

    def _instant(self, instant: datetime) -> exp.Expression:
        naive = instant.astimezone(UTC).replace(tzinfo=None)
        return self._dialect.instant(naive.isoformat(sep=" ", timespec="milliseconds"))


def selected_types(selection: Selection) -> frozenset[str]:
    """The activity types among the rows; product lines come only of those that have any."""
    types = frozenset(selection.activity_types or ACTIVITY_TYPES)
    if selection.kind is MemberKind.PRODUCTS:
        return frozenset(id_ for id_ in types if ACTIVITY_TYPES[id_].has_product_lines)
    return types


def _column(name: str, table: str | None = None) -> exp.Column:
    return exp.column(name, table=table, quoted=True)


def _family() -> exp.Case:
    case = exp.Case()
    for family in FAMILIES:
        types = map(exp.Literal.string, sorted(family.types))
        case = case.when(_column("type").isin(*types), exp.Literal.string(family.name))
    return case
