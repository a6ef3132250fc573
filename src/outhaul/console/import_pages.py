"""Imports: the list, one with what was refused, and taking a file that is dropped on the page."""

import re
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from outhaul.console.changes import unless_seen
from outhaul.console.services import ConsoleServices
from outhaul.console.visit import Door, Form, Visit
from outhaul.console.words import IMPORT_KINDS, IMPORT_STATES
from outhaul.domain.account import Scope
from outhaul.domain.audit import Action
from outhaul.domain.errors import BadRequest, NotFound
from outhaul.domain.imports import Existing, Import, ImportKind, ImportOptions, ImportStatus

MOST_FILE_BYTES = 2_000_000_000
_MOST_REFUSED_SHOWN = 100
_ENDINGS = (".csv", ".jsonl", ".ndjson", ".parquet")
_NEEDS = {
    ImportKind.CONTACTS: Scope.CONTACT_WRITE,
    ImportKind.ACTIVITIES: Scope.ACTIVITY_WRITE,
    ImportKind.SEGMENTS: Scope.SEGMENT_WRITE,
}
"""What a key needs beside `import:write`."""
_RUNNING = {ImportStatus.QUEUED, ImportStatus.IN_PROGRESS}


class ImportPages:
    """Handlers."""

    def __init__(self, services: ConsoleServices, door: Door) -> None:
        self._uploads = services.intake.uploads
        self._door = door

    def list_(self, visit: Visit) -> Response:
        """The newest imports, and where to drop a file."""
        imports = self._uploads.newest(visit.account.id)
        values: dict[str, Any] = {
            "imports": imports,
            "states": IMPORT_STATES,
            "kinds": IMPORT_KINDS,
            "kinds_open": [kind for kind, scope in _NEEDS.items() if visit.may(scope)],
            "live": any(one.status in _RUNNING for one in imports),
            "told": "The import is forgotten, with its report."
            if visit.request.query_params.get("note") == "deleted"
            else None,
            "endings": _ENDINGS,
        }
        return unless_seen(visit, "imports.html", "imports_table.html", values)

    def one(self, visit: Visit) -> Response:
        """What became of a file."""
        import_ = self._asked(visit)
        values: dict[str, Any] = {
            "import": import_,
            "state": IMPORT_STATES[import_.status],
            "kinds": IMPORT_KINDS,
            "live": import_.status in _RUNNING,
            "has_report": self._uploads.report_path(import_) is not None,
            "refused": self._uploads.refused_rows(import_, most=_MOST_REFUSED_SHOWN),
        }
        return unless_seen(visit, "import.html", "import_live.html", values)

    def report(self, visit: Visit) -> Response:
        """All refused rows as a file."""
        signed = self._uploads.report_path(self._asked(visit))
        if signed is None:
            raise NotFound("report", visit.request.path_params["id"])
        return FileResponse(
            self._uploads.open_report(signed),
            media_type="application/x-ndjson",
            filename="refused-rows.jsonl",
        )

    def delete(self, visit: Visit) -> Response:
        """Forget the import, or stop it."""
        import_ = self._asked(visit)
        self._uploads.delete(visit.account.id, import_.id)
        visit.record(Action.IMPORT_FORGOTTEN, import_.id)
        if import_.status is ImportStatus.IN_PROGRESS:
            return visit.go(f"/imports/{import_.id}")
        return visit.go("/imports", note="deleted")

    async def receive(self, request: Request) -> Response:
        """Take a file that comes as the body of the request; answers where its page is."""
        visit, kind = await run_in_threadpool(self._sender, request)
        name = request.query_params.get("name", "")
        ending = Path(name).suffix.lower()
        if ending not in _ENDINGS:
            raise BadRequest(f"The name of the file must end in {', '.join(_ENDINGS)}.")
        file = await run_in_threadpool(self._uploads.new_file, f"{kind.value}{ending}")
        try:
            await _received(request, file)
            made = await run_in_threadpool(
                self._uploads.create, visit.account.id, file, _options(request, visit), kind
            )
        except BaseException:
            await run_in_threadpool(self._uploads.discard, file)
            raise
        await run_in_threadpool(visit.record, Action.IMPORT_SENT, made.id)
        return JSONResponse({"page": visit.links.to(f"/imports/{made.id}")}, HTTPStatus.CREATED)

    def _sender(self, request: Request) -> tuple[Visit, ImportKind]:
        """Who sends what. A page sends the token of its session in a header."""
        kinds = {kind.value: kind for kind in ImportKind}
        kind = kinds.get(request.query_params.get("kind", ""))
        if kind is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        visit = self._door.visit(request, Form([]), Scope.IMPORT_WRITE, _NEEDS[kind])
        self._door.check_token(visit, request.headers.get("x-token", ""))
        return visit, kind

    def _asked(self, visit: Visit) -> Import:
        return self._uploads.get(visit.account.id, visit.asked_id("import"))


def import_routes(services: ConsoleServices, door: Door) -> list[Route]:
    """Where the pages are."""
    pages = ImportPages(services, door)
    read, write = Scope.IMPORT_READ, Scope.IMPORT_WRITE
    return [
        Route("/imports", door.page(pages.list_, read)),
        Route("/imports/file", pages.receive, methods=["POST"]),
        Route("/imports/{id}", door.page(pages.one, read)),
        Route("/imports/{id}/refused", door.page(pages.report, read)),
        Route("/imports/{id}/delete", door.page(pages.delete, write), methods=["POST"]),
    ]


def _options(request: Request, visit: Visit) -> ImportOptions:
    asked = request.query_params
    existing = {one.value: one for one in Existing}.get(asked.get("existing", ""))
    return ImportOptions(
        create_fields=asked.get("fields") == "on" and visit.may(Scope.FIELD_WRITE),
        existing=existing or Existing.OVERRIDE,
        uploaded=True,
    )


async def _received(request: Request, file: Path) -> None:
    """Write the body to the file as it comes. Raises HTTPException when it is too long."""
    announced = request.headers.get("content-length", "")
    if re.fullmatch(r"[0-9]+", announced) and int(announced) > MOST_FILE_BYTES:
        raise HTTPException(413, f"A file may have at most {MOST_FILE_BYTES:,} bytes.")
    size = 0
    with file.open("wb") as kept:
        async for chunk in request.stream():
            size += len(chunk)
            if size > MOST_FILE_BYTES:
                raise HTTPException(413, f"A file may have at most {MOST_FILE_BYTES:,} bytes.")
            await run_in_threadpool(kept.write, chunk)
