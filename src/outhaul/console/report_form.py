"""The forms of reports: their fields as they were filled in, and what they mean to the API."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from outhaul.console.choosers import Chooser, Option
from outhaul.console.export_form import invalid_form, plain_day, window_words
from outhaul.console.visit import Form
from outhaul.domain.account import Account
from outhaul.domain.errors import Invalid, Violation
from outhaul.domain.export import Delimiter, ExportRequest
from outhaul.domain.report_parts import DIMENSIONS, METRICS, Dimension, Metric
from outhaul.domain.reports import LONGEST_REPORT_NAME, MOST_DIMENSIONS, MOST_METRICS, Report
from outhaul.domain.windows import MAX_WINDOW_DAYS

MOST_DAYS = MAX_WINDOW_DAYS + 1
"""Both days that are at most so far apart belong to the report."""

_FIELDS = {
    "name": "name",
    "dimensions": "dimension",
    "metrics": "metric",
    "activityTypes": "activity",
    "fromDate": "first",
    "toDate": "last",
    "delimiter": "delimiter",
    "reportId": "report",
}
"""The field of a form by the property of the body that it fills."""


@dataclass(frozen=True, kw_only=True)
class ReportForm:
    """What stands in the form of a report."""

    name: str = ""
    dimensions: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    """None chosen means those that the metrics count."""

    @classmethod
    def of(cls, form: Form) -> "ReportForm":
        """The fields that were sent."""
        return cls(
            name=form.get("name"),
            dimensions=tuple(form.all("dimension")),
            metrics=tuple(form.all("metric")),
            types=tuple(form.all("activity")),
        )

    @classmethod
    def showing(cls, report: Report) -> "ReportForm":
        """The form of a report that is there."""
        return cls(
            name=report.name,
            dimensions=report.dimensions,
            metrics=report.metrics,
            types=report.activity_types or (),
        )

    def report(self, id_: str, read: Callable[[Any, str], Report]) -> Report:
        """The report under this id; `read` makes it of the body that a program would send. Raises
        Invalid with all that is wrong, by field of the form."""
        body: dict[str, Any] = {
            "name": self.name,
            "dimensions": list(self.dimensions),
            "metrics": list(self.metrics),
        }
        if self.types:
            body["activityTypes"] = list(self.types)
        try:
            return read(body, id_)
        except Invalid as invalid:
            faults: dict[str, str] = {}
            for violation in invalid.violations:
                field = _field(violation)
                faults.setdefault(field, self._words(field, violation))
            raise invalid_form(faults) from None

    @property
    def choosers(self) -> list[Chooser]:
        """The choices of dimensions and of metrics."""
        return [
            Chooser(
                name="dimension",
                title="Rows",
                noun="dimension",
                options=_options(DIMENSIONS),
                asked=self.dimensions,
                most=MOST_DIMENSIONS,
                hint="Activities with the same values share a row, and rows are ordered by them."
                f" At most {MOST_DIMENSIONS}; none chosen means one row of totals.",
            ),
            Chooser(
                name="metric",
                title="Numbers",
                noun="metric",
                options=_options(METRICS),
                asked=self.metrics,
                most=MOST_METRICS,
                hint=f"What is told of each row: 1 to {MOST_METRICS}.",
            ),
        ]

    def _words(self, field: str, violation: Violation) -> str:
        place = violation.path.rpartition("/")[2]
        match field:
            case "name":
                return f"A name has 1 to {LONGEST_REPORT_NAME} characters."
            case "activity":
                return "One of these is no activity type."
            case "metric" if not self.metrics:
                return "Choose at least one."
            case "metric" if violation.reason.startswith("counts ") and place.isdigit():
                reason = violation.reason.replace("activityTypes leaves", "the chosen types leave")
                return f"{self.metrics[int(place)]} {reason}."
            case "dimension" | "metric" if place.isdigit():
                return f"One of these {violation.reason}."
            case _:
                return f"{violation.reason[:1].upper()}{violation.reason[1:]}."


@dataclass(frozen=True, kw_only=True)
class ReportExportForm:
    """What stands in the form that exports a report."""

    first_day: str = ""
    last_day: str = ""
    delimiter: str = Delimiter.COMMA.value

    @classmethod
    def of(cls, form: Form) -> "ReportExportForm":
        """The fields that were sent."""
        return cls(
            first_day=form.get("first"),
            last_day=form.get("last"),
            delimiter=form.get("delimiter"),
        )

    def request(
        self, account: Account, report_id: str, read: Callable[[Account, Any], ExportRequest]
    ) -> ExportRequest:
        """What the form asks for; `read` makes a request of the body that a program would send.
        Raises Invalid with all that is wrong, by field of the form."""
        days = {"fromDate": self.first_day, "toDate": self.last_day}
        body = {"delimiter": self.delimiter, "filters": {"reportId": report_id, **days}}
        try:
            return read(account, body)
        except Invalid as invalid:
            raise invalid_form(
                {field: self._words(field) for field in map(_field, invalid.violations)}
            ) from None

    def _words(self, field: str) -> str:
        match field:
            case "first":
                return "Choose the first day."
            case "last" if plain_day(self.last_day) is None:
                return "Choose the last day."
            case "last":
                return window_words(self.first_day, self.last_day, most=MOST_DAYS)
            case "report":
                return "This report is not there any more."
            case _:
                return "Choose one of those that are offered."


def _field(violation: Violation) -> str:
    parts = violation.path.strip("/").removeprefix("filters/").split("/")
    return _FIELDS[parts[0]]


def _options(table: dict[str, Dimension] | dict[str, Metric]) -> tuple[Option, ...]:
    return tuple(
        Option(id=part.id, label=part.id, hint=part.meaning.replace("`", ""))
        for part in table.values()
    )
