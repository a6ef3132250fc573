"""The body of POST /exports/type/data-explorer, and its reading into an export request."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field, PlainValidator, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from outhaul.api.services import Reports
from outhaul.api.violations import violations_from
from outhaul.api.wire import Wire
from outhaul.domain.account import Account
from outhaul.domain.errors import Invalid, NotFound, Violation
from outhaul.domain.export import DateFormat, Delimiter, ExportRequest, ExportType, Filters
from outhaul.domain.ids import is_id
from outhaul.domain.reports import Report
from outhaul.domain.windows import MAX_WINDOW_DAYS

_FIRST_YEAR, _LAST_YEAR = 1970, 2999


def _plain_day(value: object) -> date | None:
    # Python also reads other forms of a day, such as 2026-W10-4.
    if not isinstance(value, str) or len(value) != 10 or value[4] + value[7] != "--":
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    return day if _FIRST_YEAR <= day.year <= _LAST_YEAR else None


def _day(value: object) -> date:
    day = _plain_day(value)
    if day is None:
        expected = f"must be a day from {_FIRST_YEAR} to {_LAST_YEAR} such as 2026-03-05"
        raise PydanticCustomError("day", expected)
    return day


def _plain_report_id(value: object) -> str | None:
    return value.lower() if isinstance(value, str) and is_id(value.lower()) else None


def _report_id(value: object) -> str:
    report_id = _plain_report_id(value)
    if report_id is None:
        raise PydanticCustomError("report_id", "must be a report id of 24 hex digits")
    return report_id


_Day = Annotated[
    date,
    PlainValidator(_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-03-05"]}),
]
_ReportId = Annotated[
    str,
    PlainValidator(_report_id),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^[0-9a-fA-F]{24}$",
            "description": "A report of the account.",
            "examples": ["6a393bd445d5668a52fcf7fb"],
        }
    ),
]


class DataExplorerFilters(Wire):
    """Which report, and its days in the account's time zone, both included."""

    report_id: _ReportId
    from_date: _Day
    to_date: _Day


class DataExplorerExport(Wire):
    """An export of a report over days that are at most 31 apart."""

    # Read from its JSON spelling; everything else is strict.
    delimiter: Annotated[Delimiter, Field(strict=False)]
    filters: DataExplorerFilters


def report_asked_of(reports: Reports, account: Account, body: Any) -> ExportRequest:
    """What the account asks for in a parsed body. Raises Invalid, as
    `read_data_explorer_request`."""

    def find(report_id: str) -> Report | None:
        try:
            return reports.get(account.id, report_id)
        except NotFound:
            return None

    return read_data_explorer_request(body, account=account, find=find)


def read_data_explorer_request(
    body: Any, *, account: Account, find: Callable[[str], Report | None]
) -> ExportRequest:
    """The export request in a parsed body; `find` gives a report of the account by its id.
    Raises Invalid with every violation there is."""
    if isinstance(body, dict):
        # Without filters, name what is missing in them rather than their container.
        body = {"filters": {}, **body}
    violations: list[Violation] = []
    read = None
    try:
        read = DataExplorerExport.model_validate(body, by_alias=True, by_name=False)
    except ValidationError as error:
        violations += violations_from(error.errors(include_url=False, include_input=False))
    filters = body.get("filters") if isinstance(body, dict) else None
    report = None
    if isinstance(filters, dict):
        # Rules over values are judged on the body as sent: its shape may be wrong elsewhere.
        violations += _window_faults(filters)
        report_id = _plain_report_id(filters.get("reportId"))
        report = None if report_id is None else find(report_id)
        if report_id is not None and report is None:
            violations.append(_fault("reportId", "must be the id of a report of this account"))
    if read is None or report is None or violations:
        raise Invalid(violations, detail="The export request is not valid.")
    return _request(read, report, ZoneInfo(account.timezone))


def _window_faults(filters: dict[str, Any]) -> Iterator[Violation]:
    first, last = _plain_day(filters.get("fromDate")), _plain_day(filters.get("toDate"))
    if first is None or last is None:
        return
    if last < first:
        yield _fault("toDate", "must not be before fromDate")
    if last - first > timedelta(days=MAX_WINDOW_DAYS):
        yield _fault("toDate", f"must be at most {MAX_WINDOW_DAYS} days after fromDate")


def _request(read: DataExplorerExport, report: Report, zone: ZoneInfo) -> ExportRequest:
    first, last = read.filters.from_date, read.filters.to_date
    end = _start(last + timedelta(days=1), zone) - timedelta(milliseconds=1)
    return ExportRequest(
        export_type=ExportType.DATA_EXPLORER,
        delimiter=read.delimiter,
        # The contract has no such choice here; days are written as ISO has them.
        date_format=DateFormat.ISO,
        filters=Filters(report_id=report.id, from_date=_start(first, zone), to_date=end),
        report=report,
        days=(first, last),
    )


def _start(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _fault(name: str, reason: str) -> Violation:
    return Violation(name=name, path=f"/filters/{name}", reason=reason)
