"""Who is in a segment as of `$snapshot`, as SQL: those listed, or those that a rule finds.

Values are bound; what is pasted are our own names of tables and columns.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from outhaul.domain.rules import AllOf, AnyOf, Comparison, Did, Not, Operator, Rule, Value
from outhaul.store.families import FAMILIES, shown

_LISTED = (
    "SELECT contact_id FROM segment_members WHERE segment_id = $segment"
    " AND commit_from <= $snapshot AND commit_to > $snapshot"
)
_SIGNS = {
    Operator.EQUALS: "=",
    Operator.LESS_THAN: "<",
    Operator.AT_MOST: "<=",
    Operator.GREATER_THAN: ">",
    Operator.AT_LEAST: ">=",
    Operator.BEFORE: "<",
    Operator.NOT_AFTER: "<=",
    Operator.AFTER: ">",
    Operator.NOT_BEFORE: ">=",
}


def members(segment_id: str, rule: Rule | None) -> tuple[str, dict[str, Any]]:
    """A query of the members' contact ids and what it binds beside `$snapshot`. `rule` is None
    for a static segment."""
    if rule is None:
        return _LISTED, {"segment": segment_id}
    compiler = _Compiler()
    condition = compiler.condition(rule)
    query = (
        "SELECT held.id FROM contacts AS held WHERE held.commit_from <= $snapshot"
        f" AND held.commit_to > $snapshot AND {condition}"
    )
    return query, compiler.bound


def sizes(rules: Mapping[str, Rule]) -> tuple[str, dict[str, Any]]:
    """A query of the ids of segments and how many contacts each has: the static ones that have
    any, and the dynamic ones whose `rules` are given by their ids; and what it binds beside
    `$snapshot`. All rules are judged in one pass over the contacts."""
    query = (
        "SELECT segment_id, count(*) FROM segment_members WHERE commit_from <= $snapshot"
        " AND commit_to > $snapshot GROUP BY segment_id"
    )
    if not rules:
        return query, {}
    compiler = _Compiler()
    judged = ", ".join(
        f"{compiler.condition(rule)} AS found_{number}"
        for number, rule in enumerate(rules.values())
    )
    counts = ", ".join(f"count(*) FILTER (WHERE found_{number})" for number in range(len(rules)))
    query += (
        f" UNION ALL SELECT unnest($segments), unnest(counts) FROM (SELECT [{counts}] AS counts"
        f" FROM (SELECT {judged} FROM contacts AS held WHERE held.commit_from <= $snapshot"
        " AND held.commit_to > $snapshot))"
    )
    return query, compiler.bound | {"segments": list(rules)}


class _Compiler:
    def __init__(self) -> None:
        self.bound: dict[str, Any] = {}

    def condition(self, rule: Rule) -> str:
        """True or false for every contact `held`, never NULL."""
        match rule:
            case AllOf(rules=rules):
                return f"({' AND '.join(map(self.condition, rules)) or 'true'})"
            case AnyOf(rules=rules):
                return f"({' OR '.join(map(self.condition, rules)) or 'false'})"
            case Not(rule=inner):
                return f"(NOT {self.condition(inner)})"
            case Comparison():
                return self._comparison(rule)
            case Did():
                return self._did(rule)

    def _comparison(self, rule: Comparison) -> str:
        column = f'held."{rule.column}"'
        match rule.operator:
            case Operator.EXISTS:
                return f"({column} IS {'NOT ' if rule.value else ''}NULL)"
            case Operator.CONTAINS:
                compared = f"contains({column}, {self._bind(rule.value)})"
            case Operator.STARTS_WITH:
                compared = f"starts_with({column}, {self._bind(rule.value)})"
            case Operator.HAS:
                compared = f"list_contains(string_split({column}, '|'), {self._bind(rule.value)})"
            case operator:
                compared = f"{column} {_SIGNS[operator]} {self._bind(rule.value)}"
        return f"coalesce({compared}, false)"

    def _did(self, rule: Did) -> str:
        table = next(family.table for family in FAMILIES if rule.type in family.types)
        since = "" if rule.since is None else f' AND "createdAt" > {self._bind(rule.since)}'
        return (
            f'(held.id IN (SELECT "contactId" FROM {table} WHERE {shown(table)}'
            f" AND type = {self._bind(rule.type)}{since}"
            f' AND "createdAt" <= {self._bind(rule.until)}'
            f' GROUP BY "contactId" HAVING count(*) >= {self._bind(rule.at_least)}))'
        )

    def _bind(self, value: Value) -> str:
        name = f"rule_{len(self.bound)}"
        if isinstance(value, datetime):
            value = value.astimezone(UTC).replace(tzinfo=None)
        self.bound[name] = value
        return f"${name}"
