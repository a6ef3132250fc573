"""Which files exports still need: all others may be removed."""

from pydantic import TypeAdapter
from sqlalchemy import select, union_all

from outhaul.catalog.database import Database
from outhaul.catalog.tables import exports, slices
from outhaul.domain.level import WORK_LEVEL
from outhaul.domain.plan import ExportPlan

_plan = TypeAdapter(ExportPlan)


class NeededFiles:
    """Answers for one export, or for all of them. Methods may be called from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def has_ended(self, export_id: str) -> bool:
        """Whether nothing is left to be done for the export; also when it is gone."""
        running = select(exports.c.id).where(exports.c.id == export_id, exports.c.step.is_not(None))
        with self._database.reading() as connection:
            return connection.execute(running).first() is None

    def running(self) -> set[str]:
        """Ids of all exports for which something is left to be done."""
        with self._database.reading() as connection:
            unfinished = select(exports.c.id).where(exports.c.step.is_not(None))
            return set(connection.execute(unfinished).scalars())

    def of_newer(self, export_id: str | None = None) -> set[str]:
        """Ids of exports that a newer version has made: this one cannot tell what they need."""
        newer = select(exports.c.id).where(exports.c.work_level > WORK_LEVEL)
        if export_id is not None:
            newer = newer.where(exports.c.id == export_id)
        with self._database.reading() as connection:
            return set(connection.execute(newer).scalars())

    def keys(self, export_id: str | None = None) -> set[str]:
        """Keys of finished archives, and of the recorded slices of unfinished exports."""
        archives = select(exports.c.archive_key).where(exports.c.archive_key.is_not(None))
        recorded = (
            select(slices.c.file_key)
            .join(exports, exports.c.id == slices.c.export_id)
            .where(slices.c.file_key.is_not(None), exports.c.step.is_not(None))
        )
        if export_id is not None:
            archives = archives.where(exports.c.id == export_id)
            recorded = recorded.where(exports.c.id == export_id)
        with self._database.reading() as connection:
            return set(connection.execute(union_all(archives, recorded)).scalars())

    def unloads(self, export_id: str | None = None) -> set[str]:
        """Folders of the unloads that unfinished exports read."""
        planned = select(exports.c.plan).where(
            exports.c.step.is_not(None),
            exports.c.plan.is_not(None),
            exports.c.work_level <= WORK_LEVEL,
        )
        of_slices = (
            select(slices.c.unload)
            .join(exports, exports.c.id == slices.c.export_id)
            .where(slices.c.unload.is_not(None), exports.c.step.is_not(None))
        )
        if export_id is not None:
            planned = planned.where(exports.c.id == export_id)
            of_slices = of_slices.where(exports.c.id == export_id)
        with self._database.reading() as connection:
            plans = connection.execute(planned).scalars().all()
            folders = set(connection.execute(of_slices).scalars())
        whole = (_plan.validate_json(plan).unload for plan in plans)
        return folders | {folder for folder in whole if folder is not None}
