"""GET of `/metrics`."""

from fastapi import FastAPI, Request
from starlette.responses import Response

from outhaul.api.metrics import Metrics


def add_metrics_route(app: FastAPI, metrics: Metrics) -> None:
    """Register `GET /metrics`, without a key."""

    def scrape(request: Request) -> Response:
        body, media_type = metrics.text(request.headers.get("accept", ""))
        # Set whole, because Starlette would add a charset of its own to some.
        return Response(body, headers={"content-type": media_type})

    app.add_api_route("/metrics", scrape, include_in_schema=False)
