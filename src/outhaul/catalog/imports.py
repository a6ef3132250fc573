"""Durable imports: a row is left by whoever asks, and done by whoever owns the data."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, case, delete, func, insert, select, true, update

from outhaul.catalog.database import Database, hold, now_ms
from outhaul.catalog.homes import EVERYTHING, Reach, place_account
from outhaul.catalog.leases import LeaseLost
from outhaul.catalog.tables import accounts, imports
from outhaul.domain.errors import ImportQueueFull, MadeByNewer, NotFound
from outhaul.domain.ids import new_id
from outhaul.domain.imports import Existing, Import, ImportKind, ImportOptions, ImportStatus
from outhaul.domain.instants import from_epoch_ms
from outhaul.domain.level import WORK_LEVEL

_OPEN = (ImportStatus.QUEUED.value, ImportStatus.IN_PROGRESS.value)


@dataclass(frozen=True, kw_only=True)
class ImportClaim:
    """The right to do an import; `attempt` is the fencing number."""

    owner: str
    attempt: int
    work: Import
    takeovers: int
    """How many earlier workers died or hung on it without a word, and got no further."""


class Imports:
    """Creates, claims, reports and looks up imports, one transaction a move."""

    def __init__(
        self,
        database: Database,
        *,
        lease_s: float,
        fault_limit: int,
        reach: Reach = EVERYTHING,
    ) -> None:
        """Imports into stores out of `reach` are left to others."""
        self._reach = reach
        self._database = database
        self._lease_ms = round(lease_s * 1000)
        self._fault_limit = fault_limit

    def create(
        self,
        account_id: str,
        *,
        kind: ImportKind,
        path: str,
        options: ImportOptions,
        queue_limit: int | None = None,
    ) -> str:
        """Leave an import to be done; returns its id. Raises ImportQueueFull when as many uploaded
        ones as `queue_limit` have not ended."""
        id_ = new_id()
        with self._database.transaction() as connection:
            hold(connection, accounts, accounts.c.id == account_id)
            waiting = select(func.count()).where(
                imports.c.account_id == account_id,
                imports.c.uploaded.is_(True),
                imports.c.status.in_(_OPEN),
            )
            if queue_limit is not None and connection.execute(waiting).scalar_one() >= queue_limit:
                raise ImportQueueFull(queue_limit)
            connection.execute(
                insert(imports).values(
                    id=id_,
                    account_id=account_id,
                    kind=kind.value,
                    path=path,
                    create_fields=options.create_fields,
                    delimiter=options.delimiter,
                    existing=options.existing.value,
                    uploaded=options.uploaded,
                    status=ImportStatus.QUEUED.value,
                    progress=0,
                    total=0,
                    work_level=WORK_LEVEL,
                    created_ms=now_ms(),
                )
            )
        return id_

    def get(self, import_id: str, *, account_id: str | None = None) -> Import:
        """The import, if it is the account's where one is named. Raises NotFound."""
        with self._database.reading() as connection:
            row = connection.execute(select(imports).where(imports.c.id == import_id)).first()
        if row is None or account_id not in {None, row.account_id}:
            raise NotFound("import", import_id)
        return _import(row)

    def newest(self, account_id: str, *, most: int) -> list[Import]:
        """The account's imports, newest first."""
        found = (
            select(imports)
            .where(imports.c.account_id == account_id)
            .order_by(imports.c.created_ms.desc(), imports.c.id.desc())
            .limit(most)
        )
        with self._database.reading() as connection:
            return [_import(row) for row in connection.execute(found)]

    def remove(self, account_id: str, import_id: str) -> Import:
        """Forget the import, or stop it when it is being done; gives it as it was. Raises
        NotFound."""
        with self._database.transaction() as connection:
            one = imports.c.id == import_id
            hold(connection, imports, one)
            row = connection.execute(
                select(imports).where(one, imports.c.account_id == account_id)
            ).first()
            if row is None:
                raise NotFound("import", import_id)
            if row.status == ImportStatus.IN_PROGRESS.value:
                connection.execute(
                    update(imports)
                    .where(one)
                    .values(
                        status=ImportStatus.CANCELLED.value,
                        finished_ms=now_ms(),
                        lease_owner=None,
                        lease_until_ms=0,
                    )
                )
            else:
                connection.execute(delete(imports).where(one))
        return _import(row)

    def uploads(self) -> dict[str, bool]:
        """By path of an uploaded file: whether its import has not ended."""
        found = select(imports.c.path, imports.c.status).where(imports.c.uploaded.is_(True))
        with self._database.reading() as connection:
            return {row.path: row.status in _OPEN for row in connection.execute(found)}

    def open_ids(self) -> set[str]:
        """Ids of the imports that have not ended."""
        with self._database.reading() as connection:
            found = select(imports.c.id).where(imports.c.status.in_(_OPEN))
            return set(connection.execute(found).scalars())

    def claim(self, owner: str) -> ImportClaim | None:
        """Take the oldest import that nobody holds."""
        now = now_ms()
        due = (
            select(imports)
            .where(
                imports.c.status.in_(_OPEN),
                imports.c.lease_until_ms <= now,
                imports.c.work_level <= WORK_LEVEL,
                self._reach.covers(imports.c.account_id),
            )
            .order_by(imports.c.created_ms, imports.c.id)
            .limit(1)
        )
        with self._database.reading() as connection:
            if connection.execute(due).first() is None:
                return None
        with self._database.transaction() as connection:
            row = connection.execute(due.with_for_update(skip_locked=True)).first()
            if row is None:
                return None
            # Whoever ends its work, or gives it back, takes its name off the lease.
            takeovers = row.takeovers + (row.lease_owner is not None)
            if self._reach.home_id is not None:
                place_account(connection, row.account_id, self._reach.home_id)
            connection.execute(
                update(imports)
                .where(imports.c.id == row.id)
                .values(
                    status=ImportStatus.IN_PROGRESS.value,
                    takeovers=takeovers,
                    lease_owner=owner,
                    lease_until_ms=now + self._lease_ms,
                    attempt=row.attempt + 1,
                    started_ms=now if row.started_ms is None else row.started_ms,
                )
            )
        return ImportClaim(
            owner=owner, attempt=row.attempt + 1, work=_import(row), takeovers=takeovers
        )

    def beat(self, claim: ImportClaim, *, progress: int, total: int) -> None:
        """Renew the claim and show progress; a worker that gets further than all before it has
        not inherited their trouble. Raises LeaseLost."""
        until = now_ms() + self._lease_ms
        further = case((imports.c.progress < progress, 0), else_=imports.c.takeovers)
        self._report(claim, progress=progress, total=total, takeovers=further, lease_until_ms=until)

    def finished(self, claim: ImportClaim, *, taken: int, refused: int) -> None:
        """Raises LeaseLost."""
        rows = taken + refused
        self._end(
            claim, ImportStatus.FINISHED, taken=taken, refused=refused, progress=rows, total=rows
        )

    def refused(self, claim: ImportClaim, detail: str) -> None:
        """The file as a whole cannot be taken. Raises LeaseLost."""
        self._end(claim, ImportStatus.ERROR, detail=detail)

    def failed(self, claim: ImportClaim, detail: str, *, further: int = 0) -> bool:
        """Count a fault; after the last one allowed, and `further` ones, the import ends in `error`
        with the detail: then the answer is True. Raises LeaseLost."""
        with self._database.transaction() as connection:
            faults = connection.execute(
                select(imports.c.faults).where(imports.c.id == claim.work.id)
            ).scalar_one()
        if faults + 1 >= self._fault_limit + further:
            self.refused(claim, detail)
            return True
        pause_ms = 500 * 2 ** (faults + 1)
        self._report(claim, faults=faults + 1, lease_owner=None, lease_until_ms=now_ms() + pause_ms)
        return False

    def reported(self, claim: ImportClaim) -> bool:
        """Whether the catalog has taken a report of this claim, and nobody claimed it since."""
        done = select(imports.c.attempt).where(
            imports.c.id == claim.work.id,
            imports.c.attempt == claim.attempt,
            imports.c.lease_owner.is_(None),
        )
        with self._database.reading() as connection:
            return connection.execute(done).first() is not None

    def release(self, claim: ImportClaim) -> None:
        """Give the import back unfinished."""
        self._report(claim, lease_owner=None, lease_until_ms=0)

    def abandon(self, claim: ImportClaim) -> None:
        """Take the import from a holder that gets no further: a takeover. Raises LeaseLost."""
        taken = imports.c.takeovers + 1
        self._report(claim, lease_owner=None, lease_until_ms=0, takeovers=taken)

    def release_all(self, owner: str | None = None) -> None:
        """Every lease is dead, or every lease of that one `owner`: for the new owner of a data
        directory. Leases keep the names of their holders, so that the next claim counts as a
        takeover."""
        dead = true() if owner is None else imports.c.lease_owner == owner
        with self._database.transaction() as connection:
            connection.execute(update(imports).where(dead).values(lease_until_ms=0))

    def _end(self, claim: ImportClaim, status: ImportStatus, **values: object) -> None:
        self._report(
            claim,
            status=status.value,
            finished_ms=now_ms(),
            lease_owner=None,
            lease_until_ms=0,
            **values,
        )

    def _report(self, claim: ImportClaim, **values: object) -> None:
        with self._database.transaction() as connection:
            changed = connection.execute(
                update(imports)
                .where(
                    imports.c.id == claim.work.id,
                    imports.c.attempt == claim.attempt,
                    imports.c.lease_owner == claim.owner,
                )
                .values(**values)
            )
            if changed.rowcount == 0:
                raise LeaseLost


def _import(row: "Row[tuple[object, ...]]") -> Import:
    values = row._mapping  # noqa: SLF001 -- SQLAlchemy's public accessor, despite its name
    if values["work_level"] > WORK_LEVEL:
        raise MadeByNewer
    return Import(
        id=values["id"],
        account_id=values["account_id"],
        kind=ImportKind(values["kind"]),
        path=values["path"],
        options=ImportOptions(
            create_fields=values["create_fields"],
            delimiter=values["delimiter"],
            existing=Existing(values["existing"]),
            uploaded=values["uploaded"],
        ),
        status=ImportStatus(values["status"]),
        progress=values["progress"],
        total=values["total"],
        taken=values["taken"],
        refused=values["refused"],
        detail=values["detail"],
        created_at=from_epoch_ms(values["created_ms"]),
        started_at=_instant(values["started_ms"]),
        ended_at=_instant(values["finished_ms"]),
    )


def _instant(ms: int | None) -> datetime | None:
    return None if ms is None else from_epoch_ms(ms)
