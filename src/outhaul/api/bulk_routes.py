"""POST /activities: many activities at once as JSON Lines."""

import zlib
from pathlib import Path
from typing import Annotated, Any, Protocol

import zstandard
from fastapi import Depends, FastAPI, Header, Request
from starlette.responses import JSONResponse, Response

from outhaul.api.errors import BodyTooLarge
from outhaul.api.guard import guard
from outhaul.api.openapi import answers
from outhaul.api.routes import Routes
from outhaul.api.services import Services
from outhaul.api.wire import BulkAnswer
from outhaul.domain.account import Account, Scope
from outhaul.domain.errors import MalformedBody, MediaTypeRefused
from outhaul.ingest.intake import Intake

MOST_SENT = 50_000_000
MOST_DECODED = 200_000_000
_STEP = 65_536
_WRONGLY_ENCODED = "The body is not one whole text encoded as Content-Encoding says."
_MEDIA_TYPES = ("application/x-ndjson", "application/jsonl")
_Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=200, pattern=r"^[!-~]+$"),
]
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "One JSON object a line; may be compressed, see Content-Encoding"
        " (gzip, zstd).",
        "content": {media_type: {"schema": {"type": "string"}} for media_type in _MEDIA_TYPES},
    }
}


def add_bulk_routes(app: FastAPI, services: Services, intake: Intake) -> None:
    """Register the call."""
    bulk = intake.bulk
    writer = Depends(guard(services, Scope.ACTIVITY_WRITE))

    async def body(request: Request, _: Annotated[Account, writer]) -> Path:
        decoder = _decoder(request)
        folder = bulk.new_folder()
        try:
            return await _received(request, folder / "body.jsonl", decoder)
        except BaseException:
            bulk.discard(folder)
            raise

    def create(
        account: Annotated[Account, writer],
        lines: Annotated[Path, Depends(body)],
        key: _Key = None,
    ) -> Response:
        taken = bulk.take(account.id, lines, key=key)
        return JSONResponse({"commit": taken.commit, "taken": taken.taken})

    Routes(app, "activities").add(
        "POST",
        "/activities/",
        create,
        operation_id="createActivities",
        summary="Add many activities, all or none (scope activity:write)",
        response_model=BulkAnswer,
        responses=answers(400, 401, 403, 409, 413, 415, 422, 429, 500),
        openapi_extra=_BODY,
    )


async def _received(request: Request, path: Path, decoder: "_Decoder | None") -> Path:
    """The decoded body as a file. Raises BodyTooLarge and MalformedBody."""
    sent = decoded = 0
    with path.open("wb") as file:
        async for chunk in request.stream():
            sent += len(chunk)
            # In small steps, so that a body that swells a thousandfold is stopped in time.
            for start in range(0, len(chunk), _STEP):
                step = chunk[start : start + _STEP]
                text = step if decoder is None else _decoded(decoder, step)
                decoded += len(text)
                if sent > MOST_SENT or decoded > MOST_DECODED:
                    raise BodyTooLarge(
                        f"The body is longer than {MOST_SENT} bytes, or {MOST_DECODED} decoded."
                    )
                file.write(text)
    # A body that was cut off, or that goes on behind its end, must not pass for a shorter one.
    if decoder is not None and (not decoder.eof or decoder.unused_data):
        raise MalformedBody(_WRONGLY_ENCODED)
    return path


def _decoded(decoder: "_Decoder", step: bytes) -> bytes:
    if decoder.eof:
        raise MalformedBody(_WRONGLY_ENCODED)
    try:
        return decoder.decompress(step)
    except (zlib.error, zstandard.ZstdError):
        raise MalformedBody(_WRONGLY_ENCODED) from None


def _decoder(request: Request) -> "_Decoder | None":
    """What decodes the body; None when it comes as it is. Raises MediaTypeRefused."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in _MEDIA_TYPES:
        raise MediaTypeRefused(f"Send {_MEDIA_TYPES[0]}.")
    match request.headers.get("content-encoding", "identity").strip().lower():
        case "identity":
            return None
        case "gzip":
            return zlib.decompressobj(wbits=31)
        case "zstd":
            return zstandard.ZstdDecompressor().decompressobj()
        case _:
            raise MediaTypeRefused("Send the body as it is, or encoded with gzip or zstd.")


class _Decoder(Protocol):
    """What zlib and zstandard have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...
