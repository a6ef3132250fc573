"""What the archive of an export holds: its members, their names, rows and columns."""

import json
from dataclasses import dataclass

from outhaul.domain.columns import Column
from outhaul.domain.contact_fields import by_id, definition_of
from outhaul.domain.export import (
    Export,
    ExportRequest,
    Frozen,
    MemberKind,
    Selection,
)
from outhaul.domain.extras import FileFormat
from outhaul.domain.members import file_extension, member_kinds, selected_types
from outhaul.domain.plan import ExportPlan
from outhaul.domain.report_parts import counted_types, report_columns
from outhaul.domain.reports import Report
from outhaul.domain.rule_reading import read_rule
from outhaul.domain.rules import Rule
from outhaul.domain.versions import chosen_columns, columns

_ENDINGS = {MemberKind.PRODUCTS: "-product", MemberKind.ERASED: "-erased"}
"""What tells the names of further files from that of the first."""


@dataclass(frozen=True, kw_only=True)
class MemberLayout:
    """One file of the archive."""

    name: str
    """Of the file; of the folder, where its slices are files of their own."""
    selection: Selection
    columns: tuple[Column, ...]


def layout(export: Export, plan: ExportPlan) -> tuple[MemberLayout, ...]:
    """The members in the order in which they stand in the archive."""
    request, filters = export.request, export.request.filters
    if request.report is not None:
        return (_report_layout(export, plan, request.report),)
    types = selected_types(request)
    rule = _rule(plan)
    stem = export.file_name.removesuffix(f".{file_extension(request)}")
    extras = request.extras
    ending = "" if extras.format is FileFormat.PARQUET else f".{extras.format}"
    return tuple(
        MemberLayout(
            name=f"{stem}{_ENDINGS.get(kind, '')}{ending}",
            selection=Selection(
                kind=kind,
                snapshot=plan.snapshot,
                segment_id=filters.segment_id,
                rule=rule,
                from_date=filters.from_date,
                to_date=filters.to_date,
                activity_types=types,
                changed_since=extras.changed_since,
            ),
            columns=_columns(kind, request, plan.frozen, types),
        )
        for kind in member_kinds(request)
    )


def _columns(
    kind: MemberKind, request: ExportRequest, frozen: Frozen, types: tuple[str, ...] | None
) -> tuple[Column, ...]:
    chosen = {
        MemberKind.PRODUCTS: request.extras.product_columns,
        MemberKind.ERASED: None,
    }.get(kind, request.extras.columns)
    if chosen is None:
        return columns(kind, request.version, frozen, types)
    return chosen_columns(kind, request.version, frozen, chosen)


def _report_layout(export: Export, plan: ExportPlan, report: Report) -> MemberLayout:
    return MemberLayout(
        name=f"{export.file_name.removesuffix('.zip')}.csv",
        selection=Selection(
            kind=MemberKind.REPORT,
            snapshot=plan.snapshot,
            from_date=export.request.filters.from_date,
            to_date=export.request.filters.to_date,
            activity_types=counted_types(report),
            report=report,
            timezone=plan.frozen.timezone,
        ),
        columns=report_columns(report),
    )


def _rule(plan: ExportPlan) -> Rule | None:
    if plan.segment_rule is None or plan.now is None:
        return None
    fields = by_id(definition_of(field) for field in plan.frozen.custom_fields)
    rule, _ = read_rule(
        json.loads(plan.segment_rule), fields, now=plan.now, timezone=plan.frozen.timezone
    )
    return rule
