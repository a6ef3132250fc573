"""Open pages ask again and again; they get only what has changed."""

import hashlib
from typing import Any

from starlette.responses import Response

from outhaul.console.visit import Visit


def unless_seen(visit: Visit, page: str, part: str, values: dict[str, Any]) -> Response:
    """The whole page; or for one that is open its part, and 204 when it shows just that."""
    content = visit.page(part, seen="", **values).body
    seen = hashlib.sha256(content).hexdigest()[:16]
    if not visit.is_partial:
        return visit.page(page, seen=seen, **values)
    if visit.request.query_params.get("seen") == seen:
        return Response(status_code=204)
    return visit.page(part, seen=seen, **values)
