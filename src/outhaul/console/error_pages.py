"""What somebody sees when a page cannot be shown: what happened, and what helps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from outhaul.console.links import Links
from outhaul.console.sign_in import to_sign_in
from outhaul.console.templating import render
from outhaul.domain.errors import (
    AccountBlocked,
    BadRequest,
    CatalogUnavailable,
    KeptElsewhere,
    MemoryExhausted,
    NotFinished,
    NotFound,
    OuthaulError,
    ScopeMissing,
    StorageError,
    Unauthenticated,
)

Handler = Callable[[Request, Exception], Response]


@dataclass(frozen=True, kw_only=True)
class _Told:
    status: int
    title: str
    text: str
    advice: str = ""
    command: str = ""


_FAULT = _Told(
    status=500,
    title="The server failed to answer",
    text="This is a fault of the server's own, nothing that you did. Its log says why.",
    advice="Try again in a moment. If it stays like this, tell whoever runs this server.",
)
_OF_STATUS = {
    404: _Told(
        status=404,
        title="There is nothing here",
        text="The address is not one of a page. It may have been shortened when it was copied.",
    ),
    405: _Told(
        status=405,
        title="This address is no page",
        text="It only takes what a button or a form of another page sends.",
    ),
}


def error_answers(
    public_url: str | None, passing_on: Callable[[Handler], Any]
) -> Mapping[Any, Any]:
    """By class of exception, who answers. `passing_on` has the server asked that keeps the
    account's data, or else the handler that it is given."""

    def answer(request: Request, told: _Told) -> Response:
        return render("error.html", status=told.status, links=Links(request, public_url), told=told)

    def ours(request: Request, error: Exception) -> Response:
        if isinstance(error, Unauthenticated):
            return to_sign_in(request, public_url)
        return answer(request, _of(error))

    def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        plain = _Told(
            status=error.status_code,
            title="This was not accepted",
            text=error.detail,
            advice="Go back, load the page again, and repeat what you did.",
        )
        return answer(request, _OF_STATUS.get(error.status_code, plain))

    def fault(request: Request, _: Exception) -> Response:
        return answer(request, _FAULT)

    return {
        KeptElsewhere: passing_on(ours),
        OuthaulError: ours,
        HTTPException: http,
        Exception: fault,
    }


def _of(error: Exception) -> _Told:
    match error:
        case NotFound():
            return _Told(
                status=HTTPStatus.NOT_FOUND,
                title=f"There is no such {error.kind}",
                text=f"No {error.kind} of this account has this id; it may have been deleted.",
            )
        case ScopeMissing():
            return _Told(
                status=HTTPStatus.FORBIDDEN,
                title="Your key may not do this",
                text=f"You are signed in with a key that lacks the scope {error.scope}.",
                advice="Sign in with a key that has it. Whoever runs this server makes one with:",
                command=f"outhaul keys create ACCOUNT --scope {error.scope}",
            )
        case AccountBlocked():
            return _Told(
                status=HTTPStatus.FORBIDDEN,
                title="This account is blocked",
                text="Nothing of it can be seen or changed for now.",
                advice="Ask whoever runs this server.",
            )
        case CatalogUnavailable():
            return _unavailable(
                "The catalog is away or busy",
                "The database that knows accounts and exports does not answer now.",
            )
        case KeptElsewhere():
            return _unavailable(
                "Another server has your data", "It does not answer now, or is just starting."
            )
        case StorageError():
            return _unavailable(
                "The storage is away or full", "What this page needs cannot be read or written now."
            )
        case MemoryExhausted():
            return _unavailable(
                "Not enough memory", "The server may not use as much as this page needs now."
            )
        case NotFinished():
            return _Told(status=HTTPStatus.CONFLICT, title="Not finished yet", text=error.detail)
        case BadRequest():
            return _Told(
                status=HTTPStatus.BAD_REQUEST, title="This cannot be done now", text=error.detail
            )
        case _:
            return _FAULT


def _unavailable(title: str, text: str) -> _Told:
    return _Told(
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        title=title,
        text=f"{text} Nothing was changed.",
        advice="Try again in a few seconds. If it stays like this, tell whoever runs this server.",
    )
