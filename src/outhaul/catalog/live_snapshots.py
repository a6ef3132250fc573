"""Which snapshots unfinished exports still read."""

from pydantic import TypeAdapter
from sqlalchemy import select

from outhaul.catalog.database import Database
from outhaul.catalog.due import Step
from outhaul.catalog.tables import exports
from outhaul.domain.plan import ExportPlan

_plan = TypeAdapter(ExportPlan)


class LiveSnapshots:
    """Tells what an account's exports need of the past."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def oldest(self, account_id: str, newest: int) -> int | None:
        """The oldest snapshot that an unfinished export of the account reads, at most `newest`.

        None while somebody plans an export: it may have chosen its snapshot already, which the
        catalog does not know yet. Whoever claims a plan after this call reads the newest commit
        after it, so that an answer holds for plans to come.
        """
        with self._database.reading() as connection:
            unfinished = connection.execute(
                select(exports.c.step, exports.c.plan, exports.c.lease_owner).where(
                    exports.c.account_id == account_id, exports.c.step.is_not(None)
                )
            ).all()
        oldest = newest
        for step, plan, owner in unfinished:
            if plan is not None:
                oldest = min(oldest, _plan.validate_json(plan).snapshot)
            elif step == Step.PLAN.value and owner is not None:
                return None
        return oldest
