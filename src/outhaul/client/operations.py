"""Create, read, list, delete and wait for exports."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypedDict, Unpack
from uuid import uuid4

import httpx

from outhaul.client.calls import Session, call, decoded, pause_before_repeating, send
from outhaul.client.errors import (
    ClientError,
    CreateUnclear,
    ExportFailed,
    NotUnderstood,
    QueueFull,
    Refused,
    Unreachable,
    WaitedTooLong,
)
from outhaul.client.models import (
    Compression,
    DateFormat,
    Delimiter,
    Export,
    ExportType,
    FileFormat,
    Page,
    Progress,
    When,
    parse_when,
    read_export,
    wire_date,
)
from outhaul.client.steps import Answer, Pause, Steps

OnProgress = Callable[[Progress], None]

_FIRST_POLL_S = 0.2
_LONGEST_POLL_S = 3.0
_QUEUE_POLL_S = 3.0
_CLOCK_SLACK = timedelta(seconds=2)
_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)


class FileOptions(TypedDict, total=False):
    """What both kinds of exports know."""

    segment_id: str | None
    version: str | None
    date_format: DateFormat
    delimiter: Delimiter
    wait_for_slot_s: float
    """For how many seconds to ask again while the account's queue is full (E0301)."""
    columns: Sequence[str] | None
    """This and what follows: extensions that only Outhaul knows. Ids of columns, in order."""
    bom: bool
    """Begin files with a byte order mark."""
    formula_guard: bool
    """Escape text that a spreadsheet would run."""
    file_format: FileFormat
    compression: Compression


def export_contacts(
    session: Session, *, changed_since: int | None = None, **options: Unpack[FileOptions]
) -> Steps[Export]:
    """Create an export of contacts; returns at once. Raises Refused, Unreachable, CreateUnclear.

    `changed_since` is the commit of an earlier manifest: only what has changed since (Outhaul).
    """
    body = {} if changed_since is None else {"changedSince": changed_since}
    return (yield from _create(session, "contacts", {}, options, body))


def export_activities(
    session: Session,
    *,
    from_date: When,
    to_date: When,
    activity_types: Sequence[str] | None = None,
    product_columns: Sequence[str] | None = None,
    allow_long_window: bool = False,
    **options: Unpack[FileOptions],
) -> Steps[Export]:
    """Create an export of activities, both instants included, at most 31 days; returns at once.

    No `activity_types` means all. `product_columns` chooses those of the product lines, and
    `allow_long_window` lifts the limit (both Outhaul). Raises Refused, Unreachable and
    CreateUnclear.
    """
    filters: dict[str, Any] = {"fromDate": wire_date(from_date), "toDate": wire_date(to_date)}
    if activity_types is not None:
        filters["activityTypes"] = list(activity_types)
    body: dict[str, Any] = {"allowLongWindow": True} if allow_long_window else {}
    if product_columns is not None:
        body["productColumns"] = list(product_columns)
    return (yield from _create(session, "activities", filters, options, body))


def get(session: Session, export: Export | str) -> Steps[Export]:
    """The export as it is now, with a fresh link to its file. Raises NotFound."""
    return read_export(decoded((yield from call(session, "GET", f"exports/{id_of(export)}"))))


def exports(session: Session, *, page: int = 1, page_size: int = 50) -> Steps[Page]:
    """One page of the account's exports, newest first; pages count from 1."""
    answer = yield from _list(session, page, page_size)
    return _read_page(decoded(answer))


def delete(session: Session, export: Export | str) -> Steps[None]:
    """Remove the export and its file; one that runs is cancelled. Raises NotFound."""
    yield from call(session, "DELETE", f"exports/{id_of(export)}")


def manifest(session: Session, export: Export | str) -> Steps[bytes | None]:
    """The manifest's text as `outhaul verify` reads it; None where the server has none."""
    try:
        answer = yield from call(session, "GET", f"exports/{id_of(export)}/manifest")
    except Refused as error:
        if error.status in {404, 405}:
            return None
        raise
    return answer.body


def wait(
    session: Session,
    export: Export | str,
    *,
    progress: OnProgress | None = None,
    timeout_s: float | None = None,
) -> Steps[Export]:
    """Ask until the export is finished. Outages shorter than the retries last are sat out.

    Raises ExportFailed, and WaitedTooLong after `timeout_s` seconds.
    """
    until = None if timeout_s is None else time.monotonic() + timeout_s
    poll = _FIRST_POLL_S
    while True:
        now = yield from get(session, export)
        if progress is not None:
            total = now.total or None
            progress(Progress(phase="waiting", done=now.progress, total=total, export=now))
        if now.status == "finished":
            return now
        if now.status == "error":
            raise _failure(now)
        left = poll if until is None else until - time.monotonic()
        if left <= 0:
            assert timeout_s is not None
            raise WaitedTooLong(now.id, timeout_s)
        yield Pause(min(poll, left))
        poll = min(poll * 1.3, _LONGEST_POLL_S)


def id_of(export: Export | str) -> str:
    return export if isinstance(export, str) else export.id


def _create(
    session: Session,
    export_type: ExportType,
    filters: dict[str, Any],
    options: FileOptions,
    more: dict[str, Any],
) -> Steps[Export]:
    if options.get("segment_id") is not None:
        filters["segmentId"] = options["segment_id"]
    body: dict[str, Any] = {
        "exportType": export_type,
        "delimiter": options.get("delimiter", ","),
        "dateFormat": options.get("date_format", "ISO"),
    }
    if options.get("version") is not None:
        body["version"] = options["version"]
    if filters:
        body["filters"] = filters
    body |= _extensions(options) | more
    slot_until = time.monotonic() + options.get("wait_for_slot_s", 0)
    while True:
        try:
            return (yield from _create_once(session, body))
        except QueueFull:
            if time.monotonic() >= slot_until:
                raise
            yield Pause(_QUEUE_POLL_S)


def _extensions(options: FileOptions) -> dict[str, Any]:
    """Only those that differ from the contract, which other servers would refuse."""
    columns = options.get("columns")
    asked = {
        "columns": None if columns is None else list(columns),
        "bom": options.get("bom") or None,
        "formulaGuard": options.get("formula_guard") or None,
        "format": options.get("file_format"),
        "compression": options.get("compression"),
    }
    plain = {"format": "csv", "compression": "zip"}
    return {
        name: value
        for name, value in asked.items()
        if value is not None and value != plain.get(name)
    }


def _create_once(session: Session, body: dict[str, Any]) -> Steps[Export]:
    """A create must not happen twice. Servers that know `Idempotency-Key` see to that; for the
    others the list of exports is looked at before a create is repeated whose fate is unknown."""
    key = {"Idempotency-Key": str(uuid4())}
    started = time.monotonic()
    failures = 0
    while True:
        try:
            answer = yield from send(session, "POST", "exports/", body=body, more_headers=key)
        except (Unreachable, Refused) as error:
            failures += 1
            pause = pause_before_repeating(session.retry, error, failures)
            if pause is not None:
                yield Pause(pause)
            if _may_have_happened(error):
                found = yield from _look(session, body, started)
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


def _look(session: Session, body: dict[str, Any], started: float) -> Steps[Export | None]:
    """The export that asks for the same and was created since `started`, if the list has one."""
    try:
        answer = yield from _list(session, 1, 50)
        page = _read_page(decoded(answer))
    except ClientError as error:
        raise CreateUnclear(
            "the connection broke while the export was created, and the list of exports could not"
            " be read to see whether it exists"
        ) from error
    elapsed = timedelta(seconds=time.monotonic() - started)
    since = _server_time(answer) - elapsed - _CLOCK_SLACK
    for export in page.exports:
        if export.created_at and export.created_at >= since and _asks_for(export, body):
            return export
    return None


def _asks_for(export: Export, body: dict[str, Any]) -> bool:
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


def _server_time(answer: Answer) -> datetime:
    try:
        return parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return datetime.now(UTC)


def _list(session: Session, page: int, page_size: int) -> Steps[Answer]:
    return (yield from call(session, "GET", f"exports/?page={page}&pageSize={page_size}"))


def _read_page(value: Any) -> Page:
    results = value.get("results") if isinstance(value, dict) else None
    if not isinstance(results, list):
        raise NotUnderstood("the answer holds no list of exports")
    links = value.get("links")
    return Page(
        exports=tuple(read_export(one) for one in results),
        has_next=isinstance(links, dict) and bool(links.get("next")),
    )


def _failure(export: Export) -> ExportFailed:
    told = export.error or {}
    helps = told.get("retryHelps")
    cause, detail = told.get("cause"), told.get("detail")
    return ExportFailed(
        export.id,
        cause=cause if isinstance(cause, str) else None,
        detail=detail if isinstance(detail, str) else "",
        retry_helps=helps if isinstance(helps, bool) else None,
    )
