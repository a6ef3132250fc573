"""The application: every route, every error answer, the rate headers around it all."""

from fastapi import FastAPI, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp

from outhaul import __version__
from outhaul.api.audit_routes import add_audit_route
from outhaul.api.bulk_routes import add_bulk_routes
from outhaul.api.contact_routes import add_contact_routes
from outhaul.api.data_explorer_routes import add_data_explorer_route
from outhaul.api.describe_routes import add_describe_route
from outhaul.api.downloads import add_download_route
from outhaul.api.errors import add_error_answers
from outhaul.api.estimate_routes import add_estimate_route
from outhaul.api.event_routes import add_event_routes
from outhaul.api.export_routes import add_export_routes
from outhaul.api.field_routes import add_field_routes
from outhaul.api.forwarding import add_forwarding, forwarding_client
from outhaul.api.import_routes import add_import_routes
from outhaul.api.metrics_route import add_metrics_route
from outhaul.api.pages import add_pages
from outhaul.api.purchase_routes import add_purchase_routes
from outhaul.api.rate_headers import RateHeaders
from outhaul.api.report_routes import add_report_routes
from outhaul.api.resource import base_url
from outhaul.api.segment_routes import add_segment_routes
from outhaul.api.services import Services


def create_app(services: Services, console: ASGIApp | None = None) -> ASGIApp:
    """The HTTP edge over `services`, with the `console` at its path, if there is one.

    Only uvicorn with `http="h11"` brings the casing of the rate headers to the client. Keep its
    access log off: request lines hold the signatures of file links.
    """
    app = FastAPI(
        title="Outhaul",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=forwarding_client,
        # Spans and logs of requests would carry the query, and with it signatures of file links.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    add_error_answers(app)
    add_forwarding(app)
    if services.intake is not None:
        # First, because every request tries the routes in their order.
        add_contact_routes(app, services, services.intake)
    add_describe_route(app, services)
    add_estimate_route(app, services)
    add_export_routes(app, services)
    if services.reports is not None:
        add_report_routes(app, services, services.reports)
        add_data_explorer_route(app, services, services.reports)
    if services.audit is not None:
        add_audit_route(app, services, services.audit)
    if services.intake is not None:
        add_bulk_routes(app, services, services.intake)
        add_field_routes(app, services, services.intake)
        add_purchase_routes(app, services, services.intake)
        add_event_routes(app, services, services.intake)
        add_segment_routes(app, services, services.intake)
        add_import_routes(app, services, services.intake)
    add_download_route(app, services)
    add_pages(app, services)
    if services.metrics is not None:
        add_metrics_route(app, services.metrics)
    if console is not None:
        _add_console(app, services, console)
    return RateHeaders(app)


def _add_console(app: FastAPI, services: Services, console: ASGIApp) -> None:
    def start(request: Request) -> Response:
        return RedirectResponse(f"{base_url(services, request)}/console/")

    app.add_api_route("/console", start, include_in_schema=False)
    app.mount("/console", console)
