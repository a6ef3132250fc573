"""Rows of the slices table as plans and facts."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select

from outhaul.catalog.database import Database, now_ms
from outhaul.catalog.tables import slices
from outhaul.domain.export import MemberKind, RowKey, SliceFacts, SlicePlan


@dataclass(frozen=True, kw_only=True)
class SliceState:
    """A slice as it is now."""

    plan: SlicePlan
    facts: SliceFacts | None
    """None until it is rendered."""
    held: bool
    """Whether a worker is rendering it."""
    attempt: int
    """How often it has been claimed."""


class Slices:
    """The slices of an export."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recorded(self, export_id: str) -> tuple[tuple[SlicePlan, SliceFacts], ...]:
        """The rendered slices with their facts, in the order of members and positions."""
        statement = (
            select(slices)
            .where(slices.c.export_id == export_id, slices.c.crc32.is_not(None))
            .order_by(slices.c.member, slices.c.position)
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        return tuple((slice_plan_of(row), _facts(row)) for row in rows)

    def states(self, export_id: str) -> tuple[SliceState, ...]:
        """All planned slices, in the order of members and positions."""
        held = (slices.c.crc32.is_(None) & (slices.c.lease_until_ms > now_ms())).label("held")
        statement = (
            select(slices, held)
            .where(slices.c.export_id == export_id)
            .order_by(slices.c.member, slices.c.position)
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        return tuple(
            SliceState(
                plan=slice_plan_of(row),
                facts=None if row.crc32 is None else _facts(row),
                held=bool(row.held),
                attempt=row.attempt,
            )
            for row in rows
        )

    def waiting(self, export_id: str) -> tuple[int, int]:
        """How many slices of the export wait for somebody to render them: of those that were
        unloaded, and of those that were not."""
        unloaded = slices.c.unload.is_not(None)
        statement = (
            select(unloaded, func.count())
            .where(
                slices.c.export_id == export_id,
                slices.c.crc32.is_(None),
                slices.c.lease_until_ms <= now_ms(),
            )
            .group_by(unloaded)
        )
        with self._database.reading() as connection:
            counts = {bool(kind): count for kind, count in connection.execute(statement).all()}
        return counts.get(True, 0), counts.get(False, 0)


def slice_plan_of(row: "Row[tuple[object, ...]]") -> SlicePlan:
    """A plan from a row that has the columns of `slices`."""
    values = row._mapping  # noqa: SLF001 -- SQLAlchemy's public accessor, despite its name
    return SlicePlan(
        member=MemberKind(values["member"]),
        index=values["position"],
        first=RowKey(values["first_ms"], values["first_id"]),
        until=RowKey(values["until_ms"], values["until_id"]),
        rows=values["planned_rows"],
        unload=values["unload"],
    )


def slice_plan_values(export_id: str, plan: SlicePlan) -> dict[str, Any]:
    """The columns of a slice that is planned and not yet rendered."""
    return {
        "export_id": export_id,
        "member": plan.member.value,
        "position": plan.index,
        "first_ms": plan.first.created_ms,
        "first_id": plan.first.id,
        "until_ms": plan.until.created_ms,
        "until_id": plan.until.id,
        "planned_rows": plan.rows,
    }


def _facts(row: "Row[tuple[object, ...]]") -> SliceFacts:
    values = row._mapping  # noqa: SLF001 -- SQLAlchemy's public accessor, despite its name
    return SliceFacts(
        rows=values["rows"],
        text_bytes=values["text_bytes"],
        crc32=values["crc32"],
        compressed_bytes=values["compressed_bytes"],
        sha256=values["sha256"],
        key=values["file_key"],
        first=RowKey(values["first_row_ms"], values["first_row_id"]),
        last=RowKey(values["last_row_ms"], values["last_row_id"]),
        attempt=values["rendered_attempt"],
    )


def slice_facts_values(facts: SliceFacts) -> dict[str, Any]:
    """The columns that say that a slice is rendered."""
    return {
        "rows": facts.rows,
        "text_bytes": facts.text_bytes,
        "crc32": facts.crc32,
        "compressed_bytes": facts.compressed_bytes,
        "sha256": facts.sha256,
        "file_key": facts.key,
        "first_row_ms": facts.first.created_ms,
        "first_row_id": facts.first.id,
        "last_row_ms": facts.last.created_ms,
        "last_row_id": facts.last.id,
        "rendered_attempt": facts.attempt,
    }


NOT_RENDERED: dict[str, Any] = dict.fromkeys(
    (
        "rows",
        "text_bytes",
        "crc32",
        "compressed_bytes",
        "sha256",
        "file_key",
        "first_row_ms",
        "first_row_id",
        "last_row_ms",
        "last_row_id",
        "rendered_attempt",
    )
)
"""The same columns of a slice that is not, or not any more."""
