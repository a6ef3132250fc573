"""What finished exports amounted to, kept whatever becomes of them: they are counted when they
become finished, and deleting one changes no count."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, text

from outhaul.catalog.database import Database
from outhaul.catalog.tables import tallies
from outhaul.domain.instants import epoch_ms, from_epoch_ms

# Days begin at a quarter of an hour in every zone, so that a day of any zone is made of these.
_COUNT = text(
    "INSERT INTO tallies (account_id, from_ms, exports, rows, bytes, took_ms)"
    " SELECT account_id, finished_ms - finished_ms % 900000, 1, total, archive_bytes,"
    " finished_ms - created_ms FROM exports WHERE id = :export_id"
    " ON CONFLICT (account_id, from_ms) DO UPDATE SET exports = tallies.exports + 1,"
    " rows = tallies.rows + excluded.rows, bytes = tallies.bytes + excluded.bytes,"
    " took_ms = tallies.took_ms + excluded.took_ms"
)


@dataclass(frozen=True, kw_only=True)
class Tally:
    """The exports of an account that were finished in one quarter of an hour."""

    begins_at: datetime
    exports: int
    rows: int
    bytes: int
    """Length of the archives."""
    seconds: float
    """All together, each from its create to its file."""


def count_finished(connection: Connection, export_id: str) -> None:
    """Count an export that has just become finished, in the transaction that made it so."""
    connection.execute(_COUNT, {"export_id": export_id})


class Tallies:
    """Lists them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def since(self, account_id: str, at: datetime) -> list[Tally]:
        """The account's from that instant on, the start of a day in some zone, oldest first."""
        statement = (
            select(tallies)
            .where(tallies.c.account_id == account_id, tallies.c.from_ms >= epoch_ms(at))
            .order_by(tallies.c.from_ms)
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        return [
            Tally(
                begins_at=from_epoch_ms(row.from_ms),
                exports=row.exports,
                rows=row.rows,
                bytes=row.bytes,
                seconds=row.took_ms / 1000,
            )
            for row in rows
        ]
