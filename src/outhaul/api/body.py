"""Reading a JSON body without guessing: one media type, one size, one meaning."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

from starlette.requests import Request

from outhaul.api.errors import BodyTooLarge
from outhaul.domain.errors import MalformedBody, MediaTypeRefused

MAX_BODY_BYTES = 64 * 1024


def json_reader(most_bytes: int) -> Callable[[Request], Awaitable[Any]]:
    """A dependency that gives the parsed body, which may have so many bytes."""

    async def read(request: Request) -> Any:
        _check_media_type(request.headers.getlist("content-type"))
        raw = bytearray()
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > most_bytes:
                raise BodyTooLarge(f"The body is longer than {most_bytes} bytes.")
        return parse_json(bytes(raw))

    return read


read_json = json_reader(MAX_BODY_BYTES)
"""The parsed body.

Raises MediaTypeRefused, BodyTooLarge, and MalformedBody for whatever two readers could understand
differently: repeated keys, NaN, lone surrogates, bytes that are not UTF-8.
"""


def parse_json(raw: bytes) -> Any:
    """The JSON value in `raw`. Raises MalformedBody."""
    try:
        value = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant
        )
        # Lone surrogates are valid JSON escapes, yet cannot be stored or sent back as UTF-8.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise MalformedBody("The body is nested too deeply.") from None
    except ValueError:
        raise MalformedBody("The body is not valid JSON.") from None
    return value


def _check_media_type(headers: list[str]) -> None:
    media_type, _, parameters = (headers[0] if len(headers) == 1 else "").partition(";")
    charset = parameters.replace('"', "").replace(" ", "").lower()
    if media_type.strip().lower() != "application/json" or charset not in {"", "charset=utf-8"}:
        raise MediaTypeRefused("Send application/json.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedBody("The body names the same property twice.")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedBody(f"The body is not valid JSON: it holds {name}.")
