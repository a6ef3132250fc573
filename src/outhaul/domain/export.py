"""The export: what a caller asks for, what the caller gets back, and how it is cut and proven."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from outhaul.domain.account import Account, Language
from outhaul.domain.errors import FailureCause
from outhaul.domain.extras import Extras
from outhaul.domain.reports import Report, file_stem
from outhaul.domain.rules import Rule


class MemberKind(StrEnum):
    """Which file of the archive: contacts and reports have one, activities two."""

    CONTACTS = "contacts"
    ERASED = "erased"
    """Contacts that are no more; only where changes were asked for."""
    ACTIVITIES = "activities"
    PRODUCTS = "products"
    REPORT = "report"


class ExportType(StrEnum):
    """What an export holds."""

    CONTACTS = "contacts"
    ACTIVITIES = "activities"
    DATA_EXPLORER = "data-explorer"
    """What a report says of activities."""

    @property
    def members(self) -> tuple[MemberKind, ...]:
        """The files of its archive, in order; that of the product lines may be left out, and one
        of erased contacts may follow."""
        match self:
            case ExportType.CONTACTS:
                return (MemberKind.CONTACTS,)
            case ExportType.ACTIVITIES:
                return (MemberKind.ACTIVITIES, MemberKind.PRODUCTS)
            case ExportType.DATA_EXPLORER:
                return (MemberKind.REPORT,)


ROWS_TYPES = (ExportType.CONTACTS, ExportType.ACTIVITIES)
"""Exports of stored rows, whose columns can be chosen; a report has those of its definition."""


class Delimiter(StrEnum):
    """What stands between two values of a line."""

    COMMA = ","
    SEMICOLON = ";"


class DateFormat(StrEnum):
    """How instants are written; moment's names (contract section 8)."""

    ISO = "ISO"
    L = "L"
    LL = "LL"
    LLL = "LLL"


class Version(StrEnum):
    """The column contract of a file; a released version never changes a byte."""

    V1 = "v1"
    V2 = "v2"
    V3 = "v3"
    V4 = "v4"
    V5 = "v5"
    V6 = "v6"

    @property
    def number(self) -> int:
        return int(self.value[1:])


class ExportStatus(StrEnum):
    """Where an export is in its life."""

    QUEUED = "queued"
    """Asked for and stored durably; no worker has planned it yet."""
    IN_PROGRESS = "inProgress"
    """Planned: its snapshot and row count are fixed, slices are being rendered. Small reports skip
    it."""
    FINISHED = "finished"
    """Complete: the archive is durable and holds exactly the planned rows."""
    ERROR = "error"
    """It will never finish; `failure` says why. No file exists."""


class Origin(StrEnum):
    """Through which door the export came."""

    API = "api"
    APP = "app"


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What the caller narrowed the export down to. Dates are inclusive instants in UTC."""

    segment_id: str | None = None
    from_date: datetime | None = None
    to_date: datetime | None = None
    activity_types: tuple[str, ...] | None = None
    """As the caller spelt them; see `activity_types.canonical`."""
    report_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class ExportRequest:
    """A validated request body."""

    export_type: ExportType
    delimiter: Delimiter
    date_format: DateFormat
    version: Version = Version.V1
    filters: Filters = Filters()
    extras: Extras = field(default_factory=Extras)
    report: Report | None = field(default=None, compare=False)
    """The report as it was when its export was created. Whether two requests ask for the same is
    told by its id alone."""
    days: tuple[date, date] | None = field(default=None, compare=False)
    """The first and the last day that a report covers, in the account's zone."""

    @property
    def file_stem(self) -> str:
        """What the file's name begins with; a uuid follows."""
        if self.report is not None and self.days is not None:
            return file_stem(self.report.name, *self.days)
        return f"export-{self.export_type}"


@dataclass(frozen=True, kw_only=True)
class ArchiveFacts:
    """What is known of a finished archive: where it lies and what it must hash to."""

    key: str
    """Key in the object store."""
    bytes: int
    sha256: str
    """Hex digest of the whole ZIP."""


@dataclass(frozen=True, kw_only=True)
class Export:
    """The resource a caller creates, polls and downloads."""

    id: str
    account_id: str
    request: ExportRequest
    origin: Origin
    status: ExportStatus
    progress: int
    """Rows rendered and recorded so far."""
    total: int
    """Rows of the snapshot; 0 until planned."""
    created_at: datetime
    file_name: str
    """Name of the ZIP; its members carry the same stem. Chosen when the export is created."""
    finished_at: datetime | None = None
    failure: FailureCause | None = None
    replans: int = 0
    """How often it began anew because a contact was erased."""
    archive: ArchiveFacts | None = None


@dataclass(frozen=True, order=True)
class RowKey:
    """The place of a row in the file's order: creation instant (ms since 1970), then id."""

    created_ms: int
    id: str


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which rows of an account an export reads, and as of which commit."""

    kind: MemberKind
    snapshot: int
    segment_id: str | None = None
    rule: Rule | None = None
    """Finds the members of a dynamic segment; None: members are listed."""
    from_date: datetime | None = None
    to_date: datetime | None = None
    activity_types: tuple[str, ...] | None = None
    """Canonical type ids; None means all."""
    changed_since: int | None = None
    """Only what a later commit than this one changed."""
    report: Report | None = None
    """Adds the activities up; its rows' keys are their numbers, from 0."""
    timezone: str = "UTC"
    """IANA name of the zone whose days a report has."""


@dataclass(frozen=True, kw_only=True)
class SlicePlan:
    """A disjoint run of rows: from `first` (included) up to `until` (excluded)."""

    member: MemberKind
    index: int
    """Position within the member, from 0."""
    first: RowKey
    until: RowKey
    rows: int
    """How many rows the plan counted in it."""
    unload: str | None = None
    """Folder of the unload that holds these rows alone; None: they are where the plan says."""


@dataclass(frozen=True, kw_only=True)
class SliceFacts:
    """What a rendered slice turned out to be."""

    rows: int
    text_bytes: int
    """Length of the CSV text, uncompressed."""
    crc32: int
    """CRC-32 of the CSV text."""
    compressed_bytes: int
    sha256: str
    """Hex digest of the compressed bytes."""
    key: str
    """Key in the object store."""
    first: RowKey
    """The first row."""
    last: RowKey
    """The last row (included)."""
    attempt: int
    """Which claim of the slice rendered it."""


class FieldType(StrEnum):
    """Types of field values (contract sections 9 and 11)."""

    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    RADIO = "radio"
    IP = "ip"
    INTEGER = "integer"
    DECIMAL = "decimal"
    """Kept with six decimals, at most twelve digits before them; written without needless zeros."""
    MONEY = "money"
    """A decimal written with at least two decimals."""
    BOOLEAN = "boolean"
    DATE = "date"
    """A calendar day without a zone."""
    INSTANT = "instant"
    """A moment, written in the account's zone (or UTC for ISO)."""
    CHECKBOX = "checkbox"
    """Several option ids or words, joined with a vertical bar."""
    JSON = "json"
    """Compact JSON text."""

    @property
    def is_text(self) -> bool:
        """Whether values are kept as text, which a file shows unchanged."""
        return self not in {
            FieldType.INTEGER,
            FieldType.DECIMAL,
            FieldType.MONEY,
            FieldType.BOOLEAN,
            FieldType.DATE,
            FieldType.INSTANT,
        }


@dataclass(frozen=True, kw_only=True)
class CustomField:
    """A contact field that the account added."""

    id: str
    name: str
    """The header of its column."""
    type: FieldType
    ordinal: int
    """Counted from 1 in creation order; the store keeps its values in column `x<ordinal>`."""


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """Everything but the rows that shapes a file's bytes, fixed when the export is planned."""

    timezone: str
    language: Language
    mobile_push: bool
    custom_fields: tuple[CustomField, ...] = field(default=())

    @classmethod
    def of(cls, account: Account, custom_fields: tuple[CustomField, ...]) -> "Frozen":
        """The account's settings as they are now."""
        return cls(
            timezone=account.timezone,
            language=account.language,
            mobile_push=account.mobile_push,
            custom_fields=custom_fields,
        )
