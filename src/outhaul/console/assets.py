"""Style sheets, scripts and pictures: files of this package, named with their digest so that a
browser may keep them for good."""

import hashlib
from functools import cache
from importlib import resources

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_FOLDER = resources.files("outhaul.console") / "assets"
_TYPES = {
    "console.css": "text/css",
    "console.js": "text/javascript",
    "charts.js": "text/javascript",
    "chooser.js": "text/javascript",
    "days.js": "text/javascript",
    "htmx.min.js": "text/javascript",
    "imports.js": "text/javascript",
    "rule_editor.js": "text/javascript",
    "usage.js": "text/javascript",
    "uPlot.iife.min.js": "text/javascript",
    "uPlot.min.css": "text/css",
    "icon.svg": "image/svg+xml",
}
_KEPT = "public, max-age=31536000, immutable"


@cache
def _content(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()


@cache
def asset_version(name: str) -> str:
    """What tells this content of the file from any other."""
    return hashlib.sha256(_content(name)).hexdigest()[:12]


def asset(request: Request) -> Response:
    """The file that the path names."""
    name = request.path_params["name"]
    if name not in _TYPES:
        raise HTTPException(404)
    current = request.query_params.get("v") == asset_version(name)
    headers = {"cache-control": _KEPT if current else "no-cache"}
    return Response(_content(name), headers=headers, media_type=_TYPES[name])
