"""A first draft of a mapping, from the names in an engine's catalog."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from outhaul.domain.activity_types import ACTIVITY_FIELDS, PRODUCT_FIELDS
from outhaul.domain.fields import CONTACT_FIELDS
from outhaul.warehouse.engine import EngineColumn, WarehouseEngine
from outhaul.warehouse.mapping import COLUMNS, REQUIRED, TableMapping

_TABLE_NAMES = {
    "contacts": ("contact", "customer", "user", "person", "people", "subscriber", "lead"),
    "activities": ("activit", "event", "interaction"),
    "products": ("product_line", "line_item", "order_line", "purchase_line", "purchase_product"),
    "members": ("segment_member", "member", "audience", "segment"),
}
"""Parts of table names, the most telling first."""

_CONTACT_ID = ("contactid", "customerid", "userid", "personid", "subscriberid")
_CREATED = ("createdat", "created", "creationdate", "createdon", "insertedat")
_OTHER_NAMES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "contacts": {
        "id": (*_CONTACT_ID, "uuid"),
        "_email": ("emailaddress", "mail"),
        "_name": ("firstname", "givenname"),
        "_surname": ("lastname", "familyname"),
        "_mobilePhone": ("phone", "phonenumber", "mobile"),
        "_birthdate": ("birthday", "dateofbirth"),
        "_createdAt": (*_CREATED, "signupdate", "registeredat"),
        "_updatedAt": ("updated", "modifiedat", "updatedon", "lastmodified"),
    },
    "activities": {
        "id": ("activityid", "eventid", "uuid"),
        "type": ("activitytype", "eventtype", "event", "kind"),
        "createdAt": (*_CREATED, "timestamp", "ts", "occurredat", "happenedat", "eventtime"),
        "contactId": _CONTACT_ID,
    },
    "products": {
        "activityId": ("purchaseid", "orderid", "eventid"),
        "position": ("line", "lineno", "linenumber", "itemindex"),
        "productId": ("sku", "itemid"),
        "productName": ("name", "title"),
        "quantity": ("qty", "amount", "units"),
    },
    "members": {"segmentId": ("segment", "audienceid"), "contactId": _CONTACT_ID},
}
"""By table and field: what else a column with it is called, without marks between words."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A table of the engine for one of Outhaul's."""

    mapping: TableMapping
    columns: Sequence[EngineColumn]


def find_tables(
    engine: WarehouseEngine, named: Mapping[str, str | None]
) -> dict[str, Candidate | None]:
    """For contacts, activities, products and members: the table or path that the caller `named`,
    else the one of the engine's catalog whose name tells the most; None where there is none."""
    tables = None
    found: dict[str, Candidate | None] = {}
    for role, telling in _TABLE_NAMES.items():
        place = named.get(role)
        if place is None:
            tables = engine.tables() if tables is None else tables
            taken = {one.mapping.shown_name for one in found.values() if one is not None}
            place = next(
                (
                    table
                    for part in telling
                    for table in tables
                    if part in table.rpartition(".")[2].lower() and table not in taken
                ),
                None,
            )
        found[role] = None if place is None else _candidate(engine, place)
    return found


def draft(account_id: str, folder: str, tables: Mapping[str, Candidate | None]) -> str:
    """The text of a mapping file; what a person has to fill in or decide stands in comments."""
    return "\n".join(
        [
            "# Where Outhaul finds the contacts, activities and segments of an account.",
            "# A first draft: look through it, then run `outhaul warehouse check`.",
            "",
            f"account = {_text(account_id)}",
            "# Outhaul's files as the engine reaches them.",
            f"folder = {_text(folder)}",
            *(line for role, table in tables.items() for line in _table(role, table)),
            "",
        ]
    )


def _candidate(engine: WarehouseEngine, place: str) -> Candidate | None:
    here = {"path": place} if "/" in place else {"table": place}
    mapping = TableMapping.model_validate(here | {"columns": {}})
    columns = engine.columns(mapping)
    return None if columns is None else Candidate(mapping=mapping, columns=columns)


def _table(role: str, table: Candidate | None) -> Iterable[str]:
    yield ""
    if table is None:
        optional = "" if role in {"contacts", "activities"} else "; leave it out if you have none"
        yield f"# No table looks like {role}{optional}."
        yield f"# [{role}]"
        yield '# table = ""'
        return
    key = "table" if table.mapping.table else "path"
    yield f"[{role}]"
    yield f"{key} = {_text(table.mapping.shown_name)}"
    if role == "contacts":
        yield '# commit_column = ""   # if a contact has several rows: the last one counts'
        yield '# deleted_column = ""  # if it tells contacts that are gone'
    yield f"[{role}.columns]"
    left = {_bare(column.name): column for column in table.columns}
    for id_ in COLUMNS[role]:
        column = next((left.pop(name) for name in _names(role, id_) if name in left), None)
        if column is not None:
            yield f"{_key(id_)} = {_text(column.name)}"
        elif id_ in REQUIRED[role]:
            yield f'# {id_} = ""  # needed, and no column looks like it'
    if left:
        yield f"# Not used: {', '.join(json.dumps(column.name) for column in left.values())}"
        if role == "contacts":
            yield "# Each can be a field of your own:"
            yield '# [[contacts.custom]]\n# id = ""\n# name = ""\n# type = "text"\n# column = ""'


def _names(role: str, id_: str) -> Iterable[str]:
    yield _bare(id_)
    labels = {
        "contacts": {field.id: field.label_en for field in CONTACT_FIELDS},
        "activities": {field.id: field.label_en for field in ACTIVITY_FIELDS.values()},
        "products": {field.id: field.label_en for field in PRODUCT_FIELDS.values()},
    }.get(role, {})
    if id_ in labels:
        yield _bare(labels[id_])
    yield from _OTHER_NAMES[role].get(id_, ())


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _key(id_: str) -> str:
    return id_ if re.fullmatch(r"[A-Za-z0-9_-]+", id_) else _text(id_)


def _text(value: str) -> str:
    """A TOML string; JSON's escapes are among TOML's."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
