"""What the catalog tells those who watch exports."""

from outhaul.catalog.database import Database
from outhaul.catalog.exports import Exports
from outhaul.catalog.leases import Leases
from outhaul.catalog.slices import Slices
from outhaul.domain.account import Account
from outhaul.domain.errors import FailureCause
from outhaul.domain.export import (
    DateFormat,
    Delimiter,
    Export,
    ExportRequest,
    ExportStatus,
    ExportType,
    Frozen,
    MemberKind,
    Origin,
    RowKey,
    SlicePlan,
)
from outhaul.domain.plan import ExportPlan


def an_export(database: Database, account: Account, type_: ExportType) -> Export:
    request = ExportRequest(
        export_type=type_, delimiter=Delimiter.COMMA, date_format=DateFormat.ISO
    )
    return Exports(database).create(account.id, request, origin=Origin.APP, queue_limit=9)


def test_a_list_is_narrowed_by_status_and_type(database: Database, account: Account) -> None:
    """And the counts are those of the whole list."""
    exports = Exports(database)
    failed = an_export(database, account, ExportType.ACTIVITIES)
    leases = Leases(database, lease_s=60, fault_limit=1)
    claim = leases.claim("one")
    assert claim is not None
    leases.failed(claim.lease, FailureCause.INTERNAL, final=True)
    waiting = an_export(database, account, ExportType.CONTACTS)

    def ids(*statuses: ExportStatus, type_: ExportType | None = None) -> list[str]:
        page = exports.page(account.id, page=1, page_size=10, statuses=statuses, export_type=type_)
        return [export.id for export in page.results]

    assert ids() == [waiting.id, failed.id]
    assert ids(ExportStatus.ERROR) == [failed.id]
    assert ids(ExportStatus.QUEUED, ExportStatus.ERROR) == [waiting.id, failed.id]
    assert ids(type_=ExportType.CONTACTS) == [waiting.id]
    assert ids(ExportStatus.ERROR, type_=ExportType.CONTACTS) == []
    assert exports.counts(account.id) == {ExportStatus.QUEUED: 1, ExportStatus.ERROR: 1}
    assert exports.counts("0" * 24) == {}


def test_a_slice_is_held_while_its_lease_lasts(database: Database, account: Account) -> None:
    """Then it waits again, whoever held it."""
    export = an_export(database, account, ExportType.CONTACTS)
    states = Slices(database).states
    assert states(export.id) == ()
    leases = Leases(database, lease_s=60, fault_limit=3)
    plan = leases.claim("one")
    assert plan is not None
    parts = tuple(
        SlicePlan(
            member=MemberKind.CONTACTS,
            index=index,
            first=RowKey(index, ""),
            until=RowKey(index + 1, ""),
            rows=1,
        )
        for index in range(2)
    )
    frozen = Frozen.of(account, ())
    leases.planned(plan.lease, ExportPlan(snapshot=1, snapshot_at=None, frozen=frozen), parts)
    held = leases.claim("one")
    assert held is not None
    assert [state.held for state in states(export.id)] == [True, False]
    assert [state.plan for state in states(export.id)] == list(parts)
    leases.release(held.lease)
    assert [(state.held, state.attempt) for state in states(export.id)] == [(False, 1), (False, 0)]
