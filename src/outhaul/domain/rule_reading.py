"""Reading the rule of a dynamic segment from JSON; `rule_schema` publishes its form.

A part that is not right is told with its path and stands as a rule that never holds. Those who
take rules in refuse on that; an export goes on, for a field may have ended since.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from outhaul.domain.activity_types import canonical
from outhaul.domain.contact_fields import ContactFieldDefinition, Limits
from outhaul.domain.contact_values import ValueRefused, stored_value
from outhaul.domain.errors import Violation
from outhaul.domain.export import FieldType
from outhaul.domain.instants import EXPECTED_DATE, parse_instant
from outhaul.domain.json_pointer import pointer
from outhaul.domain.rules import NEVER, AllOf, AnyOf, Comparison, Did, Not, Operator, Rule, Value

DEEPEST_RULE = 16
MOST_RULE_PARTS = 200
MOST_DAYS = 36_500
MOST_TIMES = 1_000_000_000

_TEXT = frozenset({Operator.EQUALS, Operator.CONTAINS, Operator.STARTS_WITH})
_ORDER = frozenset({Operator.LESS_THAN, Operator.AT_MOST, Operator.GREATER_THAN, Operator.AT_LEAST})
_TIME = frozenset({Operator.BEFORE, Operator.NOT_AFTER, Operator.AFTER, Operator.NOT_BEFORE})
_OPERATORS: Mapping[FieldType, frozenset[Operator]] = {
    FieldType.CHECKBOX: frozenset({Operator.HAS}),
    FieldType.BOOLEAN: frozenset({Operator.EQUALS}),
    FieldType.INTEGER: _ORDER | {Operator.EQUALS},
    FieldType.DECIMAL: _ORDER | {Operator.EQUALS},
    FieldType.MONEY: _ORDER | {Operator.EQUALS},
    FieldType.DATE: _TIME | {Operator.EQUALS},
    FieldType.INSTANT: _TIME,
}
_FORMS = (
    ("all",),
    ("any",),
    ("not",),
    ("field", "is", "value"),
    ("activity", "atLeast", "lastDays"),
)
"""The properties of each kind of rule; the first tells the kind."""


def operators(type_: FieldType) -> list[Operator]:
    """What a field of this type can be compared by, in one order."""
    known = _OPERATORS.get(type_, _TEXT) | {Operator.EXISTS}
    return [operator for operator in Operator if operator in known]


def read_rule(
    body: object, fields: Mapping[str, ContactFieldDefinition], *, now: datetime, timezone: str
) -> tuple[Rule, tuple[Violation, ...]]:
    """The rule as judged at `now`, and all that is wrong with it; paths start at `body`.

    `timezone` (an IANA name) tells which day it is at `now` for fields that hold days.
    """
    reader = _Reader(fields, now, timezone)
    rule = reader.rule(body, ())
    return rule, tuple(reader.faults)


class _Reader:
    def __init__(
        self, fields: Mapping[str, ContactFieldDefinition], now: datetime, timezone: str
    ) -> None:
        self._fields = fields
        self._now = now
        self._today = now.astimezone(ZoneInfo(timezone)).date()
        self._parts = 0
        self.faults: list[Violation] = []

    def rule(self, body: object, path: tuple[str, ...], depth: int = 1) -> Rule:
        self._parts += 1
        if self._parts == MOST_RULE_PARTS + 1:
            return self._fault(path, f"is one part more than the {MOST_RULE_PARTS} a rule may have")
        if self._parts > MOST_RULE_PARTS:
            return NEVER
        if depth > DEEPEST_RULE:
            return self._fault(path, f"is nested deeper than {DEEPEST_RULE} levels")
        if not isinstance(body, dict):
            return self._fault(path, "must be an object")
        form = next((names for names in _FORMS if names[0] in body), None)
        if form is None:
            return self._fault(path, "must have all, any, not, field or activity")
        for name in sorted(body.keys() - set(form)):
            self._fault((*path, name), f"does not belong beside {form[0]}")
        match form[0]:
            case "all":
                return AllOf(rules=self._rules(body["all"], (*path, "all"), depth))
            case "any":
                return AnyOf(rules=self._rules(body["any"], (*path, "any"), depth))
            case "not":
                return Not(rule=self.rule(body["not"], (*path, "not"), depth + 1))
            case "field":
                return self._comparison(body, path)
            case _:
                return self._did(body, path)

    def _rules(self, body: object, path: tuple[str, ...], depth: int) -> tuple[Rule, ...]:
        if not isinstance(body, list) or not body:
            self._fault(path, "must be an array of at least one rule")
            return (NEVER,)
        return tuple(
            self.rule(one, (*path, str(index)), depth + 1) for index, one in enumerate(body)
        )

    def _comparison(self, body: Mapping[str, Any], path: tuple[str, ...]) -> Rule:
        known = body["field"]
        field = self._fields.get(known) if isinstance(known, str) else None
        if field is None:
            return self._fault((*path, "field"), "must be the id of a contact field")
        able = operators(field.type)
        operator = next((one for one in able if one == body.get("is")), None)
        if operator is None:
            return self._fault((*path, "is"), f"must be one of {', '.join(able)} for this field")
        if body.get("value") is None:
            return self._fault((*path, "value"), "is required")
        try:
            value = self._value(field, operator, body["value"])
        except ValueRefused as refused:
            return self._fault((*path, "value"), refused.reason)
        return Comparison(column=field.column, operator=operator, value=value)

    def _value(self, field: ContactFieldDefinition, operator: Operator, value: object) -> Value:
        type_ = field.type
        if operator is Operator.EXISTS:
            type_ = FieldType.BOOLEAN
        elif operator is Operator.HAS:
            value = [value]
        elif type_ in {FieldType.DATE, FieldType.INSTANT} and isinstance(value, dict):
            days = _whole(value.get("daysAgo"), -MOST_DAYS, MOST_DAYS)
            if days is None or len(value) != 1:
                reason = f"must be {{daysAgo}} with a whole number from -{MOST_DAYS} to {MOST_DAYS}"
                raise ValueRefused(reason)
            back = timedelta(days=days)
            return self._today - back if type_ is FieldType.DATE else self._now - back
        elif type_ is FieldType.INSTANT:
            instant = parse_instant(value)
            if instant is None:
                raise ValueRefused(f"{EXPECTED_DATE}, or {{daysAgo}}")
            return instant
        elif operator in {Operator.CONTAINS, Operator.STARTS_WITH} or type_ in {
            FieldType.IP,
            FieldType.JSON,
        }:
            # Emails are kept in lower case.
            if type_ is FieldType.EMAIL and isinstance(value, str):
                value = value.lower()
            type_ = FieldType.TEXT
        options = Limits(options=field.limits.options)
        stored: Value = stored_value(
            replace(field, type=type_, limits=options, required=True), value
        )
        return stored

    def _did(self, body: Mapping[str, Any], path: tuple[str, ...]) -> Rule:
        spelling = body["activity"]
        type_ = canonical(spelling) if isinstance(spelling, str) else None
        if type_ is None:
            self._fault((*path, "activity"), "must be an activity type")
        times = _whole(body.get("atLeast", 1), 1, MOST_TIMES)
        if times is None:
            reason = f"must be a whole number from 1 to {MOST_TIMES}"
            self._fault((*path, "atLeast"), reason)
        days = _whole(body.get("lastDays", 1), 1, MOST_DAYS)
        if days is None:
            self._fault((*path, "lastDays"), f"must be a whole number from 1 to {MOST_DAYS}")
        if type_ is None or times is None or days is None:
            return NEVER
        since = self._now - timedelta(days=days) if "lastDays" in body else None
        return Did(type=type_, at_least=times, since=since, until=self._now)

    def _fault(self, path: tuple[str, ...], reason: str) -> Rule:
        name = path[-1] if path else "rule"
        self.faults.append(Violation(name=name, path=pointer(path), reason=reason))
        return NEVER


def _whole(value: object, least: int, most: int) -> int | None:
    good = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
    return value if good and isinstance(value, int) else None
