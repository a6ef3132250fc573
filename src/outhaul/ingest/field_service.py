"""Contact fields: list, look up, add and end them."""

from outhaul.domain.contact_fields import (
    MOST_CUSTOM_FIELDS,
    SYSTEM_FIELDS,
    ContactFieldDefinition,
    by_id,
)
from outhaul.domain.errors import Conflict, Invalid, NotFound, Violation
from outhaul.store.commits import Commits
from outhaul.store.field_definitions import FieldDefinitions, present


class Fields:
    """The use cases of contact fields. Methods may be called from any thread."""

    def __init__(self, commits: Commits, definitions: FieldDefinitions) -> None:
        self._commits = commits
        self._definitions = definitions

    def all(self, account_id: str) -> tuple[ContactFieldDefinition, ...]:
        """System fields in the order of files, then the account's own in creation order."""
        return (*SYSTEM_FIELDS, *self._definitions.all(account_id))

    def get(self, account_id: str, field_id: str) -> ContactFieldDefinition:
        """Raises NotFound."""
        found = by_id(self._definitions.all(account_id)).get(field_id)
        if found is None:
            raise NotFound("contact field", field_id)
        return found

    def create(self, account_id: str, wanted: ContactFieldDefinition) -> ContactFieldDefinition:
        """Add a field; contacts and exports have it from now on. Raises Conflict when the id is
        taken, Invalid when the account has as many fields as it may."""
        with self._commits.open(account_id, source="api") as commit:
            custom = present(commit.connection)
            if wanted.id in by_id(custom):
                raise Conflict("The account has a contact field with this id already.")
            if len(custom) >= MOST_CUSTOM_FIELDS:
                reason = f"would be one more than the {MOST_CUSTOM_FIELDS} fields of its own"
                raise Invalid(
                    [Violation(name="id", path="/id", reason=f"{reason} that an account may have")],
                    detail="The contact field is not valid.",
                )
            return self._definitions.add(commit, wanted)

    def delete(self, account_id: str, field_id: str) -> None:
        """End a field; exports of earlier snapshots still have it. Raises NotFound, and Conflict
        for a system field."""
        if any(field.id == field_id for field in SYSTEM_FIELDS):
            raise Conflict("Every account has this field; it cannot be deleted.")
        with self._commits.open(account_id, source="api") as commit:
            if not self._definitions.end(commit, field_id):
                raise NotFound("contact field", field_id)
