"""The part of a create's body that goes beyond the contract."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from outhaul.api.services import MemberDescription
from outhaul.api.wire import NotNull, Wire
from outhaul.domain.errors import Violation
from outhaul.domain.export import ROWS_TYPES, DateFormat, ExportType, MemberKind, Version
from outhaul.domain.extras import Compression, Extras, FileFormat


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """What an account has now, for a request to name. Asked only for what a request does name."""

    segment_known: Callable[[str], bool]
    describe: Callable[[ExportType, Version], Sequence[MemberDescription]]
    """The files of an export made now."""
    newest_commit: Callable[[], int]


ColumnIds = Annotated[
    list[str],
    Field(
        min_length=1,
        json_schema_extra={"uniqueItems": True},
        description="Ids of columns, which GET /exports/describe lists, in the order of the file.",
        examples=[["email", "creationDate"]],
    ),
]


class ExtrasBody(Wire):
    """Extensions for all kinds of exports."""

    columns: Annotated[ColumnIds | None, NotNull] = None
    bom: bool = Field(default=False, description="Begin files with a byte order mark.")
    formula_guard: bool = Field(
        default=False,
        description="Put an apostrophe in front of text that a spreadsheet would run.",
    )
    format: Annotated[FileFormat, Field(strict=False)] = FileFormat.CSV
    compression: Annotated[Compression, Field(strict=False)] = Compression.ZIP


class ContactsExtrasBody(ExtrasBody):
    """Extensions for exports of contacts."""

    changed_since: Annotated[int | None, NotNull, Field(ge=0)] = Field(
        default=None,
        description="`snapshot.number` of an earlier manifest: only contacts changed since, and a"
        " file of those erased since. 0 begins.",
        examples=[412],
    )


class ActivitiesExtrasBody(ExtrasBody):
    """Extensions for exports of activities."""

    product_columns: Annotated[ColumnIds | None, NotNull] = None
    allow_long_window: bool = Field(default=False, description="Let a window exceed 31 days.")


class AnyExtrasBody(ActivitiesExtrasBody, ContactsExtrasBody):
    """Extensions of both."""


def extras_of(read: ExtrasBody) -> Extras:
    """The extensions in a body of the right shape."""
    given: dict[str, Any] = {
        name: getattr(read, name, None) for name in Extras.__dataclass_fields__
    }
    for name, value in given.items():
        if isinstance(value, list):
            given[name] = tuple(value)
    return Extras(**{name: value for name, value in given.items() if value is not None})


def broken_extras(body: Mapping[str, Any], holdings: Holdings) -> Iterator[Violation]:
    """Rules over the values of extensions, judged on the body as sent."""
    yield from _columns(body, holdings)
    yield from _changed_since(body, holdings)
    yield from _of_format(body)


def _of_format(body: Mapping[str, Any]) -> Iterator[Violation]:
    """What goes with the format that was asked for."""
    file_format, reasons = body.get("format"), {}
    if file_format in (FileFormat.JSONL, FileFormat.PARQUET):
        for name in ("bom", "formulaGuard"):
            if body.get(name) is True:
                reasons[name] = "is only for the format csv; leave it out"
    if file_format == FileFormat.PARQUET:
        if body.get("dateFormat") in set(DateFormat) - {DateFormat.ISO}:
            reasons["dateFormat"] = "must be ISO with the format parquet, whose dates are no text"
        if body.get("compression") in set(Compression) - {Compression.ZIP}:
            reasons["compression"] = (
                "must be zip with the format parquet, whose files are compressed already"
            )
    for name, reason in reasons.items():
        yield Violation(name=name, path=f"/{name}", reason=reason)


def _changed_since(body: Mapping[str, Any], holdings: Holdings) -> Iterator[Violation]:
    since = body.get("changedSince")
    if body.get("exportType") != ExportType.CONTACTS or type(since) is not int or since < 0:
        return
    filters = body.get("filters")
    if since > (newest := holdings.newest_commit()):
        reason = f"must not be after the account's newest commit, {newest}"
        yield Violation(name="changedSince", path="/changedSince", reason=reason)
    if isinstance(filters, dict) and "segmentId" in filters:
        reason = "must be left out with changedSince, which cannot tell who left the segment"
        yield Violation(name="segmentId", path="/filters/segmentId", reason=reason)


def _columns(body: Mapping[str, Any], holdings: Holdings) -> Iterator[Violation]:
    asked = {name: body.get(name) for name in ("columns", "productColumns")}
    try:
        export_type = ExportType(body["exportType"])
        version = Version(body.get("version", Version.V1))
    except (KeyError, ValueError):
        return
    if export_type not in ROWS_TYPES or not any(isinstance(ids, list) for ids in asked.values()):
        return
    for member in holdings.describe(export_type, version):
        name = "productColumns" if member.kind is MemberKind.PRODUCTS else "columns"
        ids = asked[name]
        if not isinstance(ids, list):
            continue
        known = {column.id for column in member.columns}
        for place, id_ in enumerate(ids):
            if not isinstance(id_, str):
                continue
            if id_ not in known:
                reason = "must be the id of a column of this file; GET /exports/describe lists them"
            elif id_ in ids[:place]:
                reason = "must not be there twice"
            else:
                continue
            yield Violation(name=str(place), path=f"/{name}/{place}", reason=reason)
