"""The file that says where in an engine the contacts, activities and segments of accounts are."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from outhaul.domain.activity_types import ACTIVITY_FIELDS, PRODUCT_FIELDS
from outhaul.domain.contact_fields import FIELD_ID, is_field_id
from outhaul.domain.errors import OuthaulError
from outhaul.domain.export import CustomField, FieldType
from outhaul.domain.fields import CONTACT_FIELDS
from outhaul.domain.ids import is_id

Name = Annotated[str, Field(min_length=1, max_length=1000)]

CONTACT_COLUMNS = {field.id: field.type for field in CONTACT_FIELDS}
ACTIVITY_COLUMNS = {
    "id": FieldType.TEXT,
    "type": FieldType.TEXT,
    "createdAt": FieldType.INSTANT,
    "contactId": FieldType.TEXT,
    "email": FieldType.EMAIL,
} | {field.id: field.type for field in ACTIVITY_FIELDS.values()}
PRODUCT_COLUMNS = {"activityId": FieldType.TEXT, "position": FieldType.INTEGER} | {
    field.id: field.type for field in PRODUCT_FIELDS.values()
}
MEMBER_COLUMNS = {"segmentId": FieldType.TEXT, "contactId": FieldType.TEXT}
"""By table: what a mapping may name, with the types that Outhaul needs."""

REQUIRED = {
    "contacts": ("id", "_createdAt"),
    "activities": ("id", "type", "createdAt", "contactId"),
    "products": ("activityId", "position"),
    "members": ("segmentId", "contactId"),
}
COLUMNS = {
    "contacts": CONTACT_COLUMNS,
    "activities": ACTIVITY_COLUMNS,
    "products": PRODUCT_COLUMNS,
    "members": MEMBER_COLUMNS,
}


class MappingRefused(OuthaulError):
    """The file cannot be used; the message names the place in it and what would be right."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class TableMapping(_Part):
    """A table, or files at a path that the engine reads as one."""

    table: Name | None = Field(None, description="Its name, with catalog and schema.")
    path: Name | None = Field(None, description="Instead of a table: where its files lie.")
    format: Literal["parquet", "delta", "iceberg"] = Field(
        "parquet", description="What the files at `path` are."
    )
    account_column: Name | None = Field(
        None, description="The column that says whose row it is, if the table has several accounts."
    )
    columns: dict[str, Name] = Field(description="By Outhaul's id of a field: the column.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.table is None) == (self.path is None):
            raise ValueError("give either a table or a path")
        return self

    @property
    def shown_name(self) -> str:
        """What a person calls it."""
        return self.table or self.path or ""


class CustomMapping(_Part):
    """A contact field of the account's own."""

    id: str = Field(pattern=f"^{FIELD_ID}$")
    name: Name
    type: Literal[
        "text",
        "email",
        "phone",
        "radio",
        "ip",
        "integer",
        "decimal",
        "money",
        "boolean",
        "date",
        "instant",
        "checkbox",
        "json",
    ]
    column: Name


class ContactMapping(TableMapping):
    """The table of contacts."""

    commit_column: Name | None = Field(
        None,
        description="Grows with every change of a contact; of several rows with one id the one"
        " with the greatest value counts. Without it, ids must be unique.",
    )
    deleted_column: Name | None = Field(
        None, description="True in the last row of a contact that is gone."
    )
    custom: tuple[CustomMapping, ...] = ()


class WarehouseMapping(_Part):
    """All of a mapping file."""

    account: str | None = Field(
        None, description="The account whose data it is; else every table has an `account_column`."
    )
    folder: Name = Field(
        description="Where the engine reaches Outhaul's files: a URL or a path of its own."
    )
    contacts: ContactMapping
    activities: TableMapping
    products: TableMapping | None = None
    members: TableMapping | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.account is not None and not is_id(self.account):
            raise ValueError("account: must be the id of an account, 24 hex digits")
        for name, table in self.tables:
            _check_columns(name, table, has_account=self.account is not None)
        ids = [custom.id for custom in self.contacts.custom]
        for id_ in ids:
            if not is_field_id(id_) or id_ in CONTACT_COLUMNS or ids.count(id_) > 1:
                raise ValueError(f"contacts.custom: the id {id_} is taken")
        return self

    @property
    def tables(self) -> tuple[tuple[str, TableMapping], ...]:
        """The tables that there are, by their name in the file."""
        named = (
            ("contacts", self.contacts),
            ("activities", self.activities),
            ("products", self.products),
            ("members", self.members),
        )
        return tuple((name, table) for name, table in named if table is not None)

    def holds(self, account_id: str) -> bool:
        """Whether exports of the account come from here."""
        return self.account in {None, account_id}

    @property
    def custom_fields(self) -> tuple[CustomField, ...]:
        """The contact fields of the accounts' own, in the order of the file."""
        return tuple(
            CustomField(id=one.id, name=one.name, type=FieldType(one.type), ordinal=number)
            for number, one in enumerate(self.contacts.custom, 1)
        )


def _check_columns(name: str, table: TableMapping, *, has_account: bool) -> None:
    for id_ in table.columns:
        if id_ not in COLUMNS[name]:
            raise ValueError(f"{name}.columns: there is no field {id_}")
    for id_ in REQUIRED[name]:
        if id_ not in table.columns:
            raise ValueError(f"{name}.columns: {id_} is missing")
    if (table.account_column is None) != has_account:
        raise ValueError(
            f"{name}: either the file names one account, or each table has an account_column"
        )


def read_mapping(path: Path) -> WarehouseMapping:
    """The mapping in a TOML file. Raises MappingRefused."""
    try:
        return WarehouseMapping.model_validate(_tuples(tomllib.loads(path.read_text())))
    except FileNotFoundError:
        raise MappingRefused(
            f"there is no {path}; `outhaul warehouse init` writes a first draft"
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MappingRefused(f"{path}: {error}") from error
    except ValidationError as error:
        raise MappingRefused(f"{path}: {'; '.join(_reasons(error))}") from None


def _reasons(error: ValidationError) -> Iterable[str]:
    for one in error.errors(include_input=False, include_url=False):
        place = ".".join(str(part) for part in one["loc"])
        reason = one["msg"].removeprefix("Value error, ")
        yield f"{place}: {reason}" if place else reason


def _tuples(value: Any) -> Any:
    """TOML's arrays as the tuples that the strict models take."""
    if isinstance(value, dict):
        return {key: _tuples(inner) for key, inner in value.items()}
    return tuple(_tuples(inner) for inner in value) if isinstance(value, list) else value
