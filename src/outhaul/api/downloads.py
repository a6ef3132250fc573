"""The file behind a `fileUrl`: whoever holds the signed link may fetch it, whole or in part."""

import base64
from email.utils import format_datetime
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import Response, StreamingResponse

from outhaul.api.conditions import Unsatisfiable, byte_range, not_modified
from outhaul.api.errors import problem
from outhaul.api.examples import LINK_REFUSED
from outhaul.api.openapi import answers
from outhaul.api.services import Services, StoredFile
from outhaul.api.wire import HttpError
from outhaul.domain.file_names import MEDIA_TYPES, content_disposition, media_type

_FILE_HEADERS = {
    "ETag": "Strong; made of the file's SHA-256.",
    "Last-Modified": "When the export was finished.",
    "Accept-Ranges": "Always `bytes`.",
    "Content-Disposition": "The file's name.",
    "Repr-Digest": "SHA-256 of the whole file (RFC 9530), also on parts.",
}
_FILE = {
    "description": "The file: a ZIP, unless another compression was asked for.",
    "headers": {
        name: {"description": text, "required": True, "schema": {"type": "string"}}
        for name, text in _FILE_HEADERS.items()
    },
    "content": {
        one: {"schema": {"type": "string", "format": "binary"}} for one in MEDIA_TYPES.values()
    },
}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: _FILE,
    206: {**_FILE, "description": "The part that `Range` asked for."},
    304: {"description": "The caller's copy is still good."},
    307: {
        "description": "The file is in an object store, at the URL in `Location`.",
        "headers": {"Location": {"required": True, "schema": {"type": "string", "format": "uri"}}},
    },
    **answers(404, 416, 500),
    403: {
        "model": HttpError,
        "description": "The link has expired or was altered.",
        "content": {"application/json": {"example": LINK_REFUSED}},
    },
}


def _parameter(name: str, place: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "required": place != "header",
        "schema": {"type": "string"},
    }


_LINK_PARAMETERS = {
    "parameters": [
        *(_parameter(name, "path") for name in ("exportId", "fileName")),
        *(_parameter(name, "query") for name in ("expires", "nonce", "key", "signature")),
        *(_parameter(name, "header") for name in ("Range", "If-Range", "If-None-Match")),
    ]
}


def add_download_route(app: FastAPI, services: Services) -> None:
    """Register GET and HEAD of file links."""

    def download(request: Request) -> Response:
        path = request.scope["raw_path"].decode("latin-1").removesuffix("/")
        query = request.scope["query_string"].decode("latin-1")
        return file_response(services.exports.open_file(f"{path}?{query}"), request)

    for method in ("GET", "HEAD"):
        for slash in ("", "/"):
            app.add_api_route(
                "/files/{exportId}/{fileName}" + slash,
                download,
                methods=[method],
                operation_id=f"{method.lower()}File",
                summary="Fetch the file of a finished export; the link needs no key",
                tags=["files"],
                response_class=Response,
                responses=_RESPONSES,
                openapi_extra=_LINK_PARAMETERS,
                include_in_schema=not slash,
            )


def file_response(file: StoredFile, request: Request) -> Response:
    """200, 206, 304 or 416 for the file, as the request's conditions ask; or 307 to where it is.

    The body is streamed. When reading fails midway the exception cuts the connection: a caller
    sees fewer bytes than announced, never other bytes.
    """
    etag = f'"{file.sha256}"'
    headers = {
        "etag": etag,
        "last-modified": format_datetime(file.finished_at, usegmt=True),
        "cache-control": "private",
        "accept-ranges": "bytes",
    }
    asked = request.headers
    if not_modified(
        asked.get("if-none-match"),
        asked.get("if-modified-since"),
        etag=etag,
        modified=file.finished_at,
    ):
        return Response(status_code=304, headers=headers)
    try:
        part = byte_range(
            asked.get("range") if request.method == "GET" else None,
            asked.get("if-range"),
            etag=etag,
            modified=file.finished_at,
            size=file.bytes,
        )
    except Unsatisfiable:
        refused = problem(416, f"The file has {file.bytes} bytes.")
        refused.headers["content-range"] = f"bytes */{file.bytes}"
        return refused
    if request.method == "GET" and (link := file.link()) is not None:
        # The link opens the file to whoever has it: nobody in between is to keep it.
        return Response(status_code=307, headers={"location": link, "cache-control": "no-store"})
    start, end = part or (0, file.bytes)
    headers |= {
        "content-type": media_type(file.file_name),
        "content-disposition": content_disposition(file.file_name),
        "content-length": str(end - start),
        "repr-digest": f"sha-256=:{base64.b64encode(bytes.fromhex(file.sha256)).decode()}:",
        "x-content-type-options": "nosniff",
    }
    if part:
        headers["content-range"] = f"bytes {start}-{end - 1}/{file.bytes}"
    if request.method == "HEAD":
        return Response(headers=headers)
    return StreamingResponse(
        file.read(start, end), status_code=206 if part else 200, headers=headers
    )
