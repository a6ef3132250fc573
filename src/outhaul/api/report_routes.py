"""Reports, an extension: list, make, read, change, delete."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Path
from starlette.responses import JSONResponse, Response

from outhaul.api.body import read_json
from outhaul.api.examples import REPORT, REPORT_BODY
from outhaul.api.guard import guard
from outhaul.api.openapi import answers, example, json_body
from outhaul.api.report_body import (
    REPORT_SCHEMA,
    ReportBody,
    ReportList,
    ReportResource,
    read_report,
    report_resource,
)
from outhaul.api.routes import Routes
from outhaul.api.services import Reports, Services
from outhaul.domain.account import Account, Scope
from outhaul.domain.ids import new_id

_ReportId = Annotated[str, Path(alias="reportId")]
_Body = Annotated[Any, Depends(read_json)]


def add_report_routes(app: FastAPI, services: Services, reports: Reports) -> None:
    """Register the calls."""
    reader = Depends(guard(services, Scope.REPORT_READ))
    writer = Depends(guard(services, Scope.REPORT_WRITE))

    def read_list(account: Annotated[Account, reader]) -> Response:
        found = [report_resource(one) for one in reports.all(account.id)]
        return JSONResponse({"results": found})

    def create(account: Annotated[Account, writer], body: _Body) -> Response:
        report = read_report(body, new_id())
        reports.add(account.id, report)
        return JSONResponse(report_resource(report), status_code=201)

    def schema(_: Annotated[Account, reader]) -> Response:
        return JSONResponse(REPORT_SCHEMA)

    def read(account: Annotated[Account, reader], report_id: _ReportId) -> Response:
        return JSONResponse(report_resource(reports.get(account.id, report_id.lower())))

    def replace(account: Annotated[Account, writer], report_id: _ReportId, body: _Body) -> Response:
        report = read_report(body, report_id.lower())
        reports.replace(account.id, report)
        return JSONResponse(report_resource(report))

    def delete(account: Annotated[Account, writer], report_id: _ReportId) -> Response:
        reports.delete(account.id, report_id.lower())
        return Response(status_code=204)

    add = Routes(app, "reports").add
    add(
        "GET",
        "/reports/",
        read_list,
        operation_id="listReports",
        summary="List reports (scope report:read)",
        response_model=ReportList,
        responses=example(200, "Every report, by name.", {"results": [REPORT]})
        | answers(401, 403, 429, 500),
    )
    add(
        "POST",
        "/reports/",
        create,
        operation_id="createReport",
        summary="Make a report (scope report:write)",
        status_code=201,
        response_model=ReportResource,
        responses=example(201, "Made.", REPORT) | answers(400, 401, 403, 413, 415, 422, 429, 500),
        openapi_extra=json_body(ReportBody, REPORT_BODY),
    )
    # Not right below /reports/, where every name is an id and has other methods.
    add(
        "GET",
        "/reports/definitions/schema",
        schema,
        operation_id="getReportSchema",
        summary="The JSON Schema of reports (scope report:read)",
        response_model=dict[str, Any],
        responses=answers(401, 403, 429, 500),
    )
    add(
        "GET",
        "/reports/{reportId}",
        read,
        operation_id="getReport",
        summary="Read a report (scope report:read)",
        response_model=ReportResource,
        responses=example(200, "The report.", REPORT) | answers(401, 403, 404, 429, 500),
    )
    add(
        "PUT",
        "/reports/{reportId}",
        replace,
        operation_id="replaceReport",
        summary="Change a report (scope report:write)",
        response_model=ReportResource,
        responses=example(200, "The report as it is now.", REPORT)
        | answers(400, 401, 403, 404, 413, 415, 422, 429, 500),
        openapi_extra=json_body(ReportBody, REPORT_BODY),
    )
    add(
        "DELETE",
        "/reports/{reportId}",
        delete,
        operation_id="deleteReport",
        summary="Delete a report (scope report:write)",
        status_code=204,
        responses={204: {"description": "Gone."}} | answers(401, 403, 404, 429, 500),
    )
