"""The list of exports, the page of one, and what can be done there."""

from typing import Any

from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from outhaul.archive.manifest import Manifest, read_manifest
from outhaul.console.changes import unless_seen
from outhaul.console.curl import curl
from outhaul.console.export_views import ExportViews, tables
from outhaul.console.paging import page_number
from outhaul.console.services import ConsoleServices
from outhaul.console.slices_picture import strips
from outhaul.console.visit import Door, Visit
from outhaul.console.words import EXPORT_TYPES, MEMBERS
from outhaul.domain.account import Scope
from outhaul.domain.audit import Action
from outhaul.domain.errors import NotFound
from outhaul.domain.export import (
    DateFormat,
    Delimiter,
    Export,
    ExportRequest,
    ExportStatus,
    ExportType,
    Version,
)

_PAGE_SIZE = 20
_FILTERS: dict[str, tuple[str, tuple[ExportStatus, ...]]] = {
    "": ("All", ()),
    "unfinished": ("Unfinished", (ExportStatus.QUEUED, ExportStatus.IN_PROGRESS)),
    "finished": ("Finished", (ExportStatus.FINISHED,)),
    "failed": ("Failed", (ExportStatus.ERROR,)),
}
_SAMPLE = ExportRequest(
    export_type=ExportType.CONTACTS,
    delimiter=Delimiter.COMMA,
    date_format=DateFormat.ISO,
    version=list(Version)[-1],
)
_NOTES = {"deleted": "The export is deleted, with its file.", "cancelled": "The export is stopped."}


class ExportPages:
    """Handlers."""

    def __init__(self, services: ConsoleServices, views: ExportViews) -> None:
        self._exports = services.exports
        self._overview = services.overview
        self._worker_alive = services.worker_alive
        self._views = views

    def list_(self, visit: Visit) -> Response:
        """The page, or only its table for a page that is open and asks whether it has changed."""
        asked = visit.request.query_params
        shown = asked.get("status", "") if asked.get("status") in _FILTERS else ""
        type_ = next((one for one in ExportType if one == asked.get("type")), None)
        number = page_number(asked.get("page", "1"))
        title, statuses = _FILTERS[shown]
        found = self._overview.page(
            visit.account.id,
            page=number,
            page_size=_PAGE_SIZE,
            statuses=statuses,
            export_type=type_,
        )
        counts = self._overview.counts(visit.account.id)
        tabs = [
            (key, word, sum(counts.get(one, 0) for one in held or ExportStatus))
            for key, (word, held) in _FILTERS.items()
        ]
        views = self._views.all(visit, found.results)
        values: dict[str, Any] = {
            "views": views,
            "tabs": tabs,
            "types": EXPORT_TYPES,
            "shown": shown,
            "shown_title": title,
            "type": "" if type_ is None else type_.value,
            "page": number,
            "has_next": found.has_next,
            "any": bool(counts),
            "live": any(not view.ended for view in views),
            "waits_for_worker": not self._worker_alive(),
            "sample": curl(_SAMPLE, visit.links.server),
            "told": _NOTES.get(asked.get("note", "")),
        }
        return unless_seen(visit, "exports.html", "exports_table.html", values)

    def one(self, visit: Visit) -> Response:
        """The page of an export, or only what changes on it."""
        export = self._asked(visit)
        view, manifest = self._views.one(visit, export), self._manifest(visit, export)
        values: dict[str, Any] = {
            "view": view,
            "strips": strips(
                self._overview.slices(visit.account.id, export.id), visit.account.timezone
            ),
            "manifest": manifest,
            "tables": tables(manifest) if manifest else (),
            "manifest_name": _manifest_name(export),
            "members": MEMBERS,
            "waits_for_worker": not view.ended and not self._worker_alive(),
        }
        return unless_seen(visit, "export.html", "export_live.html", values)

    def download(self, visit: Visit) -> Response:
        """Lead to the file by a link made now, because links expire."""
        export = self._asked(visit)
        if export.status is not ExportStatus.FINISHED:
            raise NotFound("file", export.id)
        visit.record(Action.FILE_DOWNLOADED, export.id)
        return RedirectResponse(visit.links.file(self._exports.file_path(export)), 303)

    def manifest(self, visit: Visit) -> Response:
        """The manifest as a file."""
        export = self._asked(visit)
        name = _manifest_name(export)
        return Response(
            self._exports.manifest(visit.account.id, export.id),
            headers={"content-disposition": f'attachment; filename="{name}"'},
            media_type="application/json",
        )

    def curl(self, visit: Visit) -> Response:
        """The command that asks for the same."""
        return PlainTextResponse(curl(self._asked(visit).request, visit.links.server))

    def delete(self, visit: Visit) -> Response:
        """Forget the export, stopping it first."""
        export = self._asked(visit)
        ended = export.status in {ExportStatus.FINISHED, ExportStatus.ERROR}
        self._exports.delete(visit.account.id, export.id)
        visit.record(Action.EXPORT_DELETED, export.id)
        return visit.go("/exports", note="deleted" if ended else "cancelled")

    def _asked(self, visit: Visit) -> Export:
        return self._exports.get(visit.account.id, visit.asked_id("export"))

    def _manifest(self, visit: Visit, export: Export) -> Manifest | None:
        if export.status is not ExportStatus.FINISHED:
            return None
        return read_manifest(self._exports.manifest(visit.account.id, export.id).encode())


def _manifest_name(export: Export) -> str:
    return f"{export.file_name}.manifest.json"


def export_routes(services: ConsoleServices, door: Door) -> list[Route]:
    """Where the pages are."""
    pages = ExportPages(services, ExportViews(services.intake.segments))
    read, write = Scope.EXPORT_READ, Scope.EXPORT_WRITE
    return [
        Route("/exports", door.page(pages.list_, read)),
        Route("/exports/{id}", door.page(pages.one, read)),
        Route("/exports/{id}/download", door.page(pages.download, read)),
        Route("/exports/{id}/curl", door.page(pages.curl, read)),
        Route("/exports/{id}/manifest", door.page(pages.manifest, read)),
        Route("/exports/{id}/delete", door.page(pages.delete, write), methods=["POST"]),
    ]
