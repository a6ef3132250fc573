"""Create, read, list, delete and wait for exports."""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypedDict, Unpack

from outhaul.client.calls import Session, call, decoded
from outhaul.client.creating import Wish, asks_for_report, asks_for_rows, create
from outhaul.client.errors import ExportFailed, Refused, WaitedTooLong
from outhaul.client.listing import ask_for_page, read_page
from outhaul.client.models import (
    Compression,
    DateFormat,
    Day,
    Delimiter,
    Export,
    ExportType,
    FileFormat,
    Page,
    Progress,
    When,
    plain_day,
    read_export,
    wire_date,
)
from outhaul.client.steps import Pause, Steps

OnProgress = Callable[[Progress], None]

_FIRST_POLL_S = 0.2
_LONGEST_POLL_S = 3.0
_LONGEST_REPORT = timedelta(days=31)


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
    return (yield from _create_rows(session, "contacts", {}, options, body))


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
    return (yield from _create_rows(session, "activities", filters, options, body))


def export_report(
    session: Session,
    report_id: str,
    *,
    from_day: Day,
    to_day: Day,
    delimiter: Delimiter = ",",
    wait_for_slot_s: float = 0,
) -> Steps[Export]:
    """Create an export of a report over days of the account's zone, both included and at most 31
    apart; returns at once.

    Raises Refused, Unreachable and CreateUnclear, and ValueError for a span that no export can
    have: a report's rows are sums, which nobody could join with those of another export.
    """
    days = plain_day(from_day, "from_day"), plain_day(to_day, "to_day")
    if days[1] - days[0] > _LONGEST_REPORT:
        raise ValueError(
            f"from_day and to_day are {(days[1] - days[0]).days} days apart and may be"
            f" {_LONGEST_REPORT.days}: exports of a report cannot be joined, since their rows are"
            " sums; ask for shorter spans"
        )
    first, last = (day.isoformat() for day in days)
    filters = {"reportId": report_id, "fromDate": first, "toDate": last}
    wish = Wish(
        path="exports/type/data-explorer",
        body={"delimiter": delimiter, "filters": filters},
        answered_by=asks_for_report,
    )
    return (yield from create(session, wish, wait_for_slot_s=wait_for_slot_s))


def get(session: Session, export: Export | str) -> Steps[Export]:
    """The export as it is now, with a fresh link to its file. Raises NotFound."""
    return read_export(decoded((yield from call(session, "GET", f"exports/{id_of(export)}"))))


def exports(session: Session, *, page: int = 1, page_size: int = 50) -> Steps[Page]:
    """One page of the account's exports, newest first; pages count from 1."""
    return read_page(decoded((yield from ask_for_page(session, page, page_size))))


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


def _create_rows(
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
    wish = Wish(path="exports/", body=body, answered_by=asks_for_rows)
    return (yield from create(session, wish, wait_for_slot_s=options.get("wait_for_slot_s", 0)))


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
