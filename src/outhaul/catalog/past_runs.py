"""How long finished exports took."""

from pydantic import TypeAdapter
from sqlalchemy import BigInteger, cast, func, select

from outhaul.catalog.database import Database
from outhaul.catalog.tables import exports, slices
from outhaul.domain.estimate import PastRun
from outhaul.domain.export import ExportStatus
from outhaul.domain.extras import FileFormat
from outhaul.domain.instants import epoch_ms
from outhaul.domain.level import WORK_LEVEL
from outhaul.domain.plan import ExportPlan

_plan = TypeAdapter(ExportPlan)
_MOST = 50
_PARQUET = f'"format":"{FileFormat.PARQUET}"'
"""In the JSON of a request; quotes within its texts are escaped."""


class PastRuns:
    """Tells how fast this server has been lately, whoever asked."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recent(self, file_format: FileFormat) -> tuple[PastRun, ...]:
        """The last exports that finished with a file of this format, from the moment they were
        planned. All formats of text are one: it is the text that takes time."""
        is_parquet = exports.c.request.contains(_PARQUET, autoescape=True)
        written = (
            # PostgreSQL adds whole numbers up to a decimal.
            select(cast(func.sum(slices.c.text_bytes), BigInteger))
            .where(slices.c.export_id == exports.c.id)
            .scalar_subquery()
        )
        statement = (
            select(exports.c.plan, exports.c.finished_ms, written)
            .where(
                exports.c.status == ExportStatus.FINISHED.value,
                exports.c.plan.is_not(None),
                exports.c.work_level <= WORK_LEVEL,
                is_parquet if file_format is FileFormat.PARQUET else ~is_parquet,
            )
            .order_by(exports.c.finished_ms.desc())
            .limit(_MOST)
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        return tuple(
            # PostgreSQL's sum of whole numbers is a decimal.
            PastRun(bytes=int(text_bytes or 0), seconds=(finished_ms - epoch_ms(planned_at)) / 1000)
            for plan, finished_ms, text_bytes in rows
            if (planned_at := _plan.validate_json(plan).now) is not None
        )
