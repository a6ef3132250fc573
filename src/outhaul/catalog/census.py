"""How much there is of what, for whoever watches over a deployment."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Table, func, select

from outhaul.catalog.database import Database, now_ms
from outhaul.catalog.tables import exports, imports
from outhaul.domain.export import ExportStatus
from outhaul.domain.imports import ImportStatus


@dataclass(frozen=True, kw_only=True)
class Census:
    """All accounts together, at one moment. Every state has its number, also where it is 0."""

    exports: Mapping[ExportStatus, int]
    imports: Mapping[ImportStatus, int]
    waiting_s: float
    """For how long the oldest export has been waiting that nobody has begun; 0 when none is."""


def take_census(database: Database) -> Census:
    """Count. Raises CatalogUnavailable."""
    waited = select(now_ms() - func.min(exports.c.created_ms)).where(
        exports.c.status == ExportStatus.QUEUED.value
    )
    with database.reading() as connection:
        of_exports = _by_status(connection, exports)
        of_imports = _by_status(connection, imports)
        waited_ms = connection.execute(waited).scalar()
    return Census(
        exports={status: of_exports.get(status.value, 0) for status in ExportStatus},
        imports={status: of_imports.get(status.value, 0) for status in ImportStatus},
        waiting_s=max(0, waited_ms or 0) / 1000,
    )


def _by_status(connection: Connection, table: Table) -> dict[str, int]:
    counted = connection.execute(
        select(table.c.status, func.count().label("rows")).group_by(table.c.status)
    )
    return {row.status: row.rows for row in counted}
