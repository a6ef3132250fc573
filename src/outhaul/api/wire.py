"""The JSON bodies of the contract, as models that both check and document them.

Absent properties are left out, never null: neither are nulls accepted, nor are they documented.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from outhaul.domain.errors import FailureCause
from outhaul.domain.export import DateFormat, Delimiter, ExportStatus, ExportType, Origin, Version
from outhaul.domain.extras import Compression, FileFormat
from outhaul.domain.json_schema import tidy


class Wire(BaseModel):
    """A JSON object in camelCase without unknown properties."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        strict=True,
        json_schema_extra=tidy,
    )


def _given(value: object) -> object:
    if value is None:
        raise PydanticCustomError("null", "must not be null; leave it out instead")
    return value


NotNull = BeforeValidator(_given)
"""Optional properties of a body are left out, never null."""

HexId = Annotated[str, Field(pattern=r"^[0-9a-f]{24}$", examples=["6a3f0c9e5b7d42118c0e9f21"])]
WrittenInstant = Annotated[
    str,
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2026-03-05T14:07:09.000Z"]}
    ),
]
Uri = Annotated[str, WithJsonSchema({"type": "string", "format": "uri"})]


class FiltersEcho(Wire):
    """The filters of the request; dates in the one written form."""

    activity_types: list[str] | None = None
    from_date: WrittenInstant | None = None
    to_date: WrittenInstant | None = None
    segment_id: HexId | None = None
    report_id: HexId | None = None


class ErrorEcho(Wire):
    """Why an export ended in `error`."""

    cause: FailureCause
    retry_helps: bool = Field(description="Whether asking again, unchanged, can help.")
    detail: str


class ExportResource(Wire):
    """An export: poll it until `status` is `finished`, then fetch `fileUrl`."""

    id: HexId
    export_type: ExportType
    status: ExportStatus
    origin: Origin
    version: Version
    date_format: DateFormat
    delimiter: Delimiter
    filters: FiltersEcho | None = None
    created_at: WrittenInstant
    finished_at: WrittenInstant | None = None
    progress: int = Field(ge=0, description="Rows rendered so far.")
    total: int = Field(ge=0, description="Rows the file will have; 0 until planned.")
    file_name: str | None = None
    file_extension: str | None = Field(
        default=None, description="`zip`, unless another compression was asked for."
    )
    file_url: Uri | None = Field(
        default=None,
        description="Only when finished; new at each read, needs no key, expires.",
    )
    waiting_for: Literal["worker"] | None = Field(
        default=None,
        description="Only while the export is unfinished and no worker is alive that could go on.",
    )
    error: ErrorEcho | None = None
    columns: tuple[str, ...] | None = Field(
        default=None, description="This and what follows: extensions, as they were asked for."
    )
    product_columns: tuple[str, ...] | None = None
    bom: bool | None = None
    formula_guard: bool | None = None
    changed_since: int | None = Field(default=None, ge=0)
    format: FileFormat | None = None
    compression: Compression | None = None
    allow_long_window: bool | None = None


class ContactBody(BaseModel):
    """Values by field id. Which fields there are, and of which types, `GET /contact-fields/`
    tells; null clears a field."""

    model_config = ConfigDict(extra="allow")


class ContactResource(BaseModel):
    """A contact: its id and the values of its fields by field id; no value, no property."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(description="The contact's id, which files call Tracker.")


class BulkAnswer(Wire):
    """What became of a bulk request."""

    commit: int = Field(ge=1, description="The commit that holds all of it.")
    taken: int = Field(ge=0, description="Activities added, without those whose id was taken.")


class Links(Wire):
    """The neighbouring pages."""

    next: Uri | None = None
    prev: Uri | None = None


class ExportList(Wire):
    """A page of exports, newest first; the last page has no `links.next`."""

    links: Links
    results: list[ExportResource]


class HttpError(Wire):
    """Every error that has a body and no list of violations."""

    status: int
    title: str
    detail: str
    code: str | None = Field(default=None, description="E0301: too many unfinished exports.")


class BrokenRule(Wire):
    """One thing wrong with the request."""

    name: str
    path: str = Field(description="JSON pointer into the body, or /name for a query parameter.")
    reason: str


class HttpUnprocessableEntityError(HttpError):
    """The request was read but breaks rules: all of them are listed."""

    validation_errors: list[BrokenRule] = Field(min_length=1)


class HealthState(Wire):
    """State of the server and of each part it stands on."""

    status: Literal["ok", "failing"]
    catalog: str
    store: str
    files: str
    worker: str
