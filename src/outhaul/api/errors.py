"""One table from what can go wrong to status and body; nothing else at the edge picks a status."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route

from outhaul.api.violations import violations_from
from outhaul.domain.errors import (
    AccountBlocked,
    BadRequest,
    CatalogUnavailable,
    Conflict,
    Invalid,
    KeptElsewhere,
    LinkRefused,
    MadeByNewer,
    MalformedBody,
    MediaTypeRefused,
    MemoryExhausted,
    NotFinished,
    NotFound,
    OuthaulError,
    RateLimited,
    Refused,
    ScopeMissing,
    StorageError,
    Unauthenticated,
    WarehouseUnavailable,
)

_log = logging.getLogger(__name__)


class BodyTooLarge(MalformedBody):
    """The body is longer than any request of the contract can be."""


_TITLES = {
    # Pythons differ in these phrases.
    413: "Content Too Large",
    416: "Range Not Satisfiable",
    422: "Unprocessable Entity",
}


def title_of(status: int) -> str:
    """The contract's title for a status."""
    return _TITLES.get(status) or HTTPStatus(status).phrase


def problem(status: int, detail: str, **more: object) -> JSONResponse:
    """The contract's error body (section 12)."""
    body = {"status": status, "title": title_of(status), "detail": detail, **more}
    return JSONResponse(body, status_code=status)


def _own_words(error: OuthaulError) -> str:
    assert isinstance(error, BadRequest)
    return error.detail


def _not_found(error: OuthaulError) -> str:
    assert isinstance(error, NotFound)
    return f"No {error.kind} has this id."


def _scope_missing(error: OuthaulError) -> str:
    assert isinstance(error, ScopeMissing)
    return f"This API key lacks the scope {error.scope}."


@dataclass(frozen=True)
class _Answer:
    status: int
    detail: str | Callable[[OuthaulError], str] | None
    """None: the contract wants no body."""


_ANSWERS: dict[type[OuthaulError], _Answer] = {
    Unauthenticated: _Answer(401, None),
    RateLimited: _Answer(429, None),
    AccountBlocked: _Answer(403, "This account is blocked; ask the operator of this server."),
    ScopeMissing: _Answer(403, _scope_missing),
    LinkRefused: _Answer(
        403, "This link has expired or was altered; read the export again for a new one."
    ),
    MediaTypeRefused: _Answer(415, _own_words),
    BodyTooLarge: _Answer(413, _own_words),
    NotFinished: _Answer(409, _own_words),
    Conflict: _Answer(409, _own_words),
    BadRequest: _Answer(400, _own_words),
    NotFound: _Answer(404, _not_found),
    KeptElsewhere: _Answer(
        503, "The node that keeps this account's data does not answer now; ask again soon."
    ),
    CatalogUnavailable: _Answer(503, "The server's catalog is away or busy; ask again soon."),
    StorageError: _Answer(503, "The server's storage is away or full; ask again later."),
    MadeByNewer: _Answer(
        503, "A newer version of this server has made this, and it is being upgraded; ask again."
    ),
    MemoryExhausted: _Answer(503, "The server may not use that much memory now; ask again later."),
    WarehouseUnavailable: _Answer(503, "The warehouse with the data is away; ask again soon."),
}
_RETRY_AFTER_S = 5
_FAULT = _Answer(500, "The server failed to answer; its log says why.")


def answer_to(error: OuthaulError) -> Response:
    """The response for an error of ours; the nearest class in the table decides."""
    if isinstance(error, Invalid):
        violations = [
            {"name": violation.name, "path": violation.path, "reason": violation.reason}
            for violation in error.violations
        ]
        return problem(422, error.detail, validationErrors=violations)
    answer = next((_ANSWERS[kind] for kind in type(error).__mro__ if kind in _ANSWERS), _FAULT)
    if answer.detail is None:
        challenge = {"www-authenticate": "apiKey"} if answer.status == 401 else None
        return Response(status_code=answer.status, headers=challenge)
    detail = answer.detail if isinstance(answer.detail, str) else answer.detail(error)
    if isinstance(error, Refused):
        return problem(answer.status, detail, code=error.code)
    response = problem(answer.status, detail)
    if answer.status == 503:
        response.headers["retry-after"] = str(_RETRY_AFTER_S)
    return response


def add_error_answers(app: FastAPI) -> None:
    """Make every failure of the application leave in the contract's shape."""

    async def ours(_: Request, error: Exception) -> Response:
        assert isinstance(error, OuthaulError)
        response = answer_to(error)
        if response.status_code >= 500:
            _log.error("request failed", extra={"error": type(error).__name__}, exc_info=error)
        return response

    async def query_refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        violations = violations_from(error.errors(), skip=1)
        return answer_to(Invalid(violations, detail="The query is not valid."))

    async def routing_failed(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404:
            return problem(404, "There is nothing at this path.")
        if error.status_code == 405:
            response = problem(405, f"{request.method} is not possible here.")
            response.headers["allow"] = ", ".join(_methods_at(app, request))
            return response
        return problem(error.status_code, title_of(error.status_code) + ".")

    async def fault(_: Request, __: Exception) -> Response:
        assert isinstance(_FAULT.detail, str)
        return problem(_FAULT.status, _FAULT.detail)

    app.add_exception_handler(OuthaulError, ours)
    app.add_exception_handler(RequestValidationError, query_refused)
    app.add_exception_handler(HTTPException, routing_failed)
    app.add_exception_handler(Exception, fault)


def not_possible() -> Response:
    """An endpoint for a method that a path does not have, where a path with a parameter has it."""
    raise HTTPException(405)


def _methods_at(app: FastAPI, request: Request) -> list[str]:
    # The router names only the methods of the first route that has this path. A path that is
    # spelt out stands before one with a parameter, and the latter's methods are not its own.
    matching = [
        route
        for route in app.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
    ]
    own = [
        route
        for route in matching
        if route.path == matching[0].path and route.endpoint is not not_possible
    ]
    return sorted({method for route in own for method in route.methods or ()})
