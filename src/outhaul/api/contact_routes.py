"""PATCH, GET and DELETE of contacts by email and by external id."""

from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import Depends, FastAPI, Request
from starlette.responses import JSONResponse, Response

from outhaul.api.arrivals import Arrivals
from outhaul.api.body import read_json
from outhaul.api.guard import guard
from outhaul.api.openapi import answers, json_body, path_parameter
from outhaul.api.routes import Routes
from outhaul.api.services import Services
from outhaul.api.wire import ContactBody, ContactResource
from outhaul.domain.account import Account, Scope
from outhaul.domain.contact_fields import LONGEST_EXTERNAL_ID
from outhaul.domain.contact_values import plain_email
from outhaul.domain.errors import Invalid, MalformedId, Violation
from outhaul.ingest.contact_changes import ContactKey
from outhaul.ingest.intake import Intake

_EXTERNAL = "/contacts/external-id/"
_BY_EMAIL = "/contacts/email/"


def add_contact_routes(app: FastAPI, services: Services, intake: Intake) -> None:
    """Register the calls under each of their three paths."""
    contacts = intake.contacts
    reader = Depends(guard(services, Scope.CONTACT_READ))
    authorized_writer = guard(services, Scope.CONTACT_WRITE)
    writer = Depends(authorized_writer)
    routes, arrivals = Routes(app, "contacts"), Arrivals()

    async def patch(request: Request, account: Account) -> Response:
        body = await read_json(request)
        key = _key(request)
        if not isinstance(body, dict):
            fault = Violation(name="body", path="", reason="must be an object")
            raise Invalid([fault], detail="The contact is not valid.")
        done = await arrivals.of(contacts.submit(account.id, key, body))
        return JSONResponse(done.resource, status_code=201 if done.created else 200)

    def read(request: Request, account: Annotated[Account, reader]) -> Response:
        return JSONResponse(contacts.get(account.id, _key(request)))

    def delete(request: Request, account: Annotated[Account, writer]) -> Response:
        contacts.delete(account.id, _key(request))
        return Response(status_code=204)

    def add(suffix: str, path: str, parameter: dict[str, Any]) -> None:
        made: dict[int | str, dict[str, Any]] = {
            201: {"description": "The contact was made.", "model": ContactResource}
        }
        routes.add_direct(
            "PATCH",
            path,
            authorized_writer,
            patch,
            operation_id=f"changeContact{suffix}",
            summary="Change a contact, or make it (scope contact:write)",
            response_model=ContactResource,
            responses=made | answers(400, 401, 403, 413, 415, 422, 429, 500),
            openapi_extra=json_body(ContactBody) | parameter,
        )
        routes.add(
            "GET",
            path,
            read,
            operation_id=f"getContact{suffix}",
            summary="Read a contact (scope contact:read)",
            response_model=ContactResource,
            responses=answers(400, 401, 403, 404, 429, 500),
            openapi_extra=parameter,
        )
        routes.add(
            "DELETE",
            path,
            delete,
            operation_id=f"deleteContact{suffix}",
            summary="Erase a contact, its activities and the files that hold it"
            " (scope contact:write)",
            status_code=204,
            responses={204: {"description": "Gone."}} | answers(400, 401, 403, 404, 429, 500),
            openapi_extra=parameter,
        )

    # The more special path first: an external id may look like anything, also like an email.
    external_id = path_parameter("externalId", minLength=1, examples=["shop-7"])
    email = path_parameter("email", minLength=1, examples=["ann@shop.example"])
    add("ByExternalId", f"{_EXTERNAL}{{externalId:text}}", external_id)
    add("ByEmail", f"{_BY_EMAIL}{{email}}", email)
    add("", "/contacts/{email}", email)


def _key(request: Request) -> ContactKey:
    """The contact that the path means. It is read from the path as sent, where a slash that
    belongs to an id is told from one that ends the path. Raises MalformedId."""
    raw = request.scope["raw_path"].decode("latin-1").removesuffix("/")
    root = request.scope.get("root_path", "")
    sent = raw.removeprefix(root)
    if sent.startswith(_EXTERNAL):
        value = _decoded(sent.removeprefix(_EXTERNAL))
        if not 1 <= len(value) <= LONGEST_EXTERNAL_ID:
            raise MalformedId(f"An external id has 1 to {LONGEST_EXTERNAL_ID} characters.")
        return ContactKey(column="_externalId", value=value)
    prefix = _BY_EMAIL if sent.startswith(_BY_EMAIL) else "/contacts/"
    email = plain_email(_decoded(sent.removeprefix(prefix)))
    if email is None:
        raise MalformedId("The path must name the contact by an email address.")
    return ContactKey(column="_email", value=email)


def _decoded(part: str) -> str:
    try:
        text = unquote(part, errors="strict")
    except UnicodeDecodeError:
        raise MalformedId("The path is not UTF-8.") from None
    if "\0" in text:
        raise MalformedId("The path holds a NUL character.")
    return text
