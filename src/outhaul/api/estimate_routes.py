"""POST /exports/estimate: what an export would be, before it is made. An extension."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI
from pydantic import Field
from starlette.responses import JSONResponse, Response

from outhaul.api.body import read_json
from outhaul.api.create_body import asked_of
from outhaul.api.describe_routes import DescribedColumn, described
from outhaul.api.errors import not_possible
from outhaul.api.guard import guard
from outhaul.api.openapi import CREATE_BODY, answers
from outhaul.api.routes import Routes
from outhaul.api.services import Services
from outhaul.api.wire import Wire
from outhaul.domain.account import Account, Scope
from outhaul.domain.estimate import Estimate, MemberEstimate
from outhaul.domain.export import MemberKind

Count = Annotated[int, Field(ge=0)]


class EstimatedMember(Wire):
    """One file of the archive, or one Parquet data set."""

    kind: MemberKind
    rows: Count
    bytes: Count = Field(description="Length of the text, or of the Parquet files, about.")
    columns: list[DescribedColumn]
    sample: list[dict[str, str]] = Field(
        description="The first ten rows: values by column id, as the file writes them, or as JSON"
        " Lines would for Parquet; a missing value is left out."
    )


class EstimatedExport(Wire):
    """What the export would be if it was made now."""

    snapshot: Count = Field(description="The commit as of which rows were counted.")
    rows: Count = Field(description="Exactly the rows of that commit.")
    bytes: Count = Field(description="Length of the files, unpacked, about.")
    compressed_bytes: Count = Field(description="Length of the file to download, about.")
    seconds: float = Field(
        ge=0, description="From the start of the work to the finished file, about."
    )
    learned_from: Count = Field(description="How many past exports `seconds` follows from.")
    members: list[EstimatedMember]


def add_estimate_route(app: FastAPI, services: Services) -> None:
    """Register the call; before `/exports/{exportId}`, which would take its name for an id."""

    def estimate(
        account: Annotated[Account, Depends(guard(services, Scope.EXPORT_READ))],
        body: Annotated[Any, Depends(read_json)],
    ) -> Response:
        told = _told(services.estimate(account, asked_of(services, account, body)))
        return JSONResponse(told.model_dump(mode="json", by_alias=True, exclude_none=True))

    add = Routes(app, "exports").add
    for method in ("GET", "DELETE"):
        add(method, "/exports/estimate", not_possible, hidden=True)
    add(
        "POST",
        "/exports/estimate",
        estimate,
        operation_id="estimateExport",
        summary="Tell rows, bytes, seconds and ten rows of an export before it is made"
        " (scope export:read)",
        response_model=EstimatedExport,
        responses=answers(400, 401, 403, 413, 415, 422, 429, 500),
        openapi_extra=CREATE_BODY,
    )


def _told(estimate: Estimate) -> EstimatedExport:
    return EstimatedExport(
        snapshot=estimate.snapshot,
        rows=estimate.rows,
        bytes=estimate.bytes,
        compressed_bytes=estimate.compressed_bytes,
        seconds=round(estimate.seconds, 2),
        learned_from=estimate.learned_from,
        members=[_member(member) for member in estimate.members],
    )


def _member(member: MemberEstimate) -> EstimatedMember:
    return EstimatedMember(
        kind=member.kind,
        rows=member.rows,
        bytes=member.bytes,
        columns=[described(column) for column in member.columns],
        sample=[
            {
                column.id: value
                for column, value in zip(member.columns, row, strict=True)
                if value is not None
            }
            for row in member.sample
        ],
    )
