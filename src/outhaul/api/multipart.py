"""Receiving one file and a few fields as multipart/form-data, sent with a length or in chunks."""

from collections.abc import AsyncGenerator
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from outhaul.api.errors import BodyTooLarge
from outhaul.domain.errors import MalformedBody, MediaTypeRefused

MOST_FILE_BYTES = 50_000_000
_MOST_OTHER_BYTES = 65_536
_STEP = 1 << 20


async def receive_form(request: Request, target: Path) -> dict[str, list[str]]:
    """The fields by name; the file, if one was sent under the name `file`, lies in `target`.

    Raises MediaTypeRefused, BodyTooLarge and MalformedBody.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "multipart/form-data":
        raise MediaTypeRefused("Send multipart/form-data.")
    parser = MultiPartParser(
        request.headers,
        _limited(request),
        max_files=1,
        max_fields=20,
        max_part_size=_MOST_OTHER_BYTES,
    )
    fields: dict[str, list[str]] = {}
    try:
        form = await parser.parse()
        for name, value in form.multi_items():
            if not isinstance(value, UploadFile):
                fields.setdefault(name, []).append(value)
            elif name == "file":
                await run_in_threadpool(_keep, value, target)
            else:
                fields.setdefault(name, []).append("")
    except MultiPartException:
        raise MalformedBody(
            "The body is not valid multipart/form-data with at most one file."
        ) from None
    finally:
        # The parser closes them only for faults that it finds itself.
        for file in parser._files_to_close_on_error:  # noqa: SLF001 -- there is no other way
            file.close()
    return fields


async def _limited(request: Request) -> AsyncGenerator[bytes]:
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > MOST_FILE_BYTES + _MOST_OTHER_BYTES:
            raise BodyTooLarge(f"The file is longer than {MOST_FILE_BYTES} bytes.")
        yield chunk


def _keep(file: UploadFile, target: Path) -> None:
    size = 0
    with target.open("wb") as kept:
        while block := file.file.read(_STEP):
            size += len(block)
            if size > MOST_FILE_BYTES:
                raise BodyTooLarge(f"The file is longer than {MOST_FILE_BYTES} bytes.")
            kept.write(block)
