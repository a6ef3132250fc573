"""Who did what in an account. Entries are only ever added; none holds personal data."""

from sqlalchemy import insert, select

from outhaul.catalog.database import Database, now_ms
from outhaul.catalog.tables import audit
from outhaul.domain.audit import Action, AuditEntry
from outhaul.domain.ids import new_id
from outhaul.domain.instants import from_epoch_ms


class Audit:
    """Adds and lists entries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, account_id: str, key_id: str | None, action: Action, subject: str) -> None:
        """Durable when this returns."""
        with self._database.transaction() as connection:
            connection.execute(
                insert(audit).values(
                    id=new_id(),
                    account_id=account_id,
                    at_ms=now_ms(),
                    key_id=key_id,
                    action=action.value,
                    subject=subject,
                )
            )

    def page(self, account_id: str, *, page: int, page_size: int) -> tuple[list[AuditEntry], bool]:
        """Page number `page` (from 1), newest first, and whether there is another."""
        statement = (
            select(audit)
            .where(audit.c.account_id == account_id)
            .order_by(audit.c.at_ms.desc(), audit.c.id.desc())
            .offset((page - 1) * page_size)
            .limit(page_size + 1)
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        entries = [
            AuditEntry(
                at=from_epoch_ms(row.at_ms),
                key_id=row.key_id,
                action=Action(row.action),
                subject=row.subject,
            )
            for row in rows[:page_size]
        ]
        return entries, len(rows) > page_size
