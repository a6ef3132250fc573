"""How a file is offered under its name (RFC 6266), and as what."""

import re
from urllib.parse import quote

MEDIA_TYPES = {
    "zip": "application/zip",
    "gz": "application/gzip",
    "zst": "application/zstd",
}
"""By the last part of a file's name."""


def media_type(file_name: str) -> str:
    """What the file is, as its name says."""
    return MEDIA_TYPES[file_name.rpartition(".")[2]]


def content_disposition(file_name: str) -> str:
    """The header's value: plain for every client, exact for those that read `filename*`."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", file_name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"
