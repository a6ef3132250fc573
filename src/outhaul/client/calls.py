"""Requests to the API: the key, retries, and errors as types."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import httpx

from outhaul.client.errors import (
    Forbidden,
    InvalidRequest,
    KeyRefused,
    NotFound,
    NotUnderstood,
    QueueFull,
    RateLimited,
    Refused,
    Unreachable,
    Violation,
)
from outhaul.client.steps import Answer, Call, Pause, Steps

TRANSIENT = frozenset({502, 503, 504})
_KINDS: dict[int, type[Refused]] = {
    401: KeyRefused,
    403: Forbidden,
    404: NotFound,
    422: InvalidRequest,
    429: RateLimited,
}


@dataclass(frozen=True, kw_only=True)
class Retry:
    """How often and how fast a request is repeated: waits double from `first_s` up to `most_s`,
    each shortened by chance to between half and all of it, so that callers do not come in step."""

    attempts: int = 6
    first_s: float = 0.5
    most_s: float = 30
    longest_retry_after_s: float = 120
    """A server that asks for a longer pause than this gets an error raised instead."""

    def pause(self, failures: int) -> float:
        """Seconds to wait after this many failures in a row."""
        longest = min(self.most_s, self.first_s * 2.0 ** min(failures - 1, 20))
        return longest * random.uniform(0.5, 1)  # noqa: S311 -- no secret


@dataclass(frozen=True, kw_only=True)
class Session:
    """Where the server is, who asks, and how patiently."""

    base_url: str
    api_key: str = field(repr=False)
    retry: Retry

    def url(self, path: str) -> str:
        return urljoin(self.base_url.rstrip("/") + "/", path.lstrip("/"))

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"apiKey {self.api_key}", "Accept": "application/json"}


def call(
    session: Session,
    method: str,
    path: str,
    *,
    body: Any = None,
    more_headers: Mapping[str, str] | None = None,
) -> Steps[Answer]:
    """A successful answer, after as many attempts as needed. Only for requests that may be
    repeated. Raises Refused and Unreachable."""
    failures = 0
    while True:
        try:
            answer = yield from send(session, method, path, body=body, more_headers=more_headers)
        except (Unreachable, Refused) as error:
            failures += 1
            wait = pause_before_repeating(session.retry, error, failures)
            if wait is None:
                raise
            yield Pause(wait)
        else:
            return answer


def send(
    session: Session,
    method: str,
    path: str,
    *,
    body: Any = None,
    more_headers: Mapping[str, str] | None = None,
) -> Steps[Answer]:
    """One attempt. Raises Refused and Unreachable."""
    headers = session.headers | dict(more_headers or {})
    try:
        answer = yield Call(method=method, url=session.url(path), headers=headers, json=body)
    except httpx.TransportError as fault:
        raise Unreachable(told(fault)) from fault
    assert isinstance(answer, Answer)
    if answer.status >= 300:
        raise refusal(answer)
    return answer


def pause_before_repeating(
    retry: Retry, error: Unreachable | Refused, failures: int
) -> float | None:
    """Seconds to wait before the next attempt, or None when there should be none."""
    if failures >= retry.attempts:
        return None
    if isinstance(error, Refused):
        if error.status != 429 and error.status not in TRANSIENT:
            return None
        if error.retry_after is not None:
            fits = error.retry_after <= retry.longest_retry_after_s
            # Callers that were told the same second should not all come in it.
            return error.retry_after + random.uniform(0, 0.25) if fits else None  # noqa: S311
    return retry.pause(failures)


def told(fault: httpx.TransportError) -> str:
    """The fault in one line."""
    return f"{type(fault).__name__}: {fault}" if str(fault) else type(fault).__name__


def refusal(answer: Answer) -> Refused:
    """The error that an unsuccessful answer stands for."""
    body = _object(answer.body)
    code = body.get("code")
    kind = _KINDS.get(answer.status, Refused)
    if answer.status == 400 and code == "E0301":
        kind = QueueFull
    listed = body.get("validationErrors")
    violations = tuple(
        Violation(
            name=str(one.get("name", "")),
            path=str(one.get("path", "")),
            reason=str(one.get("reason", "")),
        )
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, dict)
    )
    return kind(
        answer.status,
        detail=str(body.get("detail") or body.get("title") or ""),
        code=code if isinstance(code, str) else None,
        violations=violations,
        retry_after=_retry_after(answer.headers),
    )


def decoded(answer: Answer) -> Any:
    """The JSON of a successful answer. Raises NotUnderstood."""
    try:
        return json.loads(answer.body)
    except ValueError:
        raise NotUnderstood("the answer is not JSON; is this the address of the API?") from None


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds; the header's other form, a date, is not worth a clock that may be wrong."""
    try:
        return max(0.0, float(headers.get("retry-after", "")))
    except ValueError:
        return None
