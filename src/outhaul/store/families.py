"""Activities lie in one table per family: types that share most of their fields.

A single table of all types is sixty columns wide and nearly all NULL; a table per type makes
every slice a union of forty. Both were measured slower (docs/decisions).
"""

from dataclasses import dataclass

from outhaul.domain.activity_types import ACTIVITY_FIELDS, ACTIVITY_TYPES, ActivityField


@dataclass(frozen=True, kw_only=True)
class Family:
    """Types whose activities share a table, which has every field that one of them may carry."""

    name: str
    types: frozenset[str]

    @property
    def table(self) -> str:
        return f"activities_{self.name}"

    @property
    def fields(self) -> tuple[ActivityField, ...]:
        """In the one order that columns have in a file."""
        carried = {id_ for type_ in self.types for id_ in ACTIVITY_TYPES[type_].fields}
        return tuple(field for id_, field in ACTIVITY_FIELDS.items() if id_ in carried)


RETRACTABLE = ("activities_purchase", "product_lines")
"""Tables whose rows can be taken back; `retracted` then has the commit that did it."""


def shown(table: str) -> str:
    """The condition for rows of the table, of activities or of their lines, in `$snapshot`."""
    arrived = "commit <= $snapshot"
    if table not in RETRACTABLE:
        return arrived
    return f"{arrived} AND (retracted IS NULL OR retracted > $snapshot)"


def _starting(*prefixes: str) -> frozenset[str]:
    return frozenset(type_ for type_ in ACTIVITY_TYPES if type_.startswith(prefixes))


_NAMED = {
    "email": _starting("email-"),
    "message": _starting("sms-", "push-", "web-content-"),
    "page": frozenset(
        {"web-page-visited", "web-form-submitted", "web-link-clicked", "search", "product-searched"}
    ),
    "product": _starting("product-visited", "cart-product-", "custom-event", "newsletter-"),
    "purchase": frozenset({"purchase", "cart-abandoned"}),
}

FAMILIES = (
    *(Family(name=name, types=types) for name, types in _NAMED.items()),
    Family(name="other", types=frozenset(ACTIVITY_TYPES).difference(*_NAMED.values())),
)
"""Every type is in exactly one."""
