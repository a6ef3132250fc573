"""The command that asks the API for the same export."""

import json
import shlex
from typing import Any

from pydantic.alias_generators import to_camel

from outhaul.domain.export import ExportRequest
from outhaul.domain.instants import to_text


def request_body(request: ExportRequest) -> dict[str, Any]:
    """The JSON body that makes this request."""
    filters = request.filters
    if request.days is not None:
        first, last = (day.isoformat() for day in request.days)
        days = {"reportId": filters.report_id, "fromDate": first, "toDate": last}
        return {"delimiter": request.delimiter.value, "filters": days}
    given = {
        "segmentId": filters.segment_id,
        "fromDate": filters.from_date and to_text(filters.from_date),
        "toDate": filters.to_date and to_text(filters.to_date),
        "activityTypes": filters.activity_types and list(filters.activity_types),
    }
    narrowed = {name: value for name, value in given.items() if value is not None}
    return {
        "exportType": request.export_type.value,
        "delimiter": request.delimiter.value,
        "dateFormat": request.date_format.value,
        "version": request.version.value,
        **({"filters": narrowed} if narrowed else {}),
        **{to_camel(name): value for name, value in request.extras.asked.items()},
    }


def curl(request: ExportRequest, server: str) -> str:
    """A command for a shell that has the key in `OUTHAUL_KEY`."""
    body = json.dumps(request_body(request), indent=2)
    path = "/exports/" if request.report is None else "/exports/type/data-explorer"
    return " \\\n  ".join(
        (
            f"curl {shlex.quote(server + path)}",
            '-H "Authorization: apiKey $OUTHAUL_KEY"',
            "-H 'Content-Type: application/json'",
            f"-d {shlex.quote(body)}",
        )
    )
