"""POST of custom events."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from outhaul.api.body import json_reader
from outhaul.api.guard import guard
from outhaul.api.openapi import answers, json_body
from outhaul.api.routes import Routes
from outhaul.api.services import Services
from outhaul.api.wire import Wire
from outhaul.domain.account import Account, Scope
from outhaul.domain.contact_fields import LONGEST_EXTERNAL_ID
from outhaul.domain.contact_values import plain_email
from outhaul.domain.errors import Invalid, MalformedId, Violation
from outhaul.domain.json_schema import tidy
from outhaul.ingest.contact_changes import ContactKey
from outhaul.ingest.event_service import CustomEvent
from outhaul.ingest.intake import Intake

MOST_BYTES = 512 * 1024
_LONGEST_NAME = 250
_Create = Annotated[
    bool, Query(alias="createContact", description="Whether to make the contact when missing.")
]
_Name = Annotated[str, Path(alias="event", min_length=1)]


class EventBody(BaseModel):
    """The event's fields by their ids, and the contact by one of its two keys."""

    model_config = ConfigDict(extra="allow", json_schema_extra=tidy)

    email: str | None = Field(default=None, alias="_email", examples=["ann@shop.example"])
    external_id: str | None = Field(default=None, alias="_externalId")


class EventAnswer(Wire):
    """The event was taken."""

    id: str = Field(description="The id of its activity.")


def add_event_routes(app: FastAPI, services: Services, intake: Intake) -> None:
    """Register the calls."""
    writer = Depends(guard(services, Scope.EVENT_WRITE))
    read: Callable[..., Awaitable[Any]] = json_reader(MOST_BYTES)
    routes = Routes(app, "custom events")

    def create(account: Account, body: object, create_contact: bool, **named: str) -> Response:
        name = next(iter(named.values()))
        if "\0" in name or len(name) > _LONGEST_NAME:
            raise MalformedId(f"An event is named by at most {_LONGEST_NAME} characters, no NUL.")
        key, data = _read(body)
        made = CustomEvent(
            key=key,
            id=named.get("id"),
            alias=named.get("alias"),
            data=data,
            create_contact=create_contact,
        )
        return JSONResponse({"id": intake.events.create(account.id, made)}, status_code=201)

    def by_alias(
        account: Annotated[Account, writer],
        body: Annotated[Any, Depends(read)],
        event: _Name,
        create_contact: _Create = False,
    ) -> Response:
        return create(account, body, create_contact, alias=event)

    def by_id(
        account: Annotated[Account, writer],
        body: Annotated[Any, Depends(read)],
        event: _Name,
        create_contact: _Create = False,
    ) -> Response:
        return create(account, body, create_contact, id=event)

    for word, endpoint in (("alias", by_alias), ("id", by_id)):
        routes.add(
            "POST",
            f"/custom-events/{word}/{{event}}",
            endpoint,
            operation_id=f"createCustomEventBy{word.capitalize()}",
            summary="Add a custom event of a contact (scope event:write)",
            status_code=201,
            response_model=EventAnswer,
            responses=answers(400, 401, 403, 413, 415, 422, 429, 500),
            openapi_extra=json_body(EventBody),
        )


def _read(body: object) -> tuple[ContactKey, dict[str, Any]]:
    """The contact that the body names, and the event's fields. Raises Invalid."""
    if not isinstance(body, dict):
        raise _invalid("body", "", "must be an object")
    given = [column for column in ("_email", "_externalId") if column in body]
    if len(given) != 1:
        raise _invalid(
            "_email",
            "/_email",
            "is required, or _externalId in its place; not both",
        )
    (column,) = given
    value = body[column]
    if not isinstance(value, str):
        raise _invalid(column, f"/{column}", "must be a string")
    if column == "_email":
        email = plain_email(value)
        if email is None:
            raise _invalid(column, "/_email", "must be an email address")
        value = email
    elif not 1 <= len(value) <= LONGEST_EXTERNAL_ID or "\0" in value:
        reason = f"must have 1 to {LONGEST_EXTERNAL_ID} characters, none of them NUL"
        raise _invalid(column, "/_externalId", reason)
    data = {name: value for name, value in body.items() if name not in {"_email", "_externalId"}}
    return ContactKey(column=column, value=value), data


def _invalid(name: str, path: str, reason: str) -> Invalid:
    fault = Violation(name=name, path=path, reason=reason)
    return Invalid([fault], detail="The custom event is not valid.")
