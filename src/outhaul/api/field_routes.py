"""GET, POST and DELETE of contact fields."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Path
from starlette.responses import JSONResponse, Response

from outhaul.api.body import read_json
from outhaul.api.field_body import FieldBody, FieldList, FieldResource, field_resource, read_field
from outhaul.api.guard import guard
from outhaul.api.openapi import answers, json_body
from outhaul.api.routes import Routes
from outhaul.api.services import Services
from outhaul.domain.account import Account, Scope
from outhaul.ingest.intake import Intake

_FieldId = Annotated[str, Path(alias="fieldId")]


def add_field_routes(app: FastAPI, services: Services, intake: Intake) -> None:
    """Register the calls."""
    fields = intake.fields
    reader = Depends(guard(services, Scope.FIELD_READ))
    writer = Depends(guard(services, Scope.FIELD_WRITE))
    routes = Routes(app, "contact fields")

    def read_list(account: Annotated[Account, reader]) -> Response:
        return JSONResponse({"results": [field_resource(one) for one in fields.all(account.id)]})

    def read(account: Annotated[Account, reader], field_id: _FieldId) -> Response:
        return JSONResponse(field_resource(fields.get(account.id, field_id)))

    def create(
        account: Annotated[Account, writer], body: Annotated[Any, Depends(read_json)]
    ) -> Response:
        made = fields.create(account.id, read_field(body))
        return JSONResponse(field_resource(made), status_code=201)

    def delete(account: Annotated[Account, writer], field_id: _FieldId) -> Response:
        fields.delete(account.id, field_id)
        return Response(status_code=204)

    routes.add(
        "GET",
        "/contact-fields/",
        read_list,
        operation_id="listContactFields",
        summary="List contact fields (scope field:read)",
        response_model=FieldList,
        responses=answers(401, 403, 429, 500),
    )
    routes.add(
        "POST",
        "/contact-fields/",
        create,
        operation_id="createContactField",
        summary="Add a contact field (scope field:write)",
        status_code=201,
        response_model=FieldResource,
        responses=answers(400, 401, 403, 409, 413, 415, 422, 429, 500),
        openapi_extra=json_body(FieldBody),
    )
    routes.add(
        "GET",
        "/contact-fields/{fieldId}",
        read,
        operation_id="getContactField",
        summary="Read a contact field (scope field:read)",
        response_model=FieldResource,
        responses=answers(401, 403, 404, 429, 500),
    )
    routes.add(
        "DELETE",
        "/contact-fields/{fieldId}",
        delete,
        operation_id="deleteContactField",
        summary="End a contact field (scope field:write)",
        status_code=204,
        responses={204: {"description": "Gone."}} | answers(401, 403, 404, 409, 429, 500),
    )
