"""The body of POST /exports/: its models, and its reading into an export request."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from outhaul.api.extras_body import (
    ActivitiesExtrasBody,
    AnyExtrasBody,
    ContactsExtrasBody,
    Holdings,
    broken_extras,
    extras_of,
)
from outhaul.api.services import Services
from outhaul.api.violations import violations_from
from outhaul.api.wire import NotNull, Wire
from outhaul.domain import activity_types
from outhaul.domain.account import Account
from outhaul.domain.errors import Invalid, Violation
from outhaul.domain.export import (
    DateFormat,
    Delimiter,
    ExportRequest,
    ExportType,
    Filters,
    Version,
)
from outhaul.domain.ids import is_id
from outhaul.domain.instants import DATE_PATTERN, EXPECTED_DATE, parse_instant
from outhaul.domain.windows import window_fault


class RowsType(StrEnum):
    """What POST /exports/ makes; the export of a report has a call of its own."""

    CONTACTS = ExportType.CONTACTS.value
    ACTIVITIES = ExportType.ACTIVITIES.value


def _instant(value: object) -> datetime:
    instant = parse_instant(value)
    if instant is None:
        raise PydanticCustomError("date", EXPECTED_DATE)
    return instant


def _segment_id(value: object) -> str:
    segment_id = _plain_segment_id(value)
    if segment_id is None:
        raise PydanticCustomError("segment_id", "must be a segment id of 24 hex digits")
    return segment_id


def _activity_type(value: object) -> str:
    if not isinstance(value, str) or activity_types.canonical(value) is None:
        raise PydanticCustomError("activity_type", "must be a known activity type")
    return value


Instant = Annotated[
    datetime,
    PlainValidator(_instant),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": DATE_PATTERN,
            "description": "ISO 8601; without a time it is midnight, without an offset UTC.",
            "examples": ["2026-03-01T00:00:00.000Z"],
        }
    ),
]
SegmentId = Annotated[
    str,
    PlainValidator(_segment_id),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^[0-9a-fA-F]{24}$",
            "description": "Only contacts in this segment of the account.",
            "examples": ["5f1b2c3d4e5f6a7b8c9d0e1f"],
        }
    ),
]
ActivityType = Annotated[
    str,
    PlainValidator(_activity_type),
    WithJsonSchema(
        {
            "type": "string",
            "enum": sorted(activity_types.ACTIVITY_TYPES),
            "description": "The prefixes `contact-` and `entity-` are taken for each other.",
        }
    ),
]
ActivityTypes = Annotated[list[ActivityType], Field(min_length=1)]


class ContactsFilters(Wire):
    """What narrows a contacts export down."""

    segment_id: Annotated[SegmentId | None, NotNull] = None


class ActivitiesFilters(ContactsFilters):
    """What narrows an activities export down: at most 31 calendar days in the account's zone."""

    from_date: Instant
    to_date: Instant
    activity_types: Annotated[ActivityTypes | None, NotNull] = None


class _AnyFilters(ContactsFilters):
    from_date: Annotated[Instant | None, NotNull] = None
    to_date: Annotated[Instant | None, NotNull] = None
    activity_types: Annotated[ActivityTypes | None, NotNull] = None


class _Body(Wire):
    # Enumerations are read from their JSON spelling; everything else is strict.
    delimiter: Annotated[Delimiter, Field(strict=False)]
    date_format: Annotated[DateFormat, Field(strict=False)]
    version: Annotated[Version, Field(strict=False)] = Version.V1


class ContactsExport(ContactsExtrasBody, _Body):
    """An export of contacts. Dates and activity types are not allowed."""

    export_type: Literal["contacts"]
    filters: ContactsFilters = Field(default_factory=ContactsFilters)


class ActivitiesExport(ActivitiesExtrasBody, _Body):
    """An export of activities. `fromDate` and `toDate` are required."""

    export_type: Literal["activities"]
    filters: ActivitiesFilters


class _UndecidedExport(AnyExtrasBody, _Body):
    """Stands in while the type is missing or wrong, so that everything else is judged too."""

    export_type: Annotated[RowsType, Field(strict=False)]
    filters: _AnyFilters = Field(default_factory=_AnyFilters)


def asked_of(services: Services, account: Account, body: Any) -> ExportRequest:
    """What the account asks for in a parsed body. Raises Invalid, as `read_export_request`."""
    return read_export_request(
        body,
        account=account,
        holdings=Holdings(
            segment_known=lambda id_: services.exports.segment_known(account.id, id_),
            describe=lambda export_type, version: services.describe(account, export_type, version),
            newest_commit=lambda: services.newest_commit(account.id),
        ),
    )


def read_export_request(body: Any, *, account: Account, holdings: Holdings) -> ExportRequest:
    """The export request in a parsed body. Raises Invalid with every violation there is."""
    request, violations = _read_shape(body)
    violations += _broken_rules(body, account, holdings)
    if isinstance(body, dict):
        violations += broken_extras(body, holdings)
    if request is None or violations:
        raise Invalid(violations, detail="The export request is not valid.")
    return request


def _read_shape(body: Any) -> tuple[ExportRequest | None, list[Violation]]:
    export_type = body.get("exportType") if isinstance(body, dict) else None
    model: type[ContactsExport | ActivitiesExport | _UndecidedExport] = _UndecidedExport
    if export_type == ExportType.CONTACTS:
        model = ContactsExport
    elif export_type == ExportType.ACTIVITIES:
        model = ActivitiesExport
        # Without filters, name the two dates that are missing rather than their container.
        body = {"filters": {}, **body}
    try:
        read = model.model_validate(body, by_alias=True, by_name=False)
    except ValidationError as error:
        return None, [_only_for_others(violation, model) for violation in _found(error)]
    filters = read.filters
    chosen = filters if isinstance(filters, ActivitiesFilters) else None
    types = chosen.activity_types if chosen else None
    return (
        ExportRequest(
            export_type=ExportType(read.export_type),
            delimiter=read.delimiter,
            date_format=read.date_format,
            version=read.version,
            filters=Filters(
                segment_id=filters.segment_id,
                from_date=chosen.from_date if chosen else None,
                to_date=chosen.to_date if chosen else None,
                activity_types=None if types is None else tuple(types),
            ),
            extras=extras_of(read),
        ),
        [],
    )


def _found(error: ValidationError) -> list[Violation]:
    return violations_from(error.errors(include_url=False, include_input=False))


def _only_for_others(violation: Violation, model: type[Wire]) -> Violation:
    """A property that the other kind of export has is known, and told to belong there."""
    for one, kind, paths in _OF_ONE_KIND:
        if model is not one and model is not _UndecidedExport and violation.path in paths:
            reason = f"is only for {kind} exports; leave it out"
            return Violation(name=violation.name, path=violation.path, reason=reason)
    return violation


_OF_ONE_KIND = (
    (ContactsExport, "contacts", {"/changedSince"}),
    (
        ActivitiesExport,
        "activities",
        {
            "/filters/fromDate",
            "/filters/toDate",
            "/filters/activityTypes",
            "/productColumns",
            "/allowLongWindow",
        },
    ),
)


def _broken_rules(body: Any, account: Account, holdings: Holdings) -> list[Violation]:
    """Rules over values, judged on the body as sent: its shape may be wrong elsewhere."""
    filters = body.get("filters") if isinstance(body, dict) else None
    if not isinstance(filters, dict):
        return []
    violations = []
    from_date = parse_instant(filters.get("fromDate"))
    to_date = parse_instant(filters.get("toDate"))
    if from_date and to_date and body.get("exportType") != ExportType.CONTACTS:
        fault = window_fault(
            from_date,
            to_date,
            account.timezone,
            may_be_long=body.get("allowLongWindow") is True,
        )
        if fault:
            violations.append(Violation(name="toDate", path="/filters/toDate", reason=fault))
    segment_id = _plain_segment_id(filters.get("segmentId"))
    if segment_id and not holdings.segment_known(segment_id):
        reason = "must be the id of a segment of this account"
        violations.append(Violation(name="segmentId", path="/filters/segmentId", reason=reason))
    return violations


def _plain_segment_id(value: object) -> str | None:
    return value.lower() if isinstance(value, str) and is_id(value.lower()) else None
