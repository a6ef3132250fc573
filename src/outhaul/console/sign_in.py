"""Signing in with an API key, and out again."""

from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from outhaul.catalog.audit import Audit
from outhaul.console.links import Links
from outhaul.console.sessions import Sessions
from outhaul.console.templating import render
from outhaul.console.visit import Door, Visit, check_origin, read_form
from outhaul.domain.audit import Action
from outhaul.domain.errors import AccountBlocked, Unauthenticated

_NOTES = {"ended": "Your session is over. Sign in again to go on.", "out": "You are signed out."}


def sign_in_routes(
    sessions: Sessions, door: Door, audit: Audit, public_url: str | None
) -> list[Route]:
    """Where one signs in and out."""

    def show(request: Request) -> Response:
        links = Links(request, public_url)
        note = _NOTES.get(request.query_params.get("note", ""))
        return _page(links, next_=request.query_params.get("next", ""), note=note)

    async def enter(request: Request) -> Response:
        check_origin(request)
        form = await read_form(request)
        return await run_in_threadpool(open_session, request, form.get("key"), form.get("next"))

    def open_session(request: Request, credentials: str, next_: str) -> Response:
        links = Links(request, public_url)
        response = RedirectResponse(links.after_sign_in(next_), HTTPStatus.SEE_OTHER)
        try:
            key = sessions.open(response, links, credentials)
        except Unauthenticated:
            fault = "This is no key of this server, or it has been revoked."
            return _page(links, next_=next_, fault=fault, status=HTTPStatus.UNAUTHORIZED)
        except AccountBlocked:
            fault = "This account is blocked; ask the operator of this server."
            return _page(links, next_=next_, fault=fault, status=HTTPStatus.FORBIDDEN)
        audit.record(key.account_id, key.id, Action.SIGNED_IN, key.id)
        return response

    def leave(visit: Visit) -> Response:
        response = visit.go("/sign-in", note="out")
        sessions.end(response, visit.links)
        return response

    return [
        Route("/sign-in", show, methods=["GET"]),
        Route("/sign-in", enter, methods=["POST"]),
        Route("/sign-out", door.page(leave), methods=["POST"]),
    ]


def to_sign_in(request: Request, public_url: str | None) -> Response:
    """Lead somebody without a session to where one is opened, and back afterwards."""
    links = Links(request, public_url)
    had_one = bool(request.cookies)
    wanted = request.url.path
    if request.url.query:
        wanted += f"?{request.url.query}"
    if request.headers.get("hx-request") == "true":
        # The page that asks is open; it is to be left for the form, and come back to.
        wanted = request.headers.get("hx-current-url", "").removeprefix(
            links.server.removesuffix(links.prefix)
        )
        address = links.to("/sign-in", note="ended", next=wanted)
        return Response(status_code=HTTPStatus.UNAUTHORIZED, headers={"hx-redirect": address})
    wanted = wanted if request.method == "GET" else ""
    address = links.to("/sign-in", note="ended" if had_one else None, next=wanted)
    return RedirectResponse(address, HTTPStatus.SEE_OTHER)


def _page(
    links: Links,
    *,
    next_: str,
    note: str | None = None,
    fault: str | None = None,
    status: int = HTTPStatus.OK,
) -> Response:
    return render("sign_in.html", status=status, links=links, next=next_, told=note, fault=fault)
