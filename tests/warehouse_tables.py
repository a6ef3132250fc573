"""A shop's data as the tables that a user keeps in an engine of their own: Parquet files with
names and types that are not Outhaul's."""

from pathlib import Path
from typing import Any

from outhaul.domain.activity_types import ACTIVITY_FIELDS, PRODUCT_FIELDS
from outhaul.domain.fields import CONTACT_FIELDS
from outhaul.store.families import FAMILIES
from outhaul.warehouse.mapping import WarehouseMapping
from tests.pipeline_shop import PipelineShop

HOSTILE = """it's "a" `b` \\ ; -- %s"""
"""A name that no quoting by hand survives."""


def column(id_: str) -> str:
    """What the user's tables call a field of Outhaul's."""
    return HOSTILE if id_ in {"_name", "url"} else f"the {id_}"


def write_tables(shop: PipelineShop, folder: Path) -> None:
    """The newest state of the shop's store as files contacts, activities, products, members."""
    custom = [f"x{field.ordinal}" for field in shop.fields.as_of(shop.account.id, 1 << 60)]
    contacts = ", ".join(_named(id_) for id_ in [*(f.id for f in CONTACT_FIELDS), *custom])
    shared = ", ".join(_named(id_) for id_ in ("id", "type", "createdAt", "contactId"))
    families = " UNION ALL BY NAME ".join(
        f"SELECT {shared}{''.join(_plain(field) for field in family.fields)} FROM {family.table}"
        for family in FAMILIES
    )
    lines = "".join(_plain(field) for field in PRODUCT_FIELDS.values())
    tables = {
        "contacts": f"SELECT {contacts} FROM contacts WHERE commit_to = 9223372036854775807",
        "activities": families,
        "products": f"SELECT {_named('activityId')}, {_named('position')}{lines}"
        " FROM product_lines",
        "members": 'SELECT segment_id AS "the segmentId", contact_id AS "the contactId"'
        " FROM segment_members WHERE commit_to = 9223372036854775807",
    }
    with shop.engine.session(shop.account.id) as connection:
        for name, query in tables.items():
            connection.execute(f"COPY ({query}) TO '{folder / name}.parquet' (FORMAT parquet)")


def mapping(shop: PipelineShop, folder: Path, files: Path, **changes: Any) -> WarehouseMapping:
    """What a user would write of these tables."""
    custom = [
        {
            "id": field.id,
            "name": field.name,
            "type": field.type.value,
            "column": column(f"x{field.ordinal}"),
        }
        for field in shop.fields.as_of(shop.account.id, 1 << 60)
    ]
    activity = ["id", "type", "createdAt", "contactId", *ACTIVITY_FIELDS]
    raw: dict[str, Any] = {
        "account": shop.account.id,
        "folder": f"file://{files}",
        "contacts": {
            "path": f"{folder}/contacts.parquet",
            "columns": {field.id: column(field.id) for field in CONTACT_FIELDS},
            "custom": tuple(custom),
        },
        "activities": {
            "path": f"{folder}/activities.parquet",
            "columns": {id_: column(id_) for id_ in activity},
        },
        "products": {
            "path": f"{folder}/products.parquet",
            "columns": {id_: column(id_) for id_ in ["activityId", "position", *PRODUCT_FIELDS]},
        },
        "members": {
            "path": f"{folder}/members.parquet",
            "columns": {id_: column(id_) for id_ in ("segmentId", "contactId")},
        },
    }
    for name, change in changes.items():
        raw[name] = raw[name] | change if isinstance(change, dict) else change
    return WarehouseMapping.model_validate(raw)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _named(id_: str) -> str:
    return f"{_quoted(id_)} AS {_quoted(column(id_))}"


def _plain(field: Any) -> str:
    """The field as users keep it: text without the quotes of a finished cell."""
    name = _quoted(field.id)
    plain = f"""replace({name}[2:-2], '""', '"')""" if field.type.is_text else name
    return f", {plain} AS {_quoted(column(field.id))}"
