"""The console as one application: every page, the checks before it, the headers around it."""

from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from outhaul.console.account_pages import account_routes
from outhaul.console.assets import asset
from outhaul.console.data_pages import data_routes
from outhaul.console.error_pages import Handler, error_answers
from outhaul.console.export_pages import export_routes
from outhaul.console.field_pages import field_routes
from outhaul.console.import_pages import import_routes
from outhaul.console.links import HOME, Links
from outhaul.console.new_export_pages import new_export_routes
from outhaul.console.report_pages import report_routes
from outhaul.console.segment_pages import segment_routes
from outhaul.console.services import ConsoleServices
from outhaul.console.sessions import Sessions
from outhaul.console.shield import Shield
from outhaul.console.sign_in import sign_in_routes
from outhaul.console.visit import Door


def create_console(
    services: ConsoleServices, passing_on: Callable[[Handler], Any] = lambda handler: handler
) -> ASGIApp:
    """The application, to be mounted at `/console`. `passing_on` makes of a handler of errors one
    that has another server asked first."""
    sessions = Sessions(services.keys, services.signing_keys, life_s=services.session_minutes * 60)
    door = Door(sessions, services.audit, services.public_url, services.admit)

    def start(request: Request) -> Response:
        return RedirectResponse(Links(request, services.public_url).to(HOME), 303)

    app = Starlette(
        routes=[
            Route("/", start),
            Route("/assets/{name}", asset),
            *sign_in_routes(sessions, door, services.audit, services.public_url),
            *new_export_routes(services, door),
            *export_routes(services, door),
            *report_routes(services, door),
            *data_routes(services, door),
            *segment_routes(services, door),
            *field_routes(services, door),
            *import_routes(services, door),
            *account_routes(services, door),
        ],
        exception_handlers=error_answers(services.public_url, passing_on),
    )
    # Around all of it, because Starlette answers faults outside of its own middleware.
    return Shield(app)
