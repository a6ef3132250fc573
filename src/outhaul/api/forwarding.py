"""Requests that only another node can answer go on to it, and its answer comes back unchanged."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypedDict

import httpx
from fastapi import FastAPI
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from outhaul.api.errors import answer_to
from outhaul.domain.errors import KeptElsewhere

_MARK = b"outhaul-forwarded"
# What belongs to one connection; and uvicorn writes a date of its own.
_NOT_PASSED_ON = {
    b"connection", b"date", b"expect", b"keep-alive", b"proxy-authenticate",
    b"proxy-authorization", b"te", b"trailer", b"transfer-encoding", b"upgrade",
}  # fmt: skip
# An erasure or a file of activities takes its time; a node that is gone is told from one that works
# by the connection.
_TIMEOUT = httpx.Timeout(10, connect=3, read=300)


_Handler = Callable[[Request, Exception], Response]


class _State(TypedDict):
    nodes: httpx.AsyncClient


@asynccontextmanager
async def forwarding_client(_: FastAPI) -> AsyncGenerator[_State]:
    """The application's life: connections to other nodes are kept for its length."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
    # Proxies of the environment stand between us and the world, not between nodes.
    async with httpx.AsyncClient(timeout=_TIMEOUT, limits=limits, trust_env=False) as client:
        yield {"nodes": client}


def forwarding(otherwise: _Handler) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Who answers requests that meet KeptElsewhere: the node that is named there, or `otherwise`
    when it does not answer."""

    async def forward(request: Request, error: Exception) -> Response:
        assert isinstance(error, KeptElsewhere)
        nobody = KeptElsewhere(None)
        # Two nodes that each believe the other to keep the data would pass it on for ever.
        if error.address is None or _MARK.decode() in request.headers:
            return otherwise(request, nobody)
        client: httpx.AsyncClient = request.state.nodes
        try:
            answer = await client.send(_same_request(request, error.address), stream=True)
        except (httpx.TransportError, RuntimeError):
            # The latter: the body has been read here already and cannot be sent on.
            return otherwise(request, nobody)
        response = StreamingResponse(
            answer.aiter_raw(), answer.status_code, background=BackgroundTask(answer.aclose)
        )
        response.raw_headers = _passed_on(answer.headers.raw)
        return response

    return forward


def add_forwarding(app: FastAPI) -> None:
    """Have requests of the API passed on."""
    app.add_exception_handler(KeptElsewhere, forwarding(_unavailable))


def _unavailable(_: Request, error: Exception) -> Response:
    assert isinstance(error, KeptElsewhere)
    return answer_to(error)


def _same_request(request: Request, address: str) -> httpx.Request:
    base = httpx.URL(address)
    path = base.raw_path.rstrip(b"/") + request.scope["raw_path"]
    query = request.scope["query_string"]
    has_body = {"content-length", "transfer-encoding"} & set(request.headers.keys())
    return httpx.Request(
        request.method,
        base.copy_with(raw_path=path + b"?" + query if query else path),
        headers=[*_passed_on(request.headers.raw), (_MARK, b"1")],
        content=_body(request) if has_body else None,
    )


async def _body(request: Request) -> AsyncIterator[bytes]:
    """The body, also where a form that was sent has been read already."""
    if hasattr(request.state, "body"):
        yield request.state.body
    else:
        async for chunk in request.stream():
            yield chunk


def _passed_on(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in headers if name.lower() not in _NOT_PASSED_ON]
