"""The rate headers of every authenticated answer, in the casing that clients compare with."""

import math
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from outhaul.api.services import RateVerdict

_STATE_KEY = "rate_verdict"


def remember_verdict(scope: Scope, verdict: RateVerdict) -> None:
    """Have the answer to this request tell the verdict."""
    scope["state"][_STATE_KEY] = verdict


def retry_after_seconds(verdict: RateVerdict) -> int:
    """Whole seconds until a refused request can pass, at least 1."""
    return max(1, math.ceil(verdict.retry_after))


class RateHeaders:
    """The outermost middleware: appends raw bytes, since frameworks lower-case header names."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def send_with_rate(message: Message) -> None:
            verdict = state.get(_STATE_KEY)
            if verdict is not None and message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_headers(verdict)]
            await send(message)

        await self._app(scope, receive, send_with_rate)


def _headers(verdict: RateVerdict) -> list[tuple[bytes, bytes]]:
    # A refused caller that waits for the reset may go on as soon as one request fits again.
    wait = math.ceil(verdict.reset_after) if verdict.allowed else retry_after_seconds(verdict)
    headers = {
        "X-RateLimit-Limit": verdict.limit,
        "X-RateLimit-Remaining": verdict.remaining,
        "X-RateLimit-Reset": math.ceil(time.time()) + wait,
        "RateLimit-Remaining": verdict.remaining,
        "RateLimit-Reset": wait,
    }
    if not verdict.allowed:
        headers["Retry-After"] = wait
    return [(name.encode(), str(value).encode()) for name, value in headers.items()]
