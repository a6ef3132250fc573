"""Rows of contacts that a file has brought, as SQL for those who write them."""

from collections.abc import Mapping
from dataclasses import dataclass

from outhaul.domain.imports import Existing
from outhaul.store.purchases import TOTALS


@dataclass(frozen=True, kw_only=True)
class ContactRows:
    """Staged contacts: table with columns n, id, `given`, `reasons` and those of `columns`."""

    staged: str
    import_id: str
    columns: Mapping[str, str]
    """Column of the store -> field id, as `given` names it."""
    sparse: bool
    """Whether `given` lists the fields that a row sets; otherwise it sets all of them."""
    existing: Existing = Existing.OVERRIDE

    def sets(self, column: str, row: str) -> str:
        """SQL: does this row set the column?"""
        if column not in self.columns:
            return "false"
        if not self.sparse:
            return "true"
        field = self.columns[column].replace("'", "''")
        return f"list_contains({row}.given, '{field}')"

    def value(self, column: str, row: str) -> str:
        """SQL: what the row sets the column to; NULL when the file has no such column."""
        return f'{row}."{column}"' if column in self.columns else "NULL"

    def new_id(self, n: str) -> str:
        """SQL: the id of a contact that row number `n` makes, the same however often it runs."""
        return f"left(md5('{self.import_id}:' || {n}), 24)"

    def sets_totals(self, row: str) -> str:
        """SQL: does this row say what the contact bought? Empty when no row of the file does."""
        return " OR ".join(self.sets(column, row) for column in TOTALS if column in self.columns)
