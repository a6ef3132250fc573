"""POST /exports/type/data-explorer: the export of a report."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from starlette.responses import JSONResponse, Response

from outhaul.api.body import read_json
from outhaul.api.data_explorer_body import DataExplorerExport, report_asked_of
from outhaul.api.examples import DATA_EXPLORER_BODY, DATA_EXPLORER_CREATED
from outhaul.api.guard import guard
from outhaul.api.idempotency import IDEMPOTENCY_KEY, read_idempotency_key
from outhaul.api.openapi import answers, example, json_body
from outhaul.api.resource import base_url, resource_of
from outhaul.api.routes import Routes
from outhaul.api.services import Reports, Services
from outhaul.api.wire import ExportResource
from outhaul.domain.account import Account, Scope


def add_data_explorer_route(app: FastAPI, services: Services, reports: Reports) -> None:
    """Register the call."""

    def create(
        request: Request,
        account: Annotated[Account, Depends(guard(services, Scope.EXPORT_WRITE))],
        body: Annotated[Any, Depends(read_json)],
    ) -> Response:
        key = read_idempotency_key(request)
        asked = report_asked_of(reports, account, body)
        export = services.exports.create(account, asked, idempotency_key=key)
        resource = resource_of(export, services, base_url(services, request))
        return JSONResponse(resource, status_code=201)

    Routes(app, "exports").add(
        "POST",
        "/exports/type/data-explorer",
        create,
        operation_id="createDataExplorerExport",
        summary="Create an export of a report (scope export:write)",
        status_code=201,
        response_model=ExportResource,
        responses=example(201, "Queued.", DATA_EXPLORER_CREATED)
        | answers(400, 401, 403, 409, 413, 415, 422, 429, 500),
        openapi_extra=json_body(DataExplorerExport, DATA_EXPLORER_BODY) | IDEMPOTENCY_KEY,
    )
