"""The rule of a dynamic segment, ready to be judged: fields are columns, dates are fixed."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

Value = str | int | Decimal | bool | date | datetime


class Operator(StrEnum):
    """How a contact's value compares with the rule's."""

    EQUALS = "equals"
    CONTAINS = "contains"
    STARTS_WITH = "startsWith"
    HAS = "has"
    LESS_THAN = "lessThan"
    AT_MOST = "atMost"
    GREATER_THAN = "greaterThan"
    AT_LEAST = "atLeast"
    BEFORE = "before"
    NOT_AFTER = "notAfter"
    AFTER = "after"
    NOT_BEFORE = "notBefore"
    EXISTS = "exists"


@dataclass(frozen=True, kw_only=True)
class AllOf:
    """Holds when each rule holds, also when there is none."""

    rules: "tuple[Rule, ...]"


@dataclass(frozen=True, kw_only=True)
class AnyOf:
    """Holds when one of the rules holds."""

    rules: "tuple[Rule, ...]"


@dataclass(frozen=True, kw_only=True)
class Not:
    """Holds when the rule does not."""

    rule: "Rule"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Compares one value of the contact; never holds for a contact without the value, but for
    EXISTS with False."""

    column: str
    """The store's column of contacts; one of our own names, never a caller's."""
    operator: Operator
    value: Value


@dataclass(frozen=True, kw_only=True)
class Did:
    """Holds for contacts with at least that many activities of the type in the time."""

    type: str
    """Canonical."""
    at_least: int
    since: datetime | None
    """Excluded; None: ever."""
    until: datetime
    """Included."""


Rule = AllOf | AnyOf | Not | Comparison | Did

NEVER = AnyOf(rules=())
