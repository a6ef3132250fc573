"""What surrounds the contract: start page, health, OpenAPI document, interactive documentation."""

from functools import cache
from importlib import resources
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from outhaul import __version__
from outhaul.api.openapi import answers, document
from outhaul.api.resource import base_url
from outhaul.api.services import Services
from outhaul.api.wire import HealthState

_OURS = resources.files("outhaul.api") / "assets"
_SWAGGER_UI = resources.files("fastapi_swagger") / "resources"
_ASSETS = {
    "docs.js": (_OURS, "text/javascript"),
    "swagger-ui-bundle.js": (_SWAGGER_UI, "text/javascript"),
    "swagger-ui.css": (_SWAGGER_UI, "text/css"),
    "favicon-32x32.png": (_SWAGGER_UI, "image/png"),
}
_NOTHING_FROM_ELSEWHERE = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""Swagger UI sets styles inline; every script is a file of ours."""


def add_pages(app: FastAPI, services: Services) -> None:
    """Register the pages; the document is made when it is first asked for."""

    def health() -> Response:
        report = services.health()
        state = HealthState(
            status="ok" if report.healthy else "failing",
            catalog=report.catalog,
            store=report.store,
            files=report.files,
            worker=report.worker,
        )
        return JSONResponse(state.model_dump(), status_code=200 if report.healthy else 503)

    for path in ("/health", "/health/"):
        app.add_api_route(
            path,
            health,
            operation_id="getHealth",
            summary="Whether the parts that the server stands on answer",
            tags=["server"],
            response_model=HealthState,
            responses={
                **answers(500),
                503: {"model": HealthState, "description": "At least one part does not answer."},
            },
            include_in_schema=path == "/health",
        )

    @cache
    def description() -> dict[str, Any]:
        return document(app)

    def start(request: Request) -> Response:
        base = base_url(services, request)
        pages = {name: f"{base}/{name}" for name in ("docs", "openapi.json", "health")}
        return JSONResponse({"name": app.title, "version": __version__, **pages})

    def openapi() -> Response:
        return JSONResponse(description())

    def docs() -> Response:
        page = (_OURS / "docs.html").read_bytes()
        headers = {"content-security-policy": _NOTHING_FROM_ELSEWHERE}
        return Response(page, headers=headers, media_type="text/html")

    app.add_api_route("/", start, include_in_schema=False)
    app.add_api_route("/openapi.json", openapi, include_in_schema=False)
    app.add_api_route("/docs", docs, include_in_schema=False)
    for name in _ASSETS:
        _add_asset(app, name)


def _add_asset(app: FastAPI, name: str) -> None:
    folder, media_type = _ASSETS[name]

    def asset() -> Response:
        headers = {"cache-control": "public, max-age=3600", "x-content-type-options": "nosniff"}
        return Response((folder / name).read_bytes(), headers=headers, media_type=media_type)

    app.add_api_route(f"/docs/{name}", asset, include_in_schema=False)
