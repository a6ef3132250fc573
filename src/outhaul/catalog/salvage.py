"""What becomes of exports whose files are not there, as after a restore without them."""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import TypeAdapter
from sqlalchemy import delete, select, update

from outhaul.catalog.database import Database
from outhaul.catalog.due import Step
from outhaul.catalog.tables import exports, slices
from outhaul.domain.plan import ExportPlan

_plan = TypeAdapter(ExportPlan)


@dataclass(frozen=True, kw_only=True)
class Salvaged:
    """How many finished exports were forgotten, and how many others begin anew."""

    forgotten: int
    begun_anew: int


def salvage(database: Database, is_whole: Callable[[str, int], bool]) -> Salvaged:
    """Forget finished exports without their archive, for an export that says `finished` has its
    file; have unfinished ones planned again that lack a slice or their unload.

    `is_whole` tells whether the file of a key is there with that many bytes. Only while nobody
    works on the catalog.
    """
    forgotten = begun_anew = 0
    with database.transaction() as connection:
        for export in connection.execute(select(exports)).all():
            if export.archive_key is not None:
                if not is_whole(export.archive_key, export.archive_bytes):
                    connection.execute(delete(exports).where(exports.c.id == export.id))
                    forgotten += 1
            elif export.step is not None and export.plan is not None:
                recorded = connection.execute(
                    select(slices.c.file_key, slices.c.compressed_bytes).where(
                        slices.c.export_id == export.id, slices.c.file_key.is_not(None)
                    )
                ).all()
                whole = all(is_whole(*one) for one in recorded)
                if whole and _plan.validate_json(export.plan).unload is None:
                    # Of single slices nothing is lost with their unloads: the store has the rows.
                    connection.execute(
                        update(slices).where(slices.c.export_id == export.id).values(unload=None)
                    )
                    continue
                connection.execute(delete(slices).where(slices.c.export_id == export.id))
                connection.execute(
                    update(exports)
                    .where(exports.c.id == export.id)
                    .values(
                        step=Step.PLAN.value,
                        plan=None,
                        progress=0,
                        faults=0,
                        replans=export.replans + 1,
                        attempt=export.attempt + 1,
                        lease_owner=None,
                        lease_until_ms=0,
                    )
                )
                begun_anew += 1
    return Salvaged(forgotten=forgotten, begun_anew=begun_anew)
