"""Contacts as the API reads them: the open version by email, external id or id."""

from outhaul.store.contact_edits import Contact, fetch_open
from outhaul.store.engine import Engine


class ContactReads:
    """Looks up single contacts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, account_id: str, column: str, value: str) -> Contact | None:
        """The contact whose `_email`, `_externalId` or `id` this is."""
        with self._engine.session(account_id) as connection:
            # One view of the store, however many questions it takes.
            connection.begin()
            found = fetch_open(connection, column, [value])
            connection.commit()
        return found[0] if found else None
