"""Reports as JSON: the resource and the body."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field, PlainValidator, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from outhaul.api.create_body import ActivityTypes
from outhaul.api.violations import violations_from
from outhaul.api.wire import HexId, NotNull, Wire
from outhaul.domain.activity_types import canonical
from outhaul.domain.errors import Invalid, Violation
from outhaul.domain.report_parts import DIMENSIONS, METRICS, Dimension, Metric
from outhaul.domain.reports import LONGEST_REPORT_NAME, MOST_DIMENSIONS, MOST_METRICS, Report


def _schema(table: Mapping[str, Dimension | Metric]) -> WithJsonSchema:
    meanings = "; ".join(f"{id_}: {part.meaning}" for id_, part in table.items())
    return WithJsonSchema({"type": "string", "enum": list(table), "description": meanings})


def _known(table: Mapping[str, object], what: str) -> PlainValidator:
    def check(value: object) -> str:
        if not isinstance(value, str) or value not in table:
            raise PydanticCustomError("part", f"must be a known {what}")
        return value

    return PlainValidator(check)


_Dimension = Annotated[str, _known(DIMENSIONS, "dimension"), _schema(DIMENSIONS)]
_Metric = Annotated[str, _known(METRICS, "metric"), _schema(METRICS)]


class ReportBody(Wire):
    """A report to be made or changed."""

    name: str = Field(min_length=1, max_length=LONGEST_REPORT_NAME, pattern=r"^[^\x00]+$")
    dimensions: list[_Dimension] = Field(
        description="What groups activities; the first columns of the file.",
        json_schema_extra={"maxItems": MOST_DIMENSIONS, "uniqueItems": True},
    )
    metrics: list[_Metric] = Field(
        description="What is told of each group; the columns after them.",
        json_schema_extra={"minItems": 1, "maxItems": MOST_METRICS, "uniqueItems": True},
    )
    activity_types: Annotated[ActivityTypes | None, NotNull] = Field(
        default=None,
        description="Only activities of these types; left out: those that the metrics count.",
    )


class ReportResource(ReportBody):
    """A saved report."""

    id: HexId


class ReportList(Wire):
    """Every report, by name."""

    results: list[ReportResource]


REPORT_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **ReportBody.model_json_schema(),
}
"""The published JSON Schema of a report."""


def read_report(body: Any, id_: str) -> Report:
    """The report in a parsed body, under this id. Raises Invalid with every violation."""
    faults: list[Violation] = []
    read = None
    try:
        read = ReportBody.model_validate(body, by_alias=True, by_name=False)
    except ValidationError as error:
        faults += violations_from(error.errors(include_url=False, include_input=False))
    if isinstance(body, dict):
        # Rules over values are judged on the body as sent: its shape may be wrong elsewhere.
        faults += _broken_rules(body)
    if read is None or faults:
        raise Invalid(faults, detail="The report is not valid.")
    return Report(
        id=id_,
        name=read.name,
        dimensions=tuple(read.dimensions),
        metrics=tuple(read.metrics),
        activity_types=None if read.activity_types is None else tuple(read.activity_types),
    )


def _broken_rules(body: Mapping[str, Any]) -> Iterator[Violation]:
    for name, most in (("dimensions", MOST_DIMENSIONS), ("metrics", MOST_METRICS)):
        given = body.get(name)
        if not isinstance(given, list):
            continue
        if len(given) > most:
            yield _fault(f"/{name}", f"must have at most {most}")
        for place, id_ in enumerate(given):
            if isinstance(id_, str) and id_ in given[:place]:
                yield _fault(f"/{name}/{place}", "is there already")
    metrics, types = body.get("metrics"), body.get("activityTypes")
    if metrics == []:
        yield _fault("/metrics", "must have at least one")
    if isinstance(metrics, list) and isinstance(types, list):
        yield from _never_counted(metrics, types)


def _never_counted(metrics: list[Any], types: list[Any]) -> Iterator[Violation]:
    named = {canonical(type_) for type_ in types if isinstance(type_, str)}
    for place, id_ in enumerate(metrics):
        metric = METRICS.get(id_) if isinstance(id_, str) else None
        if metric is not None and metric.types is not None and metric.types.isdisjoint(named):
            reason = f"counts {', '.join(sorted(metric.types))}, which activityTypes leaves out"
            yield _fault(f"/metrics/{place}", reason)


def _fault(path: str, reason: str) -> Violation:
    return Violation(name=path.rpartition("/")[2], path=path, reason=reason)


def report_resource(report: Report) -> dict[str, Any]:
    """The JSON object."""
    resource: dict[str, Any] = {
        "id": report.id,
        "name": report.name,
        "dimensions": list(report.dimensions),
        "metrics": list(report.metrics),
    }
    if report.activity_types is not None:
        resource["activityTypes"] = list(report.activity_types)
    return resource
