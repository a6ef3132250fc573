"""A new export: the form, what it is estimated to be, and its start."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta

from starlette.responses import Response
from starlette.routing import Route

from outhaul.console.choosers import Chooser, Option
from outhaul.console.export_form import ExportForm, faults_of
from outhaul.console.services import ConsoleServices
from outhaul.console.visit import Door, Visit
from outhaul.console.words import COMPRESSIONS, DELIMITERS, FILE_FORMATS, MEMBERS, queue_full
from outhaul.domain.account import Account, Scope
from outhaul.domain.activity_types import ACTIVITY_TYPES
from outhaul.domain.audit import Action
from outhaul.domain.dates import format_instant
from outhaul.domain.errors import Invalid, QueueFull
from outhaul.domain.export import (
    ROWS_TYPES,
    DateFormat,
    ExportType,
    MemberKind,
    Origin,
    Version,
)
from outhaul.domain.extras import Compression, FileFormat
from outhaul.domain.instants import now
from outhaul.domain.windows import MAX_WINDOW_DAYS
from outhaul.store.counts import DayCount


class NewExportPages:
    """Handlers."""

    def __init__(self, services: ConsoleServices) -> None:
        self._exports = services.exports
        self._segments = services.intake.segments
        self._volumes = services.volumes
        self._estimate = services.estimate
        self._read = services.read_request
        self._describe = services.describe

    def form(self, visit: Visit) -> Response:
        """The empty form; a link may say the type, the segment and the commit of a cursor."""
        asked = visit.request.query_params
        type_ = next((one for one in ROWS_TYPES if one == asked.get("type")), ExportType.CONTACTS)
        form = ExportForm(
            export_type=type_.value,
            segment_id=asked.get("segment", ""),
            since=asked.get("since", ""),
        )
        return self._page(visit, form)

    def segments(self, visit: Visit) -> Response:
        """The choice of segments with their sizes; counting them takes longer than the page."""
        chosen = visit.request.query_params.get("segment", "")
        sizes = self._segments.sizes(visit.account)
        segments = self._segments.all(visit.account.id)
        return visit.page(
            "new_export_segments.html",
            everybody=self._volumes.contacts(visit.account.id),
            segments=[(one, sizes[one.id]) for one in segments if one.id in sizes],
            chosen=chosen,
        )

    def columns(self, visit: Visit) -> Response:
        """The choice of columns of the type and the version in the form; those that were chosen
        stay so where the files have them too."""
        form = ExportForm.of(visit.form)
        return visit.page("choosers.html", choosers=self._choosers(visit.account, form), faults={})

    def days(self, visit: Visit) -> Response:
        """Activities by day and type, for the chart."""
        content = json.dumps(_chart(self._volumes.days(visit.account)), separators=(",", ":"))
        return Response(content, media_type="application/json")

    def estimate(self, visit: Visit) -> Response:
        """What the export would be: rows, bytes, seconds and the first rows."""
        form = ExportForm.of(visit.form)
        try:
            request = form.request(visit.account, self._read)
        except Invalid as invalid:
            return visit.page("new_export_estimate.html", faults=faults_of(invalid), told=None)
        told = self._estimate(visit.account, request)
        return visit.page("new_export_estimate.html", faults={}, told=told, members=MEMBERS)

    def start(self, visit: Visit) -> Response:
        """Make the export and show it; or the form again, with what is wrong."""
        form = ExportForm.of(visit.form)
        try:
            request = form.request(visit.account, self._read)
            made = self._exports.create(visit.account, request, origin=Origin.APP)
        except Invalid as invalid:
            return self._page(visit, form, status=422, faults=faults_of(invalid))
        except QueueFull as full:
            return self._page(visit, form, status=400, told=queue_full(full))
        visit.record(Action.EXPORT_STARTED, made.id)
        return visit.go(f"/exports/{made.id}")

    def _page(
        self,
        visit: Visit,
        form: ExportForm,
        *,
        status: int = 200,
        faults: Mapping[str, str] | None = None,
        told: str = "",
    ) -> Response:
        segments = self._segments.all(visit.account.id) if visit.may(Scope.SEGMENT_READ) else ()
        return visit.page(
            "new_export.html",
            status=status,
            form=form,
            faults=faults or {},
            told=told,
            segments=segments,
            choosers=self._choosers(visit.account, form) if _shows_columns(form, faults) else [],
            activity_types=list(ACTIVITY_TYPES),
            versions=list(reversed(Version)),
            date_formats=_date_formats(visit.account),
            most_days=MAX_WINDOW_DAYS,
            counted=(),
            delimiters=DELIMITERS,
            formats=[(one, FILE_FORMATS.get(one, one.value)) for one in FileFormat],
            compressions=[(one, COMPRESSIONS.get(one, one.value)) for one in Compression],
        )

    def _choosers(self, account: Account, form: ExportForm) -> list[Chooser]:
        """A choice for each file; none for a type or a version that there is not."""
        if form.export_type not in ROWS_TYPES or form.version not in list(Version):
            return []
        members = self._describe(account, ExportType(form.export_type), Version(form.version))
        return [
            Chooser(
                name="product-column" if member.kind is MemberKind.PRODUCTS else "column",
                title=f"Columns of {MEMBERS[member.kind].lower()}",
                noun="column",
                options=tuple(
                    Option(id=column.id, label=column.label) for column in member.columns
                ),
                asked=form.product_columns if member.kind is MemberKind.PRODUCTS else form.columns,
                hint="None chosen means all, in the order of this list.",
            )
            for member in members
        ]


def new_export_routes(services: ConsoleServices, door: Door) -> list[Route]:
    """Where the pages are; before those of one export, which would take `new` for an id."""
    pages = NewExportPages(services)
    read, write = Scope.EXPORT_READ, Scope.EXPORT_WRITE
    return [
        Route("/exports/new", door.page(pages.form, write)),
        Route("/exports/new", door.page(pages.start, write), methods=["POST"]),
        Route("/exports/new/segments", door.page(pages.segments, write, Scope.SEGMENT_READ)),
        Route("/exports/new/columns", door.page(pages.columns, write), methods=["POST"]),
        Route("/exports/new/days", door.page(pages.days, write)),
        Route("/exports/new/estimate", door.page(pages.estimate, read), methods=["POST"]),
    ]


def _shows_columns(form: ExportForm, faults: Mapping[str, str] | None) -> bool:
    chosen = form.columns or form.product_columns
    return bool(chosen or {"column", "product-column"} & (faults or {}).keys())


def _date_formats(account: Account) -> list[tuple[DateFormat, str]]:
    """Each with the present written in it."""
    present = now()
    return [
        (one, format_instant(present, one, account.language, account.timezone))
        for one in DateFormat
    ]


def _chart(days: Sequence[DayCount]) -> dict[str, object]:
    """The first day, and per type a number for each day from there on."""
    if not days:
        return {"first": None, "types": {}}
    first, last = days[0].day, days[-1].day
    length = (last - first) // timedelta(days=1) + 1
    types: dict[str, list[int]] = {}
    for one in days:
        counts = types.setdefault(one.type, [0] * length)
        counts[(one.day - first) // timedelta(days=1)] = one.count
    return {"first": first.isoformat(), "types": types}
