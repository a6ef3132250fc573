"""The manifest: what a finished archive is made of, so that anyone can check it.

Its text is canonical JSON (RFC 8785: sorted keys, no spaces), and `digest` is the SHA-256 of that
text without `digest` itself.
"""

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from outhaul.domain.errors import OuthaulError
from outhaul.domain.json_schema import tidy

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Crc32 = Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]
Count = Annotated[int, Field(ge=0)]


class ManifestUnreadable(OuthaulError):
    """The text is no manifest that this Outhaul understands."""


class _Part(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        json_schema_extra=tidy,
        populate_by_name=True,
        strict=True,
    )


class RowPlace(_Part):
    """The key of a row: rows stand in the order of creation instant, then id."""

    created_at: str
    id: str = Field(description="Contact id or activity id.")


class SliceProof(_Part):
    """A run of rows that was rendered and compressed by itself."""

    rows: Count
    bytes: Count = Field(description="Length of the text.")
    crc32: Crc32 = Field(description="CRC-32 of the text, in hex.")
    compressed_bytes: Count
    sha256: Sha256 = Field(description="SHA-256 of the compressed bytes, in hex.")
    first: RowPlace | None = Field(default=None, description="Absent where rows have no keys.")
    last: RowPlace | None = None
    attempt: int = Field(ge=1, description="Which claim of the slice gave these bytes.")


class HeaderProof(_Part):
    """What stands before the first slice: the line of headers, or a Parquet file without rows."""

    bytes: Count
    compressed_bytes: Count


class ColumnEntry(_Part):
    """One column of a member."""

    id: str
    label: str
    type: str


class MemberProof(_Part):
    """A file of the archive."""

    name: str
    rows: Count = Field(description="Without the line of headers.")
    bytes: Count
    crc32: Crc32
    compressed_bytes: Count
    columns: tuple[ColumnEntry, ...] | None = Field(
        default=None,
        description="Absent for further files of a Parquet data set: those of the first one, with"
        " the same `columnsSha256`.",
    )
    columns_sha256: Sha256 = Field(description="SHA-256 of `columns` as canonical JSON.")
    header: HeaderProof
    slices: tuple[SliceProof, ...]


class ArchiveProof(_Part):
    """The whole ZIP."""

    file_name: str
    bytes: Count
    sha256: Sha256


class TableEntry(_Part):
    """A table of a warehouse."""

    role: str = Field(description="What its rows are: contacts, activities, products, members.")
    name: str
    version: str | None = Field(
        default=None, description="The version that was read; absent where tables have none."
    )


class WarehouseEntry(_Part):
    """The tables that the rows were read from, instead of a store of Outhaul's own."""

    engine: str
    tables: tuple[TableEntry, ...]
    guarantee: Literal["versions", "asFound"] = Field(
        description="`versions`: every table was read as of the version named. `asFound`: tables"
        " without a version were read as they were while the engine worked; changes of that time"
        " may be in the file or not."
    )


class SnapshotEntry(_Part):
    """The commit as of which every row was read."""

    number: Count
    at: str | None = Field(default=None, description="Absent while the account has no data.")
    warehouse: WarehouseEntry | None = Field(
        default=None, description="Absent for data that Outhaul stores."
    )


class CompressorEntry(_Part):
    """Compressed bytes are only promised to repeat with the same one."""

    name: str
    level: int


class FiltersEntry(_Part):
    """The filters that were asked for."""

    activity_types: tuple[str, ...] | None = None
    from_date: str | None = None
    to_date: str | None = None
    segment_id: str | None = None
    report_id: str | None = None


class ExtrasEntry(_Part):
    """What was asked for beyond the contract."""

    columns: tuple[str, ...] | None = None
    product_columns: tuple[str, ...] | None = None
    bom: bool | None = None
    formula_guard: bool | None = Field(
        default=None, description="Text that a spreadsheet would run has an apostrophe in front."
    )
    changed_since: Count | None = Field(
        default=None, description="Only contacts changed or erased after this commit."
    )
    format: str | None = None
    compression: str | None = None
    allow_long_window: bool | None = None


class ManifestContent(_Part):
    """All of a manifest but its digest."""

    manifest: Literal[1] = Field(default=1, description="Version of this layout.")
    outhaul: str = Field(description="The version of Outhaul that assembled the archive.")
    export_id: str
    export_type: str
    version: str
    date_format: str
    delimiter: str
    filters: FiltersEntry
    extras: ExtrasEntry | None = Field(default=None, description="Absent: nothing.")
    timezone: str
    language: str
    created_at: str
    snapshot: SnapshotEntry
    compressor: CompressorEntry
    replans: int | None = Field(
        default=None,
        ge=1,
        description="How often the export began anew because a contact was erased; absent: never.",
    )
    rows: Count
    archive: ArchiveProof
    members: tuple[MemberProof, ...]


class Manifest(ManifestContent):
    """What a finished export is made of, and what it can be checked against."""

    digest: Sha256 = Field(
        description="SHA-256 of this object without `digest`, as canonical JSON (RFC 8785)."
    )

    def text(self) -> str:
        """Canonical JSON."""
        return canonical_json(_plain(self))

    def true_digest(self) -> str:
        """What `digest` has to be."""
        return _digest({name: value for name, value in _plain(self).items() if name != "digest"})


def sealed(content: ManifestContent) -> Manifest:
    """The content with its digest."""
    plain = _plain(content)
    return Manifest.model_validate(plain | {"digest": _digest(plain)}, strict=False)


def columns_digest(columns: tuple[ColumnEntry, ...]) -> str:
    """The hash of a column list, in hex."""
    return _digest([_plain(column) for column in columns])


def read_manifest(text: bytes) -> Manifest:
    """The manifest in a text. Raises ManifestUnreadable and names what is wrong first."""
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = "/".join(str(part) for part in first["loc"])
        raise ManifestUnreadable(f"this is no manifest: {place}: {first['msg']}") from None


def canonical_json(value: Any) -> str:
    """RFC 8785, for values whose keys are ASCII and whose numbers are whole."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _plain(part: _Part) -> dict[str, Any]:
    return part.model_dump(mode="json", by_alias=True, exclude_none=True)


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
