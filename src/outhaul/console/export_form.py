"""The form of a new export: its fields as they were filled in, and the request they mean."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from outhaul.console.visit import Form
from outhaul.domain.account import Account
from outhaul.domain.activity_types import ACTIVITY_TYPES
from outhaul.domain.errors import Invalid, Violation
from outhaul.domain.export import (
    DateFormat,
    Delimiter,
    ExportRequest,
    ExportType,
    Filters,
    Version,
)
from outhaul.domain.extras import Extras
from outhaul.domain.instants import to_milliseconds
from outhaul.domain.windows import window_fault

NEWEST_VERSION = list(Version)[-1]


@dataclass(frozen=True, kw_only=True)
class ExportForm:
    """What stands in the form."""

    export_type: str = ExportType.CONTACTS.value
    segment_id: str = ""
    first_day: str = ""
    last_day: str = ""
    types: tuple[str, ...] = ()
    """None chosen means all."""
    version: str = NEWEST_VERSION.value
    date_format: str = DateFormat.ISO.value
    delimiter: str = Delimiter.COMMA.value
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
            version=form.get("version"),
            date_format=form.get("dates"),
            delimiter=form.get("delimiter"),
            bom=form.get("bom") == "on",
            formula_guard=form.get("guard") == "on",
        )

    @property
    def is_for_activities(self) -> bool:
        return self.export_type == ExportType.ACTIVITIES

    def request(self, account: Account, segment_ids: set[str]) -> ExportRequest:
        """What the form asks for. Raises Invalid with all that is wrong, by field of the form."""
        faults: list[Violation] = []

        def fault(name: str, reason: str) -> None:
            faults.append(Violation(name=name, path=f"/{name}", reason=reason))

        if self.segment_id and self.segment_id not in segment_ids:
            fault("segment", "This segment is not there any more; choose another.")
        first = last = None
        if self.is_for_activities:
            first, last = self._window(account, fault)
            if not ACTIVITY_TYPES.keys() >= set(self.types):
                fault("activity", "One of these is no activity type.")
        for name, value, known in (
            ("type", self.export_type, (ExportType.CONTACTS, ExportType.ACTIVITIES)),
            ("version", self.version, Version),
            ("dates", self.date_format, DateFormat),
            ("delimiter", self.delimiter, Delimiter),
        ):
            if value not in list(known):
                fault(name, "Choose one of those that are offered.")
        if faults:
            raise Invalid(faults, detail="The form is not complete yet.")
        return ExportRequest(
            export_type=ExportType(self.export_type),
            delimiter=Delimiter(self.delimiter),
            date_format=DateFormat(self.date_format),
            version=Version(self.version),
            filters=Filters(
                segment_id=self.segment_id or None,
                from_date=first,
                to_date=last,
                activity_types=self.types if self.is_for_activities and self.types else None,
            ),
            extras=Extras(bom=self.bom, formula_guard=self.formula_guard),
        )

    def _window(
        self, account: Account, fault: Callable[[str, str], None]
    ) -> tuple[datetime | None, datetime | None]:
        """From the first day's start to the last one's end, on the clocks of the account."""
        first, last = _day(self.first_day), _day(self.last_day)
        if first is None:
            fault("first", "Choose the first day.")
        if last is None:
            fault("last", "Choose the last day.")
        if first is None or last is None:
            return None, None
        zone = ZoneInfo(account.timezone)
        begins = to_milliseconds(datetime.combine(first, time(), zone))
        ends = to_milliseconds(datetime.combine(last + timedelta(days=1), time(), zone))
        ends -= timedelta(milliseconds=1)
        if last < first:
            fault("last", "The last day lies before the first.")
        elif window_fault(begins, ends, account.timezone):
            fault("last", f"These are {(last - first).days + 1} days; an export has at most 31.")
        return begins, ends


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    # Beyond these years arithmetic over zones could leave Python's calendar.
    return day if 1970 < day.year < 3000 else None
