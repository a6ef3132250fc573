"""How a file is offered under its name (RFC 6266)."""

import re
from urllib.parse import quote


def content_disposition(file_name: str) -> str:
    """The header's value: plain for every client, exact for those that read `filename*`."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", file_name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"
