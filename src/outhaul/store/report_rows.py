"""The rows of a report as SQL: activities as of a snapshot, grouped and added up, numbered."""

from dataclasses import replace
from datetime import UTC, datetime

from outhaul.domain.activity_types import ACTIVITY_FIELDS, ACTIVITY_TYPES
from outhaul.domain.dates import zone_transitions
from outhaul.domain.export import FieldType, MemberKind, Selection
from outhaul.domain.report_parts import DIMENSIONS, METRICS, Dimension, Measure, Metric, TimePart
from outhaul.domain.reports import Report
from outhaul.store.purchases import average_sql
from outhaul.store.schema import SQL_TYPES
from outhaul.store.selection import Part, Query, of_types, query, query_of

_TIME_PARTS = {
    TimePart.YEAR: "year(clock)",
    TimePart.MONTH: "month(clock)",
    TimePart.DAY: "day(clock)",
    TimePart.DATE: "CAST(clock AS DATE)",
    TimePart.WEEKDAY: "isodow(clock)",
    TimePart.HOUR: "hour(clock)",
}


def report_rows(selection: Selection, report: Report) -> Query:
    """The report's rows, ordered by its dimensions, as columns named like them and its metrics.

    Text is as the store keeps it, as finished cells; only `activityType` is plain. The key of a
    row is its number, from 0, as milliseconds since 1970.
    """
    dimensions = [DIMENSIONS[id_] for id_ in report.dimensions]
    metrics = [METRICS[id_] for id_ in report.metrics]
    activities = query(replace(selection, kind=MemberKind.ACTIVITIES), identities_changed=False)
    named = [one.field for one in dimensions] + [one.field for one in metrics]
    fields = sorted({field for field in named if field is not None})
    clock = _local(selection)
    held = " UNION ALL ".join(
        _activities(activities, part, fields, clock) for part in activities.parts
    )
    columns = [f'{_dimension(one)} AS "{one.id}"' for one in dimensions]
    columns += [f'{_metric(one)} AS "{one.id}"' for one in metrics]
    order = ", ".join(f"{_ordering(one)} NULLS FIRST" for one in dimensions) or "true"
    grouped = f"SELECT {', '.join(columns)} FROM ({held}) AS held GROUP BY ALL"
    numbered = (
        f"SELECT make_timestamp_ms(row_number() OVER (ORDER BY {order}) - 1) AS place, '' AS id,"
        f" grouped.* FROM ({grouped}) AS grouped"
    )
    part = Part(table=f"({numbered}) AS rows")
    return query_of(selection, (part,), activities.parameters)


def _activities(rows: Query, part: Part, fields: list[str], clock: str) -> str:
    """What a report may need of a table's activities; other tables may lack some of the fields."""
    there = {field for type_ in part.types for field in ACTIVITY_TYPES[type_].fields}
    columns = "".join(
        f', "{field}"'
        if field in there
        else f', CAST(NULL AS {SQL_TYPES[ACTIVITY_FIELDS[field].type]}) AS "{field}"'
        for field in fields
    )
    return f'SELECT type, "contactId", {clock} AS clock{columns} FROM {rows.source(part)}'


def _local(selection: Selection) -> str:
    """The TIMESTAMP that the zone's clocks show; in the time selected they change seldom."""
    first, last = selection.from_date, selection.to_date
    assert first is not None, "a report has dates"
    assert last is not None, "a report has dates"
    changes = zone_transitions(selection.timezone, first.year, last.year)
    before = [change for change in changes if change.at <= first.timestamp()]
    during = [change for change in changes if first < _instant(change.at) <= last]
    offsets = [before[-1].offset, *(change.offset for change in during)]
    clocks = [f'"createdAt" + to_seconds({offset})' for offset in offsets]
    branches = "".join(
        f" WHEN \"createdAt\" < TIMESTAMP '{_instant(change.at):%Y-%m-%d %H:%M:%S}' THEN {clock}"
        for change, clock in zip(during, clocks, strict=False)
    )
    return f"CASE{branches} ELSE {clocks[-1]} END" if branches else clocks[-1]


def _instant(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def _dimension(dimension: Dimension) -> str:
    if dimension.time is not None:
        return _TIME_PARTS[dimension.time]
    if dimension.field is None:
        return "type"
    if dimension.types is None:
        return f'"{dimension.field}"'
    return f'CASE WHEN {of_types(dimension.types)} THEN "{dimension.field}" END'


def _ordering(dimension: Dimension) -> str:
    """Texts stand in the order of their bytes, which is not that of their cells."""
    name = f'"{dimension.id}"'
    return name if dimension.field is None else f"""replace({name}[2:-2], '""', '"')"""


def _metric(metric: Metric) -> str:
    condition = "" if metric.types is None else f" FILTER (WHERE {of_types(metric.types)})"
    field = f'"{metric.field}"'
    match metric.measure:
        case Measure.COUNT:
            return f"count(*){condition}"
        case Measure.CONTACTS:
            return f'count(DISTINCT "contactId"){condition}'
        case Measure.SUM:
            total = f"coalesce(sum({field}){condition}, 0)"
            # The engine sums whole numbers up in a type that Parquet does not have.
            return total if metric.type is FieldType.MONEY else f"CAST({total} AS DECIMAL(38, 0))"
        case Measure.AVERAGE:
            total, n = f"(sum({field}){condition})", f"(count({field}){condition})"
            return f"CASE WHEN {n} > 0 THEN {average_sql(total, n)} END"
