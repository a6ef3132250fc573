"""Registering calls: each path with and without the slash at its end."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from starlette.responses import Response


class Routes:
    """Adds the routes of one part of the API."""

    def __init__(self, app: FastAPI, tag: str) -> None:
        self._app = app
        self._tag = tag

    def add(
        self,
        method: str,
        path: str,
        endpoint: Callable[..., Response],
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
