"""Reports: saved definitions of what activities add up to, and exports of them."""

from collections.abc import Mapping

from starlette.responses import Response
from starlette.routing import Route

from outhaul.console.export_form import faults_of
from outhaul.console.report_form import MOST_DAYS, ReportExportForm, ReportForm
from outhaul.console.services import ConsoleServices
from outhaul.console.visit import Door, Visit
from outhaul.console.words import DELIMITERS, queue_full
from outhaul.domain.account import Scope
from outhaul.domain.activity_types import ACTIVITY_TYPES
from outhaul.domain.audit import Action
from outhaul.domain.errors import Conflict, Invalid, QueueFull
from outhaul.domain.export import Origin
from outhaul.domain.ids import new_id
from outhaul.domain.report_parts import counted_types
from outhaul.domain.reports import Report

_NOTES = {"saved": "The report is saved.", "deleted": "The report is deleted."}
_PATTERNS = {
    "sales": ReportForm(
        name="Sales a day",
        dimensions=("date",),
        metrics=("numberOfPurchases", "totalPurchaseAmount", "numberOfBuyers"),
    ),
    "emails": ReportForm(
        name="Emails by content",
        dimensions=("emailName",),
        metrics=(
            "numberOfEmailsSent",
            "numberOfEmailsOpened",
            "numberOfEmailLinksClicked",
            "numberOfEmailUnsubscriptions",
        ),
    ),
    "hours": ReportForm(
        name="Visits by weekday and hour",
        dimensions=("weekday", "hour"),
        metrics=("numberOfPageVisits", "numberOfContacts"),
    ),
}
"""Filled-in forms for who makes a first report."""


class ReportPages:
    """Handlers."""

    def __init__(self, services: ConsoleServices) -> None:
        self._reports = services.reports
        self._exports = services.exports
        self._read = services.read_report
        self._read_request = services.read_report_request

    def list_(self, visit: Visit) -> Response:
        """Every report."""
        return visit.page(
            "reports.html",
            reports=self._reports.all(visit.account.id),
            patterns=_PATTERNS,
            told=_NOTES.get(visit.request.query_params.get("note", "")),
        )

    def new(self, visit: Visit) -> Response:
        """The form of a new report, empty or as a link says."""
        pattern = visit.request.query_params.get("like", "")
        return self._page(visit, None, _PATTERNS.get(pattern, ReportForm()))

    def one(self, visit: Visit) -> Response:
        """The form of a report that is there."""
        report = self._asked(visit)
        return self._page(visit, report, ReportForm.showing(report))

    def create(self, visit: Visit) -> Response:
        """Make it, or show the form again with what is wrong."""
        return self._saved(visit, None)

    def change(self, visit: Visit) -> Response:
        """Change it, or show the form again with what is wrong."""
        return self._saved(visit, self._asked(visit))

    def delete(self, visit: Visit) -> Response:
        """Delete the report; exports of it stay."""
        report = self._asked(visit)
        self._reports.delete(visit.account.id, report.id)
        visit.record(Action.REPORT_DELETED, report.id)
        return visit.go("/reports", note="deleted")

    def days(self, visit: Visit) -> Response:
        """The form that exports the report."""
        return self._export_page(visit, self._asked(visit), ReportExportForm(), {})

    def export(self, visit: Visit) -> Response:
        """Make the export and show it; or the form again, with what is wrong."""
        report, form = self._asked(visit), ReportExportForm.of(visit.form)
        try:
            request = form.request(visit.account, report.id, self._read_request)
            made = self._exports.create(visit.account, request, origin=Origin.APP)
        except Invalid as invalid:
            return self._export_page(visit, report, form, faults_of(invalid), 422)
        except QueueFull as full:
            return self._export_page(visit, report, form, {}, 400, told=queue_full(full))
        except Conflict as conflict:
            return self._export_page(visit, report, form, {}, 409, told=conflict.detail)
        visit.record(Action.EXPORT_STARTED, made.id)
        return visit.go(f"/exports/{made.id}")

    def _saved(self, visit: Visit, held: Report | None) -> Response:
        form = ReportForm.of(visit.form)
        try:
            report = form.report(new_id() if held is None else held.id, self._read)
        except Invalid as invalid:
            return self._page(visit, held, form, faults_of(invalid), 422)
        keep = self._reports.add if held is None else self._reports.replace
        keep(visit.account.id, report)
        visit.record(Action.REPORT_SAVED, report.id)
        return visit.go("/reports", note="saved")

    def _page(
        self,
        visit: Visit,
        report: Report | None,
        form: ReportForm,
        faults: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        return visit.page(
            "report.html",
            status=status,
            report=report,
            form=form,
            faults=faults or {},
            choosers=form.choosers,
            activity_types=list(ACTIVITY_TYPES),
        )

    def _export_page(
        self,
        visit: Visit,
        report: Report,
        form: ReportExportForm,
        faults: Mapping[str, str],
        status: int = 200,
        told: str = "",
    ) -> Response:
        return visit.page(
            "report_export.html",
            status=status,
            report=report,
            form=form,
            faults=faults,
            told=told,
            delimiters=DELIMITERS,
            most_days=MOST_DAYS,
            counted=counted_types(report),
        )

    def _asked(self, visit: Visit) -> Report:
        return self._reports.get(visit.account.id, visit.asked_id("report"))


def report_routes(services: ConsoleServices, door: Door) -> list[Route]:
    """Where the pages are."""
    pages = ReportPages(services)
    read, write, export = Scope.REPORT_READ, Scope.REPORT_WRITE, Scope.EXPORT_WRITE
    return [
        Route("/reports", door.page(pages.list_, read)),
        Route("/reports", door.page(pages.create, write), methods=["POST"]),
        Route("/reports/new", door.page(pages.new, write)),
        Route("/reports/{id}", door.page(pages.one, read)),
        Route("/reports/{id}", door.page(pages.change, write), methods=["POST"]),
        Route("/reports/{id}/delete", door.page(pages.delete, write), methods=["POST"]),
        Route("/reports/{id}/export", door.page(pages.days, read, export)),
        Route("/reports/{id}/export", door.page(pages.export, read, export), methods=["POST"]),
    ]
