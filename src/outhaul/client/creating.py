"""A create must happen once, also where the line breaks while it is asked for."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import uuid4

import httpx

from outhaul.client.calls import Session, decoded, pause_before_repeating, send
from outhaul.client.errors import ClientError, CreateUnclear, QueueFull, Refused, Unreachable
from outhaul.client.listing import ask_for_page, read_page
from outhaul.client.models import Export, parse_when, read_export
from outhaul.client.steps import Answer, Pause, Steps

_QUEUE_POLL_S = 3.0
_CLOCK_SLACK = timedelta(seconds=2)
_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A create: the body, and the path that it is sent to."""

    path: str
    body: dict[str, Any]
    answered_by: Callable[[Export, dict[str, Any]], bool]
    """Whether an export of the list asks for the same as a body."""


def create(session: Session, wish: Wish, *, wait_for_slot_s: float) -> Steps[Export]:
    """The new export; while the account's queue is full, it is asked again for so many seconds.

    Raises Refused, Unreachable and CreateUnclear.
    """
    slot_until = time.monotonic() + wait_for_slot_s
    while True:
        try:
            return (yield from _create_once(session, wish))
        except QueueFull:
            if time.monotonic() >= slot_until:
                raise
            yield Pause(_QUEUE_POLL_S)


def _create_once(session: Session, wish: Wish) -> Steps[Export]:
    """Servers that know `Idempotency-Key` make one export of all attempts; for the others the list
    of exports is looked at before a create is repeated whose fate is unknown."""
    key = {"Idempotency-Key": str(uuid4())}
    started = time.monotonic()
    failures = 0
    while True:
        try:
            answer = yield from send(session, "POST", wish.path, body=wish.body, more_headers=key)
        except (Unreachable, Refused) as error:
            failures += 1
            pause = pause_before_repeating(session.retry, error, failures)
            if pause is not None:
                yield Pause(pause)
            if _may_have_happened(error):
                found = yield from _look(session, wish, started)
                if found is not None:
                    return found
            if pause is None:
                raise
        else:
            return read_export(decoded(answer))


def _may_have_happened(error: Unreachable | Refused) -> bool:
    if isinstance(error, Refused):
        return error.status >= 500
    return not isinstance(error.__cause__, _NEVER_SENT)


def _look(session: Session, wish: Wish, started: float) -> Steps[Export | None]:
    """The export that asks for the same and was created since `started`, if the list has one."""
    try:
        answer = yield from ask_for_page(session, 1, 50)
        page = read_page(decoded(answer))
    except ClientError as error:
        raise CreateUnclear(
            "the connection broke while the export was created, and the list of exports could not"
            " be read to see whether it exists"
        ) from error
    elapsed = timedelta(seconds=time.monotonic() - started)
    since = _server_time(answer) - elapsed - _CLOCK_SLACK
    for export in page.exports:
        recent = export.created_at is not None and export.created_at >= since
        if recent and wish.answered_by(export, wish.body):
            return export
    return None


def _server_time(answer: Answer) -> datetime:
    try:
        return parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return datetime.now(UTC)


def asks_for_rows(export: Export, body: dict[str, Any]) -> bool:
    """Whether the export of contacts or activities is what this body asks for."""
    # An older server does not tell the version.
    told = {name: export.raw.get(name) for name in ("exportType", "delimiter", "dateFormat")}
    if told != {name: body[name] for name in told}:
        return False
    if export.version is not None and export.version != body.get("version", "v1"):
        return False
    if any(export.raw.get(name) != body.get(name) for name in _EXTENSIONS):
        return False
    return _comparable(export.filters) == _comparable(body.get("filters", {}))


_EXTENSIONS = (
    *("columns", "productColumns", "bom", "formulaGuard", "format", "compression"),
    *("changedSince", "allowLongWindow"),
)


def _comparable(filters: Any) -> tuple[object, ...]:
    """Servers may write the same date and the same type in another way than the caller."""
    types = filters.get("activityTypes")
    spelled = (
        None
        if types is None
        else frozenset(one.removeprefix("contact-").removeprefix("entity-") for one in types)
    )
    segment = filters.get("segmentId")
    return (
        parse_when(filters.get("fromDate")),
        parse_when(filters.get("toDate")),
        spelled,
        segment.lower() if isinstance(segment, str) else None,
    )


def asks_for_report(export: Export, body: dict[str, Any]) -> bool:
    """Whether the export of a report is what this body asks for."""
    asked, told = body["filters"], export.filters
    report_id = told.get("reportId")
    return (
        export.export_type == "data-explorer"
        and export.delimiter == body["delimiter"]
        and isinstance(report_id, str)
        and report_id.lower() == asked["reportId"].lower()
        and all(_is_of(told.get(name), asked[name]) for name in ("fromDate", "toDate"))
    )


def _is_of(instant: object, day: str) -> bool:
    """Whether the instant is of the day in one of the world's zones: nobody tells the account's."""
    moment, midnight = parse_when(instant), parse_when(day)
    if moment is None or midnight is None:
        return False
    return timedelta(hours=-14) <= moment - midnight < timedelta(hours=36)
