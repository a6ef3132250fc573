"""Finished exports as numbers, for charts."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from outhaul.catalog.database import Database
from outhaul.catalog.tables import exports
from outhaul.domain.export import ExportStatus
from outhaul.domain.instants import epoch_ms, from_epoch_ms


@dataclass(frozen=True, kw_only=True)
class FinishedExport:
    """What one export amounted to."""

    finished_at: datetime
    rows: int
    bytes: int
    """Length of the archive."""
    seconds: float
    """From the create to the finished file."""


class FinishedExports:
    """Lists them; exports that have been deleted are not there any more."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def since(self, account_id: str, at: datetime) -> list[FinishedExport]:
        """The account's exports that were finished at that instant or later, oldest first."""
        columns = exports.c
        statement = (
            select(columns.finished_ms, columns.created_ms, columns.total, columns.archive_bytes)
            .where(
                columns.account_id == account_id,
                columns.status == ExportStatus.FINISHED.value,
                columns.finished_ms >= epoch_ms(at),
            )
            .order_by(columns.finished_ms)
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        return [
            FinishedExport(
                finished_at=from_epoch_ms(row.finished_ms),
                rows=row.total,
                bytes=row.archive_bytes or 0,
                seconds=(row.finished_ms - row.created_ms) / 1000,
            )
            for row in rows
        ]
