"""GET /exports/describe: the columns of a file before it is made. An extension."""

from typing import Annotated

from fastapi import Depends, FastAPI, Query
from pydantic import Field
from starlette.responses import JSONResponse, Response

from outhaul.api.create_body import RowsType
from outhaul.api.errors import not_possible
from outhaul.api.guard import guard
from outhaul.api.openapi import answers
from outhaul.api.routes import Routes
from outhaul.api.services import Services
from outhaul.api.wire import Wire
from outhaul.domain.account import Account, Scope
from outhaul.domain.columns import Column
from outhaul.domain.export import ExportType, FieldType, MemberKind, Version


class DescribedColumn(Wire):
    """One column of a file."""

    id: str = Field(description="The same in every version, whatever the header says.")
    label: str = Field(description="The header, in the account's language.")
    type: FieldType
    activity_types: list[str] | None = Field(
        default=None, description="The types whose rows fill it; left out where every row may."
    )


class DescribedMember(Wire):
    """One file of the archive."""

    kind: MemberKind
    columns: list[DescribedColumn]


class Description(Wire):
    """The files of an export, in their order in the archive."""

    export_type: RowsType
    version: Version
    members: list[DescribedMember]


def add_describe_route(app: FastAPI, services: Services) -> None:
    """Register the call; before `/exports/{exportId}`, which would take its name for an id."""

    def describe(
        account: Annotated[Account, Depends(guard(services, Scope.EXPORT_READ))],
        export_type: Annotated[RowsType, Query(alias="exportType")],
        version: Annotated[Version, Query()] = Version.V1,
    ) -> Response:
        members = services.describe(account, ExportType(export_type), version)
        description = Description(
            export_type=export_type,
            version=version,
            members=[
                DescribedMember(
                    kind=member.kind, columns=[described(column) for column in member.columns]
                )
                for member in members
            ],
        )
        return JSONResponse(description.model_dump(mode="json", by_alias=True, exclude_none=True))

    add = Routes(app, "exports").add
    add("DELETE", "/exports/describe", not_possible, hidden=True)
    add(
        "GET",
        "/exports/describe",
        describe,
        operation_id="describeExport",
        summary="List the columns of a file before it is made (scope export:read)",
        response_model=Description,
        responses=answers(401, 403, 422, 429, 500),
    )


def described(column: Column) -> DescribedColumn:
    """The column as an answer tells it."""
    types = column.activity_types
    return DescribedColumn(
        id=column.id,
        label=column.label,
        type=column.type,
        activity_types=None if types is None else sorted(types),
    )
