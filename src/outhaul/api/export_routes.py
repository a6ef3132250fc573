"""POST, GET and DELETE of exports. What asks the catalog runs in threads."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from outhaul.api import examples
from outhaul.api.body import read_json
from outhaul.api.create_body import asked_of
from outhaul.api.guard import guard
from outhaul.api.idempotency import IDEMPOTENCY_KEY, read_idempotency_key
from outhaul.api.openapi import CREATE_BODY, answers, example, path_parameter
from outhaul.api.paging import PageNumber, PageSize, links
from outhaul.api.resource import base_url, resource_of
from outhaul.api.routes import Routes
from outhaul.api.services import Services
from outhaul.api.wire import ExportList, ExportResource
from outhaul.archive.manifest import Manifest
from outhaul.domain.account import Account, Scope
from outhaul.domain.errors import MalformedId
from outhaul.domain.ids import is_id

_PATTERN = "^[0-9a-fA-F]{24}$"
_ExportId = Annotated[str, Path(alias="exportId", json_schema_extra={"pattern": _PATTERN})]
_ID = path_parameter("exportId", pattern=_PATTERN)


def add_export_routes(app: FastAPI, services: Services) -> None:
    """Register the calls, each with and without the slash at the end."""
    exports = services.exports
    authorized_reader = guard(services, Scope.EXPORT_READ, anywhere=True)
    reader = Depends(authorized_reader)
    writer = Depends(guard(services, Scope.EXPORT_WRITE))
    remover = Depends(guard(services, Scope.EXPORT_WRITE, anywhere=True))

    def create(
        request: Request,
        account: Annotated[Account, writer],
        body: Annotated[Any, Depends(read_json)],
    ) -> Response:
        key = read_idempotency_key(request)
        asked = asked_of(services, account, body)
        export = exports.create(account, asked, idempotency_key=key)
        resource = resource_of(export, services, base_url(services, request))
        return JSONResponse(resource, status_code=201)

    async def read(request: Request, account: Account) -> Response:
        export_id = _checked(request.path_params["exportId"])
        return await run_in_threadpool(found, account, export_id, base_url(services, request))

    def found(account: Account, export_id: str, base: str) -> Response:
        return JSONResponse(resource_of(exports.get(account.id, export_id), services, base))

    def read_list(
        request: Request,
        account: Annotated[Account, reader],
        page: PageNumber = 1,
        page_size: PageSize = 50,
    ) -> Response:
        base = base_url(services, request)
        found = exports.page(account.id, page=page, page_size=page_size)

        return JSONResponse(
            {
                "links": links(
                    f"{base}/exports/", page=page, page_size=page_size, has_next=found.has_next
                ),
                "results": [resource_of(export, services, base) for export in found.results],
            }
        )

    def manifest(account: Annotated[Account, reader], export_id: _ExportId) -> Response:
        text = exports.manifest(account.id, _checked(export_id))
        return Response(text, media_type="application/json")

    def delete(account: Annotated[Account, remover], export_id: _ExportId) -> Response:
        exports.delete(account.id, _checked(export_id))
        return Response(status_code=204)

    routes = Routes(app, "exports")
    add = routes.add
    add(
        "POST",
        "/exports/",
        create,
        operation_id="createExport",
        summary="Create an export (scope export:write)",
        status_code=201,
        response_model=ExportResource,
        responses=example(201, "Queued.", examples.CREATED)
        | answers(400, 401, 403, 413, 415, 422, 429, 500),
        openapi_extra=CREATE_BODY | IDEMPOTENCY_KEY,
    )
    add(
        "GET",
        "/exports/",
        read_list,
        operation_id="listExports",
        summary="List exports, newest first (scope export:read)",
        response_model=ExportList,
        responses=example(200, "One page.", examples.PAGE) | answers(401, 403, 422, 429, 500),
    )
    routes.add_direct(
        "GET",
        "/exports/{exportId}",
        authorized_reader,
        read,
        operation_id="getExport",
        summary="Read an export (scope export:read)",
        response_model=ExportResource,
        responses=example(200, "The export.", examples.FINISHED)
        | answers(400, 401, 403, 404, 429, 500),
        openapi_extra=_ID,
    )
    add(
        "GET",
        "/exports/{exportId}/manifest",
        manifest,
        operation_id="getManifest",
        summary="Read what a finished export's file can be checked against (scope export:read)",
        response_model=Manifest,
        responses=answers(400, 401, 403, 404, 409, 429, 500),
    )
    add(
        "DELETE",
        "/exports/{exportId}",
        delete,
        operation_id="deleteExport",
        summary="Delete an export and its file, cancelling it first (scope export:write)",
        status_code=204,
        responses={204: {"description": "Gone."}} | answers(400, 401, 403, 404, 429, 500),
    )


def _checked(export_id: str) -> str:
    if not is_id(export_id.lower()):
        raise MalformedId("An export id has 24 hex digits.")
    return export_id.lower()
