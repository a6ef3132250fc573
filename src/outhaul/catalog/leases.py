"""Work on exports: who holds which step, for how long, and what came of it.

An export goes through its steps in order: `plan`, `slices` (all of them, side by side) and
`assemble`. Whoever claims a step holds a lease on it, told apart from all earlier holders by its
attempt number (the fencing number). A move that reports a result names its lease and changes
nothing once somebody else has claimed the step or the export is gone: LeaseLost.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter
from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    Update,
    and_,
    case,
    func,
    insert,
    literal,
    select,
    true,
    update,
)

from outhaul.catalog.database import Database, hold, hold_if_free, now_ms
from outhaul.catalog.due import Step, due_step
from outhaul.catalog.exports import export_of
from outhaul.catalog.homes import EVERYTHING, Reach, place_account
from outhaul.catalog.slices import (
    NOT_RENDERED,
    slice_facts_values,
    slice_plan_of,
    slice_plan_values,
)
from outhaul.catalog.tables import accounts, exports, manifests, slices
from outhaul.catalog.tally import count_finished
from outhaul.domain.errors import FailureCause, OuthaulError
from outhaul.domain.export import (
    ArchiveFacts,
    Export,
    ExportStatus,
    MemberKind,
    SliceFacts,
    SlicePlan,
)
from outhaul.domain.level import WORK_LEVEL
from outhaul.domain.plan import ExportPlan

_plan = TypeAdapter(ExportPlan)
_TRIES = 5


class LeaseLost(OuthaulError):
    """Somebody else holds the step by now, or the export is gone. The result is not wanted."""


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to work on one step of an export, or on one of its slices."""

    step: Step
    export_id: str
    account_id: str
    owner: str
    attempt: int
    member: MemberKind | None = None
    position: int | None = None


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A lease with all that its work needs to know."""

    lease: Lease
    export: Export
    plan: ExportPlan | None
    """None while the plan is what is due."""
    slice_plan: SlicePlan | None
    takeovers: int
    """How many earlier workers died or hung on this step without a word."""
    taken_over: bool
    """Whether the last of them did just now: nobody gave the step back."""
    suspect: bool
    """Whether the step may be what killed them: its worker does nothing else meanwhile."""


class Leases:
    """Claims steps and takes their results, one transaction a move."""

    def __init__(
        self,
        database: Database,
        *,
        lease_s: float,
        fault_limit: int,
        account_limit: int | None = None,
        reach: Reach = EVERYTHING,
    ) -> None:
        """A lease lasts `lease_s` seconds after its last beat; the `fault_limit`-th fault of one
        step ends the export in `error`. At most `account_limit` steps of one account are held at
        the same time, by all workers together. Steps that need a store out of `reach` are left to
        others."""
        self._reach = reach
        self._due, self._due_of_one = (
            due_step(one_account=one, reach=reach, account_limit=account_limit)
            for one in (False, True)
        )
        self._database = database
        self._lease_ms = round(lease_s * 1000)
        self._fault_limit = fault_limit

    def claim(self, owner: str, *, idle: bool = True) -> Claim | None:
        """Take one step that nobody holds, of the account that has the fewest held, oldest first.
        None when nothing is due, or when a suspect step is and its worker is not `idle`."""
        busy: set[str] = set()
        wait = False
        for _ in range(_TRIES):
            with self._database.reading() as connection:
                due = connection.execute(self._due, {"without": list(busy)}).first()
            if due is None and busy:
                # Only accounts that others are claiming for have work: that takes moments.
                busy, wait = set(), True
                continue
            if due is None or (due.suspect and not idle):
                return None
            claim = self._claim_of(due.account_id, owner, idle=idle, wait=wait)
            if claim is not None:
                return claim
            busy.add(due.account_id)
        return None

    def _claim_of(self, account_id: str, owner: str, *, idle: bool, wait: bool) -> Claim | None:
        """Take the account's next step. None when others have taken all meanwhile; or, unless we
        `wait` for it, when somebody else is claiming for the account."""
        with self._database.transaction() as connection:
            # One claim of an account at a time: its limit holds, and no two get the same step.
            one = accounts.c.id == account_id
            if wait:
                hold(connection, accounts, one)
            elif not hold_if_free(connection, accounts, one):
                return None
            due = connection.execute(self._due_of_one, {"account": account_id}).first()
            if due is None or (due.suspect and not idle):
                return None
            member = None if due.member is None else MemberKind(due.member)
            lease = Lease(
                step=Step(due.step),
                export_id=due.export_id,
                account_id=due.account_id,
                owner=owner,
                attempt=due.attempt + 1,
                member=member,
                position=due.position,
            )
            table, place = _place(lease)
            if not hold_if_free(connection, table, place, table.c.attempt == due.attempt):
                return None
            if lease.step is Step.PLAN and self._reach.home_id is not None:
                place_account(connection, account_id, self._reach.home_id)
            # Whoever ends its work, or gives it back, takes its name off the lease.
            abandoned = case((table.c.lease_owner.is_not(None), 1), else_=0)
            takeovers: int = connection.execute(
                update(table)
                .where(place)
                .values(
                    lease_owner=owner,
                    lease_until_ms=now_ms() + self._lease_ms,
                    attempt=lease.attempt,
                    takeovers=table.c.takeovers + abandoned,
                )
                .returning(table.c.takeovers)
            ).scalar_one()
            export = connection.execute(select(exports).where(exports.c.id == due.export_id)).one()
            found = None
            if member is not None:
                found = connection.execute(select(slices).where(place)).one()
        return Claim(
            lease=lease,
            export=export_of(export),
            plan=None if export.plan is None else _plan.validate_json(export.plan),
            slice_plan=None if found is None else slice_plan_of(found),
            takeovers=takeovers,
            taken_over=due.dead_owner is not None,
            suspect=bool(due.suspect),
        )

    def beat(self, live_rows: Mapping[Lease, int]) -> set[Lease]:
        """Renew these leases and show the rows rendered so far; returns those that are lost."""
        lost = set()
        until = now_ms() + self._lease_ms
        with self._database.transaction() as connection:
            ids = {lease.export_id for lease in live_rows}
            hold(connection, exports, exports.c.id.in_(ids))
            for lease in live_rows:
                if not _renewed(connection, lease, lease_until_ms=until):
                    lost.add(lease)
            for export_id in {lease.export_id for lease in live_rows.keys() - lost}:
                live = sum(
                    rows for lease, rows in live_rows.items() if lease.export_id == export_id
                )
                _show_progress(connection, export_id, live)
        return lost

    def planned(
        self,
        lease: Lease,
        plan: ExportPlan,
        parts: tuple[SlicePlan, ...],
        *,
        shown_as: ExportStatus = ExportStatus.IN_PROGRESS,
    ) -> None:
        """Record the plan with its slices; from now on the export is in progress. What will be
        finished in a moment can be `shown_as` queued until then."""
        with self._database.transaction() as connection:
            _expect(
                connection,
                lease,
                plan=_plan.dump_json(plan).decode(),
                work_level=WORK_LEVEL,
                portable=plan.unload is not None,
                status=shown_as.value,
                total=sum(part.rows for part in parts),
                step=(Step.SLICES if parts else Step.ASSEMBLE).value,
                lease_owner=None,
                lease_until_ms=0,
                faults=0,
                takeovers=0,
            )
            if parts:
                connection.execute(
                    insert(slices), [slice_plan_values(lease.export_id, part) for part in parts]
                )

    def unloaded(self, lease: Lease, folder: str) -> None:
        """Record the unload of a slice: it is due again, also to those who do not reach its
        account's store."""
        with self._database.transaction() as connection:
            _expect(
                connection,
                lease,
                unload=folder,
                lease_owner=None,
                lease_until_ms=0,
                faults=0,
                takeovers=0,
            )

    def rendered(self, lease: Lease, facts: SliceFacts) -> None:
        """Record a slice; the last one makes assembly due."""
        with self._database.transaction() as connection:
            # One report of an export at a time, or two last slices would each miss the other.
            hold(connection, exports, exports.c.id == lease.export_id)
            _expect(
                connection,
                lease,
                **slice_facts_values(facts),
                lease_owner=None,
                lease_until_ms=0,
            )
            _show_progress(connection, lease.export_id, 0)
            missing = select(slices.c.position).where(
                slices.c.export_id == lease.export_id, slices.c.crc32.is_(None)
            )
            if connection.execute(missing.limit(1)).first() is None:
                connection.execute(
                    update(exports)
                    .where(exports.c.id == lease.export_id)
                    .values(step=Step.ASSEMBLE.value, takeovers=0)
                )

    def finished(self, lease: Lease, archive: ArchiveFacts, manifest: str) -> None:
        """Publish: status, rows, bytes, digest, manifest and the account's tally change in this one
        transaction."""
        with self._database.transaction() as connection:
            _expect(
                connection,
                lease,
                status=ExportStatus.FINISHED.value,
                progress=exports.c.total,
                finished_ms=now_ms(),
                step=None,
                archive_key=archive.key,
                archive_bytes=archive.bytes,
                archive_sha256=archive.sha256,
                lease_owner=None,
                lease_until_ms=0,
            )
            connection.execute(insert(manifests).values(export_id=lease.export_id, text=manifest))
            count_finished(connection, lease.export_id)

    def failed(
        self,
        lease: Lease,
        cause: FailureCause,
        *,
        final: bool,
        lost_slice: SlicePlan | None = None,
    ) -> bool:
        """Count a fault of the step; it is due again after a growing pause. A final one, or the
        last that is allowed, ends the export in `error`: then the answer is True.

        When assembly finds a `lost_slice`, that slice is due again before it."""
        table, place = _place(lease)
        with self._database.transaction() as connection:
            hold(connection, exports, exports.c.id == lease.export_id)
            found = connection.execute(select(table.c.faults).where(place)).scalar()
            faults = (found or 0) + 1
            pause_ms = 500 * 2**faults
            _expect(
                connection,
                lease,
                faults=faults,
                lease_owner=None,
                lease_until_ms=now_ms() + pause_ms,
            )
            over = final or faults >= self._fault_limit
            if lost_slice is not None and not over:
                _render_again(connection, lease.export_id, lost_slice)
            if over:
                connection.execute(
                    update(exports)
                    .where(exports.c.id == lease.export_id)
                    .values(
                        status=ExportStatus.ERROR.value,
                        failure=cause.value,
                        finished_ms=now_ms(),
                        step=None,
                        lease_owner=None,
                    )
                )
        return over

    def release(self, lease: Lease) -> None:
        """Give an unfinished step back; another worker may take it at once."""
        with self._database.transaction() as connection:
            _renewed(connection, lease, lease_owner=None, lease_until_ms=0)

    def abandon(self, lease: Lease) -> None:
        """Take the step from a holder that gets no further: a takeover. Its report is refused."""
        table, _ = _place(lease)
        taken = {"lease_owner": None, "lease_until_ms": 0, "takeovers": table.c.takeovers + 1}
        with self._database.transaction() as connection:
            _renewed(connection, lease, **taken)

    def release_all(self, owner: str | None = None) -> None:
        """Every lease is dead, or every lease of that one `owner`: for the new owner of a data
        directory, before it starts work. Leases keep the names of their holders, so that the next
        claim counts as a takeover."""
        with self._database.transaction() as connection:
            for table in (exports, slices):
                dead = true() if owner is None else table.c.lease_owner == owner
                connection.execute(
                    update(table).where(table.c.lease_until_ms > 0, dead).values(lease_until_ms=0)
                )

    def reported(self, lease: Lease) -> bool:
        """Whether the catalog has taken a report of this lease, and nobody claimed it since."""
        table, place = _place(lease)
        done = select(table.c.attempt).where(
            place, table.c.attempt == lease.attempt, table.c.lease_owner.is_(None)
        )
        with self._database.reading() as connection:
            return connection.execute(done).first() is not None


def _place(lease: Lease) -> tuple[Table, ColumnElement[bool]]:
    """The row that the lease stands in."""
    if lease.member is None:
        return exports, exports.c.id == lease.export_id
    return slices, and_(
        slices.c.export_id == lease.export_id,
        slices.c.member == lease.member.value,
        slices.c.position == lease.position,
    )


def _fenced(lease: Lease) -> Update:
    table, place = _place(lease)
    still_due = select(literal(1)).where(
        exports.c.id == lease.export_id, exports.c.step == lease.step.value
    )
    return update(table).where(
        place,
        table.c.attempt == lease.attempt,
        table.c.lease_owner == lease.owner,
        still_due.exists() if table is slices else exports.c.step == lease.step.value,
    )


def _renewed(connection: Connection, lease: Lease, **values: object) -> bool:
    return connection.execute(_fenced(lease).values(**values)).rowcount == 1


def _expect(connection: Connection, lease: Lease, **values: object) -> None:
    if not _renewed(connection, lease, **values):
        raise LeaseLost


def _render_again(connection: Connection, export_id: str, lost: SlicePlan) -> None:
    connection.execute(
        update(slices)
        .where(
            slices.c.export_id == export_id,
            slices.c.member == lost.member.value,
            slices.c.position == lost.index,
        )
        .values(**NOT_RENDERED)
    )
    connection.execute(
        update(exports).where(exports.c.id == export_id).values(step=Step.SLICES.value)
    )


def _show_progress(connection: Connection, export_id: str, live: int) -> None:
    recorded = select(func.coalesce(func.sum(slices.c.rows), 0)).where(
        slices.c.export_id == export_id
    )
    rows = connection.execute(recorded).scalar_one() + live
    connection.execute(
        update(exports)
        .where(exports.c.id == export_id, exports.c.progress < rows, exports.c.total >= rows)
        .values(progress=rows)
    )
