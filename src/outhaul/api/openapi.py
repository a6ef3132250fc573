"""The OpenAPI document: FastAPI's, plus what FastAPI cannot know about this edge."""

import json
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from outhaul.api.create_body import ActivitiesExport, ContactsExport
from outhaul.api.examples import ACTIVITIES_BODY, CONTACTS_BODY, ERRORS, VALIDATION_ERROR
from outhaul.api.wire import HttpError, HttpUnprocessableEntityError

_SCHEMAS = "#/components/schemas/"
_HEADERS = "#/components/headers/"
_DESCRIPTION = """\
Bulk exports of contacts and activities: create one, poll it until it is `finished`, fetch its
`fileUrl`. Every path works with and without a slash at its end. Each account may have a limited
number of unfinished exports and of requests per minute; every answer to a valid key tells what
is left. Checks happen in this order: key (401), rate (429), blocked account or scope (403), media
type (415), JSON (400, 413), all rules at once (422), unfinished exports (400, code E0301).
"""
_WITHOUT_BODY = {
    401: "No API key, a malformed one or a wrong one.",
    429: "Too many requests: wait as long as `Retry-After` says.",
}
_RATE_HEADERS = {
    "X-RateLimit-Limit": "Requests that an account may make per minute.",
    "X-RateLimit-Remaining": "Requests left.",
    "X-RateLimit-Reset": "Unix seconds when waiting is over.",
    "RateLimit-Remaining": "Requests left.",
    "RateLimit-Reset": "Seconds until waiting is over.",
    "Retry-After": "Seconds until the next request can pass.",
}

CREATE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        {"$ref": _SCHEMAS + "ContactsExport"},
                        {"$ref": _SCHEMAS + "ActivitiesExport"},
                    ],
                    "discriminator": {
                        "propertyName": "exportType",
                        "mapping": {
                            "contacts": _SCHEMAS + "ContactsExport",
                            "activities": _SCHEMAS + "ActivitiesExport",
                        },
                    },
                },
                "examples": {
                    "contacts": {"value": CONTACTS_BODY},
                    "activities": {"value": ACTIVITIES_BODY},
                },
            }
        },
    }
}
"""For the route that reads its body itself: FastAPI sees no model there."""


def json_body(model: type[BaseModel], sample: Any = None) -> dict[str, Any]:
    """The documented body of a route that reads it itself."""
    _BODIES.add(model)
    content: dict[str, Any] = {"schema": {"$ref": _SCHEMAS + model.__name__}}
    if sample is not None:
        content["example"] = sample
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def path_parameter(name: str, **schema: Any) -> dict[str, Any]:
    """The documented parameter, a string, of a route that reads its path itself."""
    schema = {"type": "string"} | schema
    return {"parameters": [{"name": name, "in": "path", "required": True, "schema": schema}]}


_BODIES: set[type[BaseModel]] = {ContactsExport, ActivitiesExport}
"""Models that FastAPI does not see, because the routes read their bodies themselves."""


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documented error answers of one route. Where the server may fail at all, it may also
    be unable to reach a part of itself: 503."""
    away = [503] if 500 in statuses else []
    return {status: _answer(status) for status in (*statuses, *away)}


def example(status: int, description: str, body: Any) -> dict[int | str, dict[str, Any]]:
    """The documented success of one route; its schema comes from the route's model."""
    return {
        status: {
            "description": description,
            "content": {"application/json": {"example": body}},
        }
    }


def document(app: FastAPI) -> dict[str, Any]:
    """The whole OpenAPI 3.1 document of the routes registered so far."""
    content = get_openapi(
        title=app.title, version=app.version, description=_DESCRIPTION, routes=app.routes
    )
    components = content["components"]
    _, bodies = models_json_schema(
        [(model, "validation") for model in _bodies_of(json.dumps(content["paths"]))],
        ref_template=_SCHEMAS + "{model}",
    )
    components["schemas"].update(bodies["$defs"])
    components["headers"] = {
        name: {"description": text, "required": True, "schema": {"type": "integer", "minimum": 0}}
        for name, text in _RATE_HEADERS.items()
    }
    for path in content["paths"].values():
        for operation in path.values():
            _drop_default_validation_error(operation["responses"])
            if "security" in operation:
                _add_rate_headers(operation["responses"])
    # FastAPI's own error shape never leaves this edge.
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    return content


def _bodies_of(paths: str) -> list[type[BaseModel]]:
    """The bodies that the paths, as JSON text, refer to: an edge need not have all routes."""
    named = (model for model in _BODIES if f'"{_SCHEMAS}{model.__name__}"' in paths)
    return sorted(named, key=lambda model: model.__name__)


def _drop_default_validation_error(responses: dict[str, dict[str, Any]]) -> None:
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]


def _answer(status: int) -> dict[str, Any]:
    if status in _WITHOUT_BODY:
        return {"description": _WITHOUT_BODY[status]}
    if status == 422:
        return {
            "model": HttpUnprocessableEntityError,
            "description": "The request was read but breaks rules; all of them are listed.",
            "content": {"application/json": {"example": VALIDATION_ERROR}},
        }
    description, body = ERRORS[status]
    return {
        "model": HttpError,
        "description": description,
        "content": {"application/json": {"example": body}},
    }


def _add_rate_headers(responses: dict[str, dict[str, Any]]) -> None:
    for status, response in responses.items():
        # Nothing is counted before the key is known; a fault may come before the count.
        if status in {"401", "500"}:
            continue
        if status == "503":
            response["headers"] = {"Retry-After": {"$ref": _HEADERS + "Retry-After"}}
            continue
        names = [name for name in _RATE_HEADERS if name != "Retry-After" or status == "429"]
        response["headers"] = {name: {"$ref": _HEADERS + name} for name in names}
