"""Which step of which export is to be done next."""

from enum import StrEnum

from sqlalchemy import Table, and_, bindparam, false, func, null, or_, select, true, union_all

from outhaul.catalog.database import now_ms
from outhaul.catalog.homes import EVERYTHING, Reach
from outhaul.catalog.tables import erasures, exports, slices
from outhaul.domain.level import WORK_LEVEL


class Step(StrEnum):
    """What is due on an export."""

    PLAN = "plan"
    SLICES = "slices"
    ASSEMBLE = "assemble"


def _suspect(table: Table):  # type: ignore[no-untyped-def]  # a labelled condition
    """Whether a second worker has now died on the step, or on another that it had in hand."""
    return and_(table.c.lease_owner.is_not(None), table.c.takeovers >= 1).label("suspect")


def due_step(  # type: ignore[no-untyped-def]  # a Select over a union; no type says more
    *, one_account: bool, reach: Reach = EVERYTHING, account_limit: int | None = None
):
    """The due step that nobody holds now: of the account with the fewest steps in hand, so that no
    backlog holds up others; there the oldest export, in the file's order, slices that were not
    unloaded first, since others can do the rest. Only steps that a process with this `reach` can
    do, made at no higher WORK_LEVEL, and none of accounts that have `account_limit` in hand. A step
    that is suspected of killing its workers comes first: it is to be done alone.

    Takes the parameter `account`, where the steps of `one_account` are meant, or else `without`, a
    list of accounts to be left out. It is asked again and again: build it once.
    """
    now = now_ms()
    if one_account:
        ours = exports.c.account_id == bindparam("account")
    else:
        ours = exports.c.account_id.not_in(bindparam("without", expanding=True))
    known = exports.c.work_level <= WORK_LEVEL
    in_reach = reach.covers(exports.c.account_id)
    steps = select(
        exports.c.id.label("export_id"),
        exports.c.account_id,
        exports.c.created_ms,
        exports.c.step,
        null().label("member"),
        null().label("position"),
        false().label("unloaded"),
        exports.c.attempt,
        exports.c.lease_owner.label("dead_owner"),
        _suspect(exports),
    ).where(
        ours,
        known,
        # Assembly needs the slices alone.
        or_(
            exports.c.step == Step.ASSEMBLE.value, and_(exports.c.step == Step.PLAN.value, in_reach)
        ),
        exports.c.lease_until_ms <= now,
        # A plan made now would count rows that are about to be erased.
        ~select(erasures.c.id)
        .where(erasures.c.account_id == exports.c.account_id, erasures.c.erased_ms.is_(None))
        .exists(),
    )
    parts = (
        select(
            exports.c.id.label("export_id"),
            exports.c.account_id,
            exports.c.created_ms,
            exports.c.step,
            slices.c.member,
            slices.c.position,
            slices.c.unload.is_not(None).label("unloaded"),
            slices.c.attempt,
            slices.c.lease_owner.label("dead_owner"),
            _suspect(slices),
        )
        .join(exports, exports.c.id == slices.c.export_id)
        .where(
            ours,
            known,
            exports.c.step == Step.SLICES.value,
            slices.c.crc32.is_(None),
            slices.c.lease_until_ms <= now,
            or_(exports.c.portable, slices.c.unload.is_not(None), in_reach),
        )
    )
    due = union_all(steps, parts).subquery("due")
    held = (
        union_all(
            select(exports.c.account_id).where(
                ours,
                exports.c.step.is_not(None),
                exports.c.lease_until_ms > now,
                exports.c.lease_owner.is_not(None),
            ),
            select(exports.c.account_id)
            .join(slices, exports.c.id == slices.c.export_id)
            .where(
                ours,
                slices.c.crc32.is_(None),
                slices.c.lease_until_ms > now,
                slices.c.lease_owner.is_not(None),
            ),
        )
    ).subquery("held")
    load = (
        select(held.c.account_id, func.count().label("steps"))
        .group_by(held.c.account_id)
        .subquery("load")
    )
    in_hand = func.coalesce(load.c.steps, 0)
    return (
        select(due)
        .outerjoin(load, load.c.account_id == due.c.account_id)
        .where(true() if account_limit is None else in_hand < account_limit)
        .order_by(
            due.c.suspect.desc(),
            in_hand,
            due.c.created_ms,
            due.c.export_id,
            due.c.unloaded,
            due.c.member,
            due.c.position,
        )
        .limit(1)
    )
