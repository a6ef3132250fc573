"""Segments, an extension: list, make, read, change, delete, members and count."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Path, Request
from starlette.responses import JSONResponse, Response

from outhaul.api.body import read_json
from outhaul.api.guard import guard
from outhaul.api.openapi import answers, json_body
from outhaul.api.paging import PageNumber, PageSize, links
from outhaul.api.resource import base_url
from outhaul.api.routes import Routes
from outhaul.api.segment_body import (
    MemberList,
    MembersAdded,
    MembersRemoved,
    SegmentBody,
    SegmentCount,
    SegmentList,
    SegmentMembers,
    SegmentResource,
    member_resource,
    read_members,
    read_segment,
    segment_resource,
)
from outhaul.api.services import Services
from outhaul.domain.account import Account, Scope
from outhaul.domain.rule_schema import RULE_SCHEMA
from outhaul.ingest.intake import Intake

_SegmentId = Annotated[str, Path(alias="segmentId")]
_Body = Annotated[Any, Depends(read_json)]


def add_segment_routes(app: FastAPI, services: Services, intake: Intake) -> None:
    """Register the calls."""
    segments = intake.segments
    reader = Depends(guard(services, Scope.SEGMENT_READ))
    contacts_reader = Depends(guard(services, Scope.SEGMENT_READ, Scope.CONTACT_READ))
    writer = Depends(guard(services, Scope.SEGMENT_WRITE))
    routes = Routes(app, "segments")

    def read_list(account: Annotated[Account, reader]) -> Response:
        found = [segment_resource(one) for one in segments.all(account.id)]
        return JSONResponse({"results": found})

    def create(account: Annotated[Account, writer], body: _Body) -> Response:
        wanted = read_segment(body)
        made = segments.create(account, wanted.name, wanted.rule)
        return JSONResponse(segment_resource(made), status_code=201)

    def rule_schema(_: Annotated[Account, reader]) -> Response:
        return JSONResponse(RULE_SCHEMA)

    def read(account: Annotated[Account, reader], segment_id: _SegmentId) -> Response:
        return JSONResponse(segment_resource(segments.get(account.id, segment_id)))

    def replace(
        account: Annotated[Account, writer], segment_id: _SegmentId, body: _Body
    ) -> Response:
        wanted = read_segment(body)
        changed = segments.replace(account, segment_id, wanted.name, wanted.rule)
        return JSONResponse(segment_resource(changed))

    def delete(account: Annotated[Account, writer], segment_id: _SegmentId) -> Response:
        segments.delete(account.id, segment_id)
        return Response(status_code=204)

    def count(account: Annotated[Account, reader], segment_id: _SegmentId) -> Response:
        return JSONResponse({"count": segments.count(account, segment_id)})

    def members(
        request: Request,
        account: Annotated[Account, contacts_reader],
        segment_id: _SegmentId,
        page: PageNumber = 1,
        page_size: PageSize = 50,
    ) -> Response:
        found, has_next = segments.members(account, segment_id, page=page, page_size=page_size)
        address = f"{base_url(services, request)}/segments/{segment_id}/members"
        return JSONResponse(
            {
                "links": links(address, page=page, page_size=page_size, has_next=has_next),
                "results": [member_resource(contact) for contact in found],
            }
        )

    def add(account: Annotated[Account, writer], segment_id: _SegmentId, body: _Body) -> Response:
        added = segments.add(account.id, segment_id, read_members(body))
        return JSONResponse({"added": added})

    def remove(
        account: Annotated[Account, writer], segment_id: _SegmentId, body: _Body
    ) -> Response:
        removed = segments.remove(account.id, segment_id, read_members(body))
        return JSONResponse({"removed": removed})

    routes.add(
        "GET",
        "/segments/",
        read_list,
        operation_id="listSegments",
        summary="List segments (scope segment:read)",
        response_model=SegmentList,
        responses=answers(401, 403, 429, 500),
    )
    routes.add(
        "POST",
        "/segments/",
        create,
        operation_id="createSegment",
        summary="Make a segment (scope segment:write)",
        status_code=201,
        response_model=SegmentResource,
        responses=answers(400, 401, 403, 413, 415, 422, 429, 500),
        openapi_extra=json_body(SegmentBody),
    )
    # Not right below /segments/, where every name is an id and has other methods.
    routes.add(
        "GET",
        "/segments/rules/schema",
        rule_schema,
        operation_id="getSegmentRuleSchema",
        summary="The JSON Schema of rules (scope segment:read)",
        response_model=dict[str, Any],
        responses=answers(401, 403, 429, 500),
    )
    routes.add(
        "GET",
        "/segments/{segmentId}",
        read,
        operation_id="getSegment",
        summary="Read a segment (scope segment:read)",
        response_model=SegmentResource,
        responses=answers(401, 403, 404, 429, 500),
    )
    routes.add(
        "PUT",
        "/segments/{segmentId}",
        replace,
        operation_id="replaceSegment",
        summary="Change a segment (scope segment:write)",
        response_model=SegmentResource,
        responses=answers(400, 401, 403, 404, 413, 415, 422, 429, 500),
        openapi_extra=json_body(SegmentBody),
    )
    routes.add(
        "DELETE",
        "/segments/{segmentId}",
        delete,
        operation_id="deleteSegment",
        summary="End a segment (scope segment:write)",
        status_code=204,
        responses={204: {"description": "Gone."}} | answers(401, 403, 404, 429, 500),
    )
    routes.add(
        "GET",
        "/segments/{segmentId}/count",
        count,
        operation_id="countSegment",
        summary="Count the contacts in a segment (scope segment:read)",
        response_model=SegmentCount,
        responses=answers(401, 403, 404, 429, 500),
    )
    routes.add(
        "GET",
        "/segments/{segmentId}/members",
        members,
        operation_id="listSegmentMembers",
        summary="List the contacts in a segment (scopes segment:read and contact:read)",
        response_model=SegmentMembers,
        responses=answers(401, 403, 404, 422, 429, 500),
    )
    for method, endpoint, verb, model in (
        ("POST", add, "add", MembersAdded),
        ("DELETE", remove, "remove", MembersRemoved),
    ):
        routes.add(
            method,
            "/segments/{segmentId}/members",
            endpoint,
            operation_id=f"{verb}SegmentMembers",
            summary=f"{verb.capitalize()} members (scope segment:write)",
            response_model=model,
            responses=answers(400, 401, 403, 404, 409, 413, 415, 422, 429, 500),
            openapi_extra=json_body(MemberList),
        )
