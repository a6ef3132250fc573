"""Where a contact has left traces, to tell which files of earlier exports hold it."""

from dataclasses import dataclass, replace
from datetime import datetime

from outhaul.domain.activity_types import canonical
from outhaul.domain.export import ExportRequest, ExportType, Filters
from outhaul.domain.report_parts import counted_types


@dataclass(frozen=True, kw_only=True)
class ActivityTrace:
    """An activity of the contact."""

    type: str
    created_at: datetime
    commit: int


@dataclass(frozen=True, kw_only=True)
class MembershipTrace:
    """In every snapshot s with commit_from <= s < commit_to the contact was in the segment, or the
    segment had a rule, which may have found the contact: that leaves no other trace."""

    segment_id: str
    commit_from: int
    commit_to: int


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """All that an account's store knew of a contact at the commit `snapshot`."""

    contact_id: str
    snapshot: int
    floor: int
    """Below this snapshot the store no longer knows everything."""
    first_commit: int
    activities: tuple[ActivityTrace, ...]
    memberships: tuple[MembershipTrace, ...]

    def may_be_in(self, request: ExportRequest, snapshot: int | None) -> bool:
        """Whether a file of this request, read as of `snapshot`, holds a row of the contact.

        Exact as long as the store knows; otherwise the answer is yes.
        """
        if snapshot is None or not self.floor <= snapshot <= self.snapshot:
            return True
        if self.first_commit > snapshot or not self._in_segment(request.filters, snapshot):
            return False
        if request.export_type is ExportType.CONTACTS:
            return True
        filters = request.filters
        if request.report is not None:
            # What is added up of a contact goes with it, as its rows do.
            filters = replace(filters, activity_types=counted_types(request.report))
        return any(self._selects(filters, trace, snapshot) for trace in self.activities)

    def _in_segment(self, filters: Filters, snapshot: int) -> bool:
        wanted = filters.segment_id
        return wanted is None or any(
            trace.segment_id == wanted and trace.commit_from <= snapshot < trace.commit_to
            for trace in self.memberships
        )

    def _selects(self, filters: Filters, trace: ActivityTrace, snapshot: int) -> bool:
        types = filters.activity_types
        return (
            trace.commit <= snapshot
            and (filters.from_date is None or filters.from_date <= trace.created_at)
            and (filters.to_date is None or trace.created_at <= filters.to_date)
            and (types is None or trace.type in {canonical(type_) for type_ in types})
        )
