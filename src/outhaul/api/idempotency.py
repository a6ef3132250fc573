"""The header that makes a create safe to repeat."""

import re
from typing import Any

from starlette.requests import Request

from outhaul.domain.errors import MalformedIdempotencyKey

HEADER = "Idempotency-Key"
_PATTERN = "[!-~]{1,255}"

IDEMPOTENCY_KEY: dict[str, Any] = {
    "parameters": [
        {
            "name": HEADER,
            "in": "header",
            "required": False,
            "description": "A name for this create, new for each export that is wanted (a UUID,"
            " say). Sent again within 24 hours with the same body it gives the first export;"
            " with another body 422.",
            "schema": {"type": "string", "pattern": f"^{_PATTERN}$"},
        }
    ]
}
"""For the route that reads the header itself: its errors would otherwise speak of the query."""


def read_idempotency_key(request: Request) -> str | None:
    """The caller's key exactly as sent; None without one. Raises MalformedIdempotencyKey."""
    given = request.headers.getlist(HEADER)
    if not given:
        return None
    if len(given) > 1 or re.fullmatch(_PATTERN, given[0]) is None:
        raise MalformedIdempotencyKey(
            f"{HEADER} must be sent once, with 1 to 255 visible ASCII characters and no spaces."
        )
    return given[0]
