"""The form of a new export: its fields as they were filled in, and the request they mean."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from outhaul.console.visit import Form
from outhaul.domain.account import Account
from outhaul.domain.errors import Invalid, Violation
from outhaul.domain.export import (
    ROWS_TYPES,
    DateFormat,
    Delimiter,
    ExportRequest,
    ExportType,
    Version,
)
from outhaul.domain.extras import Compression, FileFormat
from outhaul.domain.instants import to_milliseconds, to_text
from outhaul.domain.windows import MAX_WINDOW_DAYS

NEWEST_VERSION = list(Version)[-1]

_FIELDS = {
    "exportType": "type",
    "version": "version",
    "dateFormat": "dates",
    "delimiter": "delimiter",
    "format": "format",
    "compression": "compression",
    "bom": "bom",
    "formulaGuard": "guard",
    "columns": "column",
    "productColumns": "product-column",
    "changedSince": "since",
    "segmentId": "segment",
    "fromDate": "first",
    "toDate": "last",
    "activityTypes": "activity",
}
"""The field of the form by the property of the body that it fills."""


@dataclass(frozen=True, kw_only=True)
class ExportForm:
    """What stands in the form."""

    export_type: str = ExportType.CONTACTS.value
    segment_id: str = ""
    first_day: str = ""
    last_day: str = ""
    types: tuple[str, ...] = ()
    """None chosen means all."""
    since: str = ""
    """A commit; empty means that no change is looked for."""
    version: str = NEWEST_VERSION.value
    columns: tuple[str, ...] = ()
    """Ids in the order of the file; none chosen means all."""
    product_columns: tuple[str, ...] = ()
    date_format: str = DateFormat.ISO.value
    delimiter: str = Delimiter.COMMA.value
    format: str = FileFormat.CSV.value
    compression: str = Compression.ZIP.value
    bom: bool = False
    formula_guard: bool = False

    @classmethod
    def of(cls, form: Form) -> "ExportForm":
        """The fields that were sent."""
        return cls(
            export_type=form.get("type"),
            segment_id=form.get("segment"),
            first_day=form.get("first"),
            last_day=form.get("last"),
            types=tuple(form.all("activity")),
            since=form.get("since"),
            version=form.get("version"),
            columns=tuple(form.all("column")),
            product_columns=tuple(form.all("product-column")),
            date_format=form.get("dates"),
            delimiter=form.get("delimiter"),
            format=form.get("format", FileFormat.CSV.value),
            compression=form.get("compression", Compression.ZIP.value),
            bom=form.get("bom") == "on",
            formula_guard=form.get("guard") == "on",
        )

    @property
    def is_for_activities(self) -> bool:
        return self.export_type == ExportType.ACTIVITIES

    def request(
        self, account: Account, read: Callable[[Account, Any], ExportRequest]
    ) -> ExportRequest:
        """What the form asks for; `read` makes a request of the body that a program would send.
        Raises Invalid with all that is wrong, by field of the form."""
        faults = dict(self._unread())
        try:
            request = read(account, self.body(account))
        except Invalid as invalid:
            for violation in invalid.violations:
                parts = violation.path.strip("/").removeprefix("filters/").split("/")
                field = _FIELDS.get(parts[0], "type")
                faults.setdefault(field, self._words(field, violation.reason))
        if faults:
            raise invalid_form(faults)
        return request

    def body(self, account: Account) -> dict[str, Any]:
        """The JSON body that asks for the same. What stands in fields that are hidden, because
        they are not for this type or this format, is left out."""
        filters: dict[str, Any] = {}
        if self.segment_id:
            filters["segmentId"] = self.segment_id
        body: dict[str, Any] = {
            "exportType": self.export_type,
            "delimiter": self.delimiter,
            "dateFormat": self.date_format,
            "version": self.version,
            "filters": filters,
            "format": self.format,
            "compression": self.compression,
        }
        if self.columns:
            body["columns"] = list(self.columns)
        if self.format == FileFormat.CSV:
            body |= {"bom": self.bom, "formulaGuard": self.formula_guard}
        if self.is_for_activities:
            filters |= self._window(account)
            if self.types:
                filters["activityTypes"] = list(self.types)
            if self.product_columns:
                body["productColumns"] = list(self.product_columns)
        elif (since := _commit(self.since)) is not None:
            body["changedSince"] = since
        return body

    def _window(self, account: Account) -> dict[str, str]:
        """From the first day's start to the last one's end, on the clocks of the account."""
        zone, window = ZoneInfo(account.timezone), {}
        if (first := plain_day(self.first_day)) is not None:
            window["fromDate"] = to_text(to_milliseconds(datetime.combine(first, time(), zone)))
        if (last := plain_day(self.last_day)) is not None:
            after = to_milliseconds(datetime.combine(last + timedelta(days=1), time(), zone))
            window["toDate"] = to_text(after - timedelta(milliseconds=1))
        return window

    def _unread(self) -> Mapping[str, str]:
        """What is wrong before a body can be made of it."""
        faults = {
            name: "Choose one of those that are offered."
            for name, value, known in self._choices()
            if value not in known
        }
        if self.is_for_activities:
            if plain_day(self.first_day) is None:
                faults["first"] = "Choose the first day."
            if plain_day(self.last_day) is None:
                faults["last"] = "Choose the last day."
        elif self.since and _commit(self.since) is None:
            faults["since"] = "A commit is a whole number, such as 412."
        return faults

    def _choices(self) -> tuple[tuple[str, str, Collection[str]], ...]:
        return (
            ("type", self.export_type, ROWS_TYPES),
            ("version", self.version, list(Version)),
            ("dates", self.date_format, list(DateFormat)),
            ("delimiter", self.delimiter, list(Delimiter)),
            ("format", self.format, list(FileFormat)),
            ("compression", self.compression, list(Compression)),
        )

    def _words(self, field: str, reason: str) -> str:
        """A fault of the body as somebody who filled in the form understands it."""
        match field:
            case "segment" if self.since and not self.is_for_activities:
                return "Changes are those of all contacts: nobody can tell who left a segment."
            case "segment":
                return "This segment is not there any more; choose another."
            case "activity":
                return "One of these is no activity type."
            case "column" | "product-column":
                return "One of these is no column of this file any more; choose again."
            case "last":
                return window_words(self.first_day, self.last_day)
            case _:
                return f"{reason[:1].upper()}{reason[1:]}."


def invalid_form(faults: Mapping[str, str]) -> Invalid:
    """What is wrong, by field of the form."""
    return Invalid(
        [Violation(name=name, path=f"/{name}", reason=said) for name, said in faults.items()],
        detail="The form is not complete yet.",
    )


def faults_of(invalid: Invalid) -> dict[str, str]:
    """What is wrong in words, by name: the other way round."""
    return {violation.name: violation.reason for violation in invalid.violations}


def window_words(first_day: str, last_day: str, *, most: int = MAX_WINDOW_DAYS) -> str:
    """What is wrong with two days that make no window of at most so many days."""
    first, last = plain_day(first_day), plain_day(last_day)
    if first is None or last is None:
        return "Choose the first and the last day."
    if last < first:
        return "The last day lies before the first."
    return f"These are {(last - first).days + 1} days; an export has at most {most}."


def plain_day(text: str) -> date | None:
    """The day that a date field holds; None when it holds none."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    # Beyond these years arithmetic over zones could leave Python's calendar.
    return day if 1970 < day.year < 3000 else None


def _commit(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None
