"""Registering calls: each path with and without the slash at its end."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Depends, FastAPI
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, request_response

from outhaul.api.guard import AUTHORIZATION
from outhaul.domain.account import Account


class _AnyText(Convertor[str]):
    """The rest of the path, whatever it holds: Starlette's own `path` stops at a line break."""

    regex = "(?s:.+)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("text", _AnyText())


class Routes:
    """Adds the routes of one part of the API."""

    def __init__(self, app: FastAPI, tag: str) -> None:
        self._app = app
        self._tag = tag

    def add(
        self,
        method: str,
        path: str,
        endpoint: Callable[..., Response | Awaitable[Response]],
        *,
        hidden: bool = False,
        **options: Any,
    ) -> None:
        """Register `path` as documented (unless `hidden`), and its other spelling without a word
        about it."""
        for spelling in (path, path.removesuffix("/") if path.endswith("/") else path + "/"):
            self._app.add_api_route(
                spelling,
                endpoint,
                methods=[method],
                tags=[self._tag],
                include_in_schema=spelling == path and not hidden,
                **options,
            )
            _end_strictly(self._app.router.routes[-1])

    def add_direct(
        self,
        method: str,
        path: str,
        authorized: Callable[[Request, str | None], Awaitable[Account]],
        endpoint: Callable[[Request, Account], Awaitable[Response]],
        **options: Any,
    ) -> None:
        """As `add`, for a call that is made so often that most of its time would go to FastAPI's
        reading of parameters: past the guard `authorized`, the endpoint reads the request itself,
        and FastAPI only documents it."""

        async def answered(request: Request) -> Response:
            account = await authorized(request, request.headers.get("authorization"))
            return await endpoint(request, account)

        before = len(self._app.router.routes)
        documented = {"dependencies": [Depends(AUTHORIZATION)], **options}
        self.add(method, path, answered, **documented)
        for route in self._app.router.routes[before:]:
            assert isinstance(route, Route)
            route.app = request_response(answered)


def _end_strictly(route: BaseRoute) -> None:
    """Starlette's `$` lets a line break stand behind the path, which then is another path."""
    assert isinstance(route, Route)
    route.path_regex = re.compile(route.path_regex.pattern.removesuffix("$") + r"\Z")
