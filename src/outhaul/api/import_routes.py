"""POST, GET and DELETE of imports, and the report behind `errorReportFileUrl`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Request
from fastapi import Path as PathParameter
from pydantic import Field
from starlette.responses import FileResponse, JSONResponse, Response

from outhaul.api.guard import guard
from outhaul.api.multipart import receive_form
from outhaul.api.openapi import answers
from outhaul.api.resource import base_url
from outhaul.api.routes import Routes
from outhaul.api.services import Services
from outhaul.api.wire import HexId, Uri, Wire, WrittenInstant
from outhaul.domain.account import Account, Scope
from outhaul.domain.errors import Invalid, Violation
from outhaul.domain.imports import Existing, Import, ImportKind, ImportOptions, ImportStatus
from outhaul.domain.instants import to_text
from outhaul.ingest.intake import Intake

_ImportId = Annotated[str, PathParameter(alias="importId", min_length=1)]
_FIELDS = ("type", "delimiter", "overrideExisting", "updateOnlyEmptyFields")
_SWITCH = {"type": "string", "enum": ["true", "false"], "default": "false"}
_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["type", "file"],
                    "additionalProperties": False,
                    "properties": {
                        "type": {"type": "string", "enum": ["contacts"]},
                        "delimiter": {"type": "string", "enum": [",", ";"]},
                        "overrideExisting": _SWITCH,
                        "updateOnlyEmptyFields": _SWITCH,
                        "file": {
                            "type": "string",
                            "contentMediaType": "text/csv",
                            "description": "CSV in UTF-8, at most 50 MB, headed by field ids.",
                        },
                    },
                }
            }
        },
    }
}


class OptionsEcho(Wire):
    """How the file was to be taken."""

    delimiter: str | None = None
    override_existing: bool
    update_only_empty_fields: bool


class ImportResource(Wire):
    """An import: poll it until its `status` is `finished`, `error` or `cancelled`."""

    id: HexId
    type: ImportKind
    status: ImportStatus
    origin: Literal["api", "app"] = Field(description="`app`: `outhaul import` on the server.")
    total: int = Field(ge=0, description="Rows of the file; 0 until it has been read.")
    success: int = Field(ge=0, description="Rows taken; known at the end.")
    errors: int = Field(ge=0, description="Rows refused; known at the end.")
    error_report_file_url: Uri | None = Field(
        default=None, description="Refused rows and reasons as JSON Lines; needs no key, expires."
    )
    error: str | None = Field(default=None, description="Why the whole file was refused.")
    created_at: WrittenInstant
    started_at: WrittenInstant | None = None
    finished_at: WrittenInstant | None = None
    cancelled_at: WrittenInstant | None = None
    options: OptionsEcho


class ImportList(Wire):
    """The hundred newest imports, newest first."""

    results: list[ImportResource]


def add_import_routes(app: FastAPI, services: Services, intake: Intake) -> None:
    """Register the calls."""
    uploads = intake.uploads
    reader = Depends(guard(services, Scope.IMPORT_READ))
    writer = Depends(guard(services, Scope.IMPORT_WRITE))
    routes = Routes(app, "imports")

    async def received(
        request: Request, _: Annotated[Account, writer]
    ) -> tuple[Path, ImportOptions]:
        file = uploads.new_file()
        try:
            fields = await receive_form(request, file)
            return file, _options(fields, has_file=file.exists())
        except BaseException:
            uploads.discard(file)
            raise

    def create(
        request: Request,
        account: Annotated[Account, writer],
        form: Annotated[tuple[Path, ImportOptions], Depends(received)],
    ) -> Response:
        file, options = form
        try:
            made = uploads.create(account.id, file, options)
        except BaseException:
            uploads.discard(file)
            raise
        return JSONResponse(shown(request, made), status_code=201)

    def read(request: Request, account: Annotated[Account, reader], id_: _ImportId) -> Response:
        return JSONResponse(shown(request, uploads.get(account.id, id_)))

    def read_list(request: Request, account: Annotated[Account, reader]) -> Response:
        found = [shown(request, one) for one in uploads.newest(account.id)]
        return JSONResponse({"results": found})

    def delete(account: Annotated[Account, writer], id_: _ImportId) -> Response:
        uploads.delete(account.id, id_)
        return Response(status_code=204)

    def report(request: Request) -> Response:
        path = request.scope["raw_path"].decode("latin-1").removesuffix("/")
        query = request.scope["query_string"].decode("latin-1")
        return FileResponse(
            uploads.open_report(f"{path}?{query}"), media_type="application/x-ndjson"
        )

    def shown(request: Request, one: Import) -> dict[str, Any]:
        link = uploads.report_path(one)
        return _resource(one, None if link is None else base_url(services, request) + link)

    known = answers(401, 403, 404, 429, 500)
    routes.add(
        "POST",
        "/imports/",
        create,
        operation_id="createImport",
        summary="Import a file of contacts (scope import:write)",
        status_code=201,
        response_model=ImportResource,
        responses=answers(400, 401, 403, 413, 415, 422, 429, 500),
        openapi_extra=_FORM,
    )
    routes.add(
        "GET",
        "/imports/",
        read_list,
        operation_id="listImports",
        summary="List imports (scope import:read)",
        response_model=ImportList,
        responses=answers(401, 403, 429, 500),
    )
    routes.add(
        "GET",
        "/imports/{importId}",
        read,
        operation_id="getImport",
        summary="Read an import (scope import:read)",
        response_model=ImportResource,
        responses=known,
    )
    routes.add(
        "DELETE",
        "/imports/{importId}",
        delete,
        operation_id="deleteImport",
        summary="Forget an import, or stop it (scope import:write)",
        status_code=204,
        responses={204: {"description": "Gone, or stopped."}} | known,
    )
    app.add_api_route(
        "/import-reports/{importId}/{fileName}", report, methods=["GET"], include_in_schema=False
    )


def _options(fields: Mapping[str, list[str]], *, has_file: bool) -> ImportOptions:
    """The options that the form means. Raises Invalid with every violation."""
    faults = [_fault(name, "is not a known property") for name in fields if name not in _FIELDS]
    faults += [_fault(name, "must stand once") for name, all_ in fields.items() if len(all_) > 1]
    given = {name: values[0] for name, values in fields.items()}
    if given.get("type") != "contacts":
        reason = "is required" if "type" not in given else "must be contacts"
        if given.get("type") in {"products", "coupons"}:
            reason = "must be contacts; this server has neither products nor coupons"
        faults.append(_fault("type", reason))
    delimiter = given.get("delimiter")
    if delimiter not in {None, ",", ";"}:
        faults.append(_fault("delimiter", 'must be "," or ";"'))
    switches = {name: given.get(name, "false") for name in _FIELDS[2:]}
    for name, value in switches.items():
        if value not in {"true", "false"}:
            faults.append(_fault(name, "must be true or false"))
    override, fill = (value == "true" for value in switches.values())
    if fill and not override:
        faults.append(_fault("updateOnlyEmptyFields", "is only possible with overrideExisting"))
    if not has_file:
        faults.append(_fault("file", "is required"))
    if faults:
        raise Invalid(faults, detail="The import is not valid.")
    existing = Existing.FILL if fill else Existing.OVERRIDE if override else Existing.KEEP
    return ImportOptions(delimiter=delimiter, existing=existing, uploaded=True)


def _resource(one: Import, report_url: str | None) -> dict[str, Any]:
    cancelled = one.status is ImportStatus.CANCELLED
    instants = {
        "createdAt": one.created_at,
        "startedAt": one.started_at,
        "finishedAt": None if cancelled else one.ended_at,
        "cancelledAt": one.ended_at if cancelled else None,
    }
    options = {
        "delimiter": one.options.delimiter,
        "overrideExisting": one.options.existing is not Existing.KEEP,
        "updateOnlyEmptyFields": one.options.existing is Existing.FILL,
    }
    values = {
        "id": one.id,
        "type": one.kind.value,
        "status": one.status.value,
        "origin": "api" if one.options.uploaded else "app",
        "total": one.total,
        "success": one.taken or 0,
        "errors": one.refused or 0,
        "errorReportFileUrl": report_url,
        "error": one.detail,
        **{name: None if at is None else to_text(at) for name, at in instants.items()},
        "options": {name: value for name, value in options.items() if value is not None},
    }
    return {name: value for name, value in values.items() if value is not None}


def _fault(name: str, reason: str) -> Violation:
    return Violation(name=name, path=f"/{name}", reason=reason)
