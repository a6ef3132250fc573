"""Which step of which export is to be done next."""

from enum import StrEnum

from sqlalchemy import Table, and_, func, null, select, union_all

from outhaul.catalog.tables import erasures, exports, slices


class Step(StrEnum):
    """What is due on an export."""

    PLAN = "plan"
    SLICES = "slices"
    ASSEMBLE = "assemble"


def _suspect(table: Table):  # type: ignore[no-untyped-def]  # a labelled condition
    """Whether a second worker has now died on the step, or on another that it had in hand."""
    return and_(table.c.lease_owner.is_not(None), table.c.takeovers >= 1).label("suspect")


def due_step(now: int):  # type: ignore[no-untyped-def]  # a Select over a union; no type says more
    """The due step that nobody holds at `now` (ms): of the account with the fewest steps in hand,
    so that no backlog holds up others; there the oldest export, in the file's order. A step that is
    suspected of killing its workers comes first: it is to be done alone."""
    steps = select(
        exports.c.id.label("export_id"),
        exports.c.account_id,
        exports.c.created_ms,
        exports.c.step,
        null().label("member"),
        null().label("position"),
        exports.c.attempt,
        _suspect(exports),
    ).where(
        exports.c.step.in_([Step.PLAN.value, Step.ASSEMBLE.value]),
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
            slices.c.attempt,
            _suspect(slices),
        )
        .join(exports, exports.c.id == slices.c.export_id)
        .where(
            exports.c.step == Step.SLICES.value,
            slices.c.crc32.is_(None),
            slices.c.lease_until_ms <= now,
        )
    )
    due = union_all(steps, parts).subquery("due")
    held = (
        union_all(
            select(exports.c.account_id).where(
                exports.c.lease_until_ms > now, exports.c.lease_owner.is_not(None)
            ),
            select(exports.c.account_id)
            .join(slices, exports.c.id == slices.c.export_id)
            .where(slices.c.lease_until_ms > now, slices.c.lease_owner.is_not(None)),
        )
    ).subquery("held")
    load = (
        select(func.count())
        .select_from(held)
        .where(held.c.account_id == due.c.account_id)
        .correlate(due)
        .scalar_subquery()
    )
    return (
        select(due)
        .order_by(
            due.c.suspect.desc(),
            load,
            due.c.created_ms,
            due.c.export_id,
            due.c.member,
            due.c.position,
        )
        .limit(1)
    )
