"""Erasures: what is to be erased, what has been, and the receipts; ids only, no personal data.

An erasure goes through three moves, each of which can be done again after a crash: `begin` takes
the contact's files out of reach and stops the account's exports, `erased` notes that the store is
rid of the contact and lets the exports plan again, `finished` notes that the files are gone too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from outhaul.catalog.database import Database, hold, now_ms
from outhaul.catalog.due import Step
from outhaul.catalog.exports import export_of
from outhaul.catalog.homes import EVERYTHING, Reach
from outhaul.catalog.tables import accounts, erased_files, erasures, exports, manifests, slices
from outhaul.domain.errors import FailureCause
from outhaul.domain.export import ExportRequest, ExportStatus
from outhaul.domain.ids import new_id
from outhaul.domain.instants import from_epoch_ms
from outhaul.domain.plan import ExportPlan

_plan = TypeAdapter(ExportPlan)
_MOST_REPLANS = 10


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """One erasure and its receipt."""

    id: str
    account_id: str
    epoch: int
    """Counts the account's erasures, from 1."""
    contact_id: str
    asked_at: datetime
    erased_at: datetime | None
    commit: int | None
    """The commit in which the store lost the contact."""
    done_at: datetime | None
    """When the last file was gone."""


@dataclass(frozen=True, kw_only=True)
class DoomedFiles:
    """Files of an export to be deleted: all those whose keys are below `prefix`."""

    export_id: str
    prefix: str


class Erasures:
    """The moves of erasures, one transaction each."""

    def __init__(self, database: Database, *, reach: Reach = EVERYTHING) -> None:
        """What is left to do in stores out of `reach` is left to others."""
        self._database = database
        self._reach = reach

    def begin(
        self,
        account_id: str,
        contact_id: str,
        may_be_in: Callable[[ExportRequest, int | None], bool],
    ) -> Erasure:
        """Raise the account's erasure epoch. From now on no file that holds the contact can be
        fetched: `may_be_in` judges each by its request and snapshot. Running exports lose their
        slices and wait to be planned again."""
        with self._database.transaction() as connection:
            hold(connection, accounts, accounts.c.id == account_id)
            # Work that is just reported ends before or after this, not in between.
            hold(connection, exports, exports.c.account_id == account_id)
            epoch = select(func.coalesce(func.max(erasures.c.epoch), 0) + 1).where(
                erasures.c.account_id == account_id
            )
            id_ = new_id()
            connection.execute(
                insert(erasures).values(
                    id=id_,
                    account_id=account_id,
                    epoch=epoch.scalar_subquery(),
                    contact_id=contact_id,
                    asked_ms=now_ms(),
                )
            )
            doomed = _stop_running(connection, account_id)
            doomed += _withdraw_finished(connection, account_id, may_be_in)
            if doomed:
                connection.execute(
                    insert(erased_files),
                    [
                        {"erasure_id": id_, "export_id": one.export_id, "prefix": one.prefix}
                        for one in doomed
                    ],
                )
            row = connection.execute(select(erasures).where(erasures.c.id == id_)).one()
        return _erasure(row)

    def erased(self, erasure_id: str, commit: int) -> None:
        """The store is rid of the contact since that commit."""
        with self._database.transaction() as connection:
            connection.execute(
                update(erasures)
                .where(erasures.c.id == erasure_id, erasures.c.erased_ms.is_(None))
                .values(erased_ms=now_ms(), commit_number=commit)
            )

    def files(self, erasure_id: str) -> list[DoomedFiles]:
        """The files still to be deleted."""
        statement = select(erased_files).where(
            erased_files.c.erasure_id == erasure_id, erased_files.c.deleted_ms.is_(None)
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        return [DoomedFiles(export_id=row.export_id, prefix=row.prefix) for row in rows]

    def deleted(self, erasure_id: str, files: DoomedFiles) -> None:
        """These files are gone."""
        with self._database.transaction() as connection:
            connection.execute(
                update(erased_files)
                .where(
                    erased_files.c.erasure_id == erasure_id,
                    erased_files.c.export_id == files.export_id,
                )
                .values(deleted_ms=now_ms())
            )

    def finished(self, erasure_id: str) -> None:
        """Nothing of the contact is left."""
        with self._database.transaction() as connection:
            connection.execute(
                update(erasures).where(erasures.c.id == erasure_id).values(done_ms=now_ms())
            )

    def unfinished(self) -> list[Erasure]:
        """Those with something left to do, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(erasures)
                .where(erasures.c.done_ms.is_(None), self._reach.covers(erasures.c.account_id))
                .order_by(erasures.c.asked_ms)
            ).all()
        return [_erasure(row) for row in rows]

    def receipts(self, account_id: str) -> list[Erasure]:
        """The account's erasures, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(erasures)
                .where(erasures.c.account_id == account_id)
                .order_by(erasures.c.epoch)
            ).all()
        return [_erasure(row) for row in rows]


def _stop_running(connection: Connection, account_id: str) -> list[DoomedFiles]:
    """Whoever works on the account's exports loses the lease; those planned begin anew."""
    running = connection.execute(
        select(exports.c.id, exports.c.plan, exports.c.replans).where(
            exports.c.account_id == account_id, exports.c.step.is_not(None)
        )
    ).all()
    doomed = []
    for export in running:
        values: dict[str, object] = {"lease_owner": None, "lease_until_ms": 0}
        if export.plan is not None:
            connection.execute(delete(slices).where(slices.c.export_id == export.id))
            doomed.append(
                DoomedFiles(export_id=export.id, prefix=f"exports/{export.id}/{export.replans}")
            )
            values |= {"plan": None, "progress": 0, "faults": 0, "replans": export.replans + 1}
            values |= {"step": Step.PLAN.value}
        if export.replans + 1 > _MOST_REPLANS:
            values |= _ended(FailureCause.ERASED_TOO_OFTEN)
        connection.execute(
            update(exports)
            .where(exports.c.id == export.id)
            .values(attempt=exports.c.attempt + 1, **values)
        )
    return doomed


def _withdraw_finished(
    connection: Connection,
    account_id: str,
    may_be_in: Callable[[ExportRequest, int | None], bool],
) -> list[DoomedFiles]:
    retained = connection.execute(
        select(exports).where(
            exports.c.account_id == account_id, exports.c.archive_key.is_not(None)
        )
    ).all()
    doomed = []
    for row in retained:
        snapshot = None if row.plan is None else _plan.validate_json(row.plan).snapshot
        if not may_be_in(export_of(row).request, snapshot):
            continue
        connection.execute(delete(manifests).where(manifests.c.export_id == row.id))
        connection.execute(delete(slices).where(slices.c.export_id == row.id))
        connection.execute(
            update(exports)
            .where(exports.c.id == row.id)
            .values(
                archive_key=None,
                archive_bytes=None,
                archive_sha256=None,
                **_ended(FailureCause.ERASED),
            )
        )
        doomed.append(DoomedFiles(export_id=row.id, prefix=f"exports/{row.id}"))
    return doomed


def _ended(cause: FailureCause) -> dict[str, object]:
    return {
        "status": ExportStatus.ERROR.value,
        "failure": cause.value,
        "finished_ms": now_ms(),
        "step": None,
    }


def _erasure(row: "Row[tuple[object, ...]]") -> Erasure:
    values = row._mapping  # noqa: SLF001 -- SQLAlchemy's public accessor, despite its name
    erased_ms, done_ms = values["erased_ms"], values["done_ms"]
    return Erasure(
        id=values["id"],
        account_id=values["account_id"],
        epoch=values["epoch"],
        contact_id=values["contact_id"],
        asked_at=from_epoch_ms(values["asked_ms"]),
        erased_at=None if erased_ms is None else from_epoch_ms(erased_ms),
        commit=values["commit_number"],
        done_at=None if done_ms is None else from_epoch_ms(done_ms),
    )
