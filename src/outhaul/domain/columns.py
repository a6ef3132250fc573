"""A column of a released file."""

from dataclasses import dataclass

from outhaul.domain.export import FieldType


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: what the header says and where the value comes from."""

    id: str
    """One id over all versions: the camelCase of the newest English label, or the field's id."""
    label: str
    """The header, in the account's language and the version's wording."""
    type: FieldType
    source: str
    """The store's column that holds the value."""
    as_cell: bool = False
    """Whether the store holds the value as its finished cell: in quotes, quotes doubled."""
    digits: int = 18
    """Of a decimal with two places that any value of the type MONEY fits into."""
    activity_types: frozenset[str] | None = None
    """Canonical activity types whose rows carry this column; None: every row."""
