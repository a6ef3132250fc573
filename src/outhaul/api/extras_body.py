"""The part of a create's body that goes beyond the contract."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from outhaul.api.services import MemberDescription
from outhaul.api.wire import NotNull, Wire
from outhaul.domain.errors import Violation
from outhaul.domain.export import ExportType, MemberKind, Version
from outhaul.domain.extras import Extras

Describe = Callable[[ExportType, Version], Sequence[MemberDescription]]
"""The files of an export of the account made now."""


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


class ActivitiesExtrasBody(ExtrasBody):
    """Extensions for exports of activities."""

    product_columns: Annotated[ColumnIds | None, NotNull] = None


def extras_of(read: ExtrasBody) -> Extras:
    """The extensions in a body of the right shape."""
    products = read.product_columns if isinstance(read, ActivitiesExtrasBody) else None
    return Extras(
        columns=None if read.columns is None else tuple(read.columns),
        product_columns=None if products is None else tuple(products),
        bom=read.bom,
        formula_guard=read.formula_guard,
    )


def broken_extras(body: Mapping[str, Any], describe: Describe) -> Iterator[Violation]:
    """Rules over the values of extensions, judged on the body as sent."""
    yield from _columns(body, describe)


def _columns(body: Mapping[str, Any], describe: Describe) -> Iterator[Violation]:
    asked = {name: body.get(name) for name in ("columns", "productColumns")}
    try:
        export_type = ExportType(body["exportType"])
        version = Version(body.get("version", Version.V1))
    except (KeyError, ValueError):
        return
    if not any(isinstance(ids, list) for ids in asked.values()):
        return
    for member in describe(export_type, version):
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
