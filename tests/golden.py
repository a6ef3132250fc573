"""The golden files: what released versions look like, byte for byte.

`python -m tests.golden` writes the ones that are missing, and never changes one that is there:
a released version never changes a byte.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from outhaul.domain.account import Language
from outhaul.domain.activity_types import ACTIVITY_FIELDS, ACTIVITY_TYPES, PRODUCT_FIELDS
from outhaul.domain.export import (
    DateFormat,
    Delimiter,
    ExportRequest,
    ExportType,
    FieldType,
    Filters,
    Version,
)
from outhaul.domain.fields import CONTACT_FIELDS
from outhaul.domain.imports import ImportKind
from outhaul.domain.instants import to_text
from outhaul.domain.report_parts import METRICS
from outhaul.domain.reports import Report
from tests.pipeline_shop import PipelineShop, request

FOLDER = Path(__file__).parent / "data" / "golden" / "files"
DIGESTS = FOLDER / "digests.json"
REPORTS = FOLDER.parent / "reports"

_TEXTS = (
    'He said "hi", twice; then left',
    "two\nlines\r\nthree",
    "",
    "ñandú, 日本, 🎉",
    " spaces ",
    "=1+1",
    "'; DROP TABLE contacts; --",
    '"',
)
_INSTANTS = (
    "2026-03-05T14:07:09.000Z",
    "2026-12-31T23:30:00.000Z",
    "2026-03-29T00:59:59.999Z",
    "2026-03-29T01:00:00.000Z",
    "2026-10-25T00:30:00.000Z",
    "2026-10-25T01:30:00.000Z",
    "1969-12-31T23:59:59.999Z",
    "2050-07-01T12:00:00.500Z",
)
_DECIMALS = ("469", "12.5", "0.0125", "-0.01", "999999999999.999999", "0", "100", "19.9")
_VALUES: dict[FieldType, tuple[Any, ...]] = {
    FieldType.TEXT: _TEXTS,
    FieldType.EMAIL: ("ana@example.com", "o'neil+tag@example.org"),
    FieldType.PHONE: ("+34600111222",),
    FieldType.IP: ("192.0.2.7", "2001:db8::7"),
    FieldType.INTEGER: (0, -7, 9007199254740993),
    FieldType.DECIMAL: _DECIMALS,
    FieldType.MONEY: _DECIMALS,
    FieldType.BOOLEAN: (True, False),
    FieldType.DATE: ("1980-02-29", "2026-12-31", "1900-01-01"),
    FieldType.INSTANT: _INSTANTS,
    FieldType.CHECKBOX: (["red", "dark, blue"], ["one"], []),
    FieldType.JSON: ({"a": [1, 'q"q'], "b": None},),
}


def contact_rows() -> list[dict[str, Any]]:
    """Ten contacts that between them have every value of every type, and none at all."""
    rows = []
    for number in range(8):
        row: dict[str, Any] = {"id": f"c{number}", "_email": f"contact{number}@example.com"}
        for place, field in enumerate(CONTACT_FIELDS):
            if field.id in {"id", "_email", "_createdAt", "_updatedAt", "_externalId"}:
                continue
            values = field.options or _VALUES.get(field.type, ("champions",))
            row[field.id] = values[(number + place) % len(values)]
        row["_externalId"] = f"ext, {number}"
        row["shoe size"] = None
        row["shoeSize"] = number + 0.5
        row["Name"] = _TEXTS[number]
        row["member"] = number % 2 == 0
        row["likes"] = ["a", "b"] if number else []
        del row["shoe size"]
        row["_createdAt"] = row["_updatedAt"] = _INSTANTS[number]
        rows.append(row)
    instants = {"_createdAt": _INSTANTS[0], "_updatedAt": _INSTANTS[0]}
    return [*rows, {"id": "bare"} | instants, {"id": "b"} | instants]


def activity_rows() -> list[dict[str, Any]]:
    """Two activities of each type: one with every field, one with none."""
    rows = []
    for number, type_ in enumerate(ACTIVITY_TYPES.values()):
        row: dict[str, Any] = {
            "id": f"a{number}",
            "type": type_.id,
            "createdAt": _INSTANTS[number % len(_INSTANTS)],
            "contactId": f"c{number % 8}",
        }
        bare = row | {"id": f"b{number}", "contactId": "bare"}
        for place, id_ in enumerate(type_.fields):
            values = _VALUES[ACTIVITY_FIELDS[id_].type]
            row[id_] = values[(number + place) % len(values)]
        if type_.has_product_lines:
            row["products"] = [
                {
                    id_: _VALUES[field.type][line % len(_VALUES[field.type])]
                    for id_, field in PRODUCT_FIELDS.items()
                }
                for line in range(3)
            ]
        rows += [row, bare]
    return rows


def golden_shop(folder: Path, *, empty: bool = False) -> PipelineShop:
    """The shop whose exports are golden."""
    shop = PipelineShop(folder)
    if not empty:
        shop.take(ImportKind.CONTACTS, contact_rows())
        shop.take(ImportKind.ACTIVITIES, activity_rows())
    return shop


def cases() -> Iterator[tuple[str, Language, ExportRequest]]:
    """Every case by name: all versions, delimiters and date formats, and all languages."""
    for type_ in (ExportType.CONTACTS, ExportType.ACTIVITIES):
        for version in Version:
            for delimiter in Delimiter:
                for date_format in DateFormat:
                    name = f"{type_}-{version}-{delimiter.name.lower()}-{date_format}-en"
                    yield (
                        name,
                        Language.EN,
                        request(
                            export_type=type_,
                            version=version,
                            delimiter=delimiter,
                            date_format=date_format,
                        ),
                    )
        for language in set(Language) - {Language.EN}:
            for date_format in DateFormat:
                name = f"{type_}-v6-comma-{date_format}-{language}"
                yield (
                    name,
                    language,
                    request(export_type=type_, version=Version.V6, date_format=date_format),
                )


def kept_whole(name: str) -> bool:
    """Whether the files themselves are kept to be looked at; of the others only a digest is."""
    return name.endswith(("-comma-ISO-en", "v6-comma-LLL-es", "v1-semicolon-LLL-en"))


def export(shop: PipelineShop, language: Language, wanted: ExportRequest) -> list[bytes]:
    """The members of a case."""
    shop.account = replace(shop.account, language=language)
    return shop.export(wanted)


def digest(members: list[bytes]) -> str:
    """One digest for all members of a case."""
    return " ".join(hashlib.sha256(member).hexdigest()[:32] for member in members)


def report_shop(folder: Path) -> PipelineShop:
    """The shop whose reports are golden: five buyers and two emails in a month in which summer
    time begins."""
    shop = PipelineShop(folder)
    rows: list[dict[str, Any]] = []
    for number in range(260):
        at = datetime(2026, 2, 27, 20, 40, tzinfo=UTC) + timedelta(hours=3 * number)
        row: dict[str, Any] = {
            "id": f"a{number:03}",
            "createdAt": to_text(at),
            "contactId": f"c{number % 5}",
        }
        match number % 4:
            case 0:
                row |= {"type": "purchase", "totalPrice": _PRICES[number // 4 % 3]}
            case 1:
                row |= {"type": "email-sent", "contentName": _EMAILS[number // 4 % 3]}
            case 2:
                row |= {"type": "email-opened", "contentName": _EMAILS[number // 4 % 2]}
            case _:
                row |= {"type": ("login", "cart-abandoned")[number // 4 % 2]}
        rows.append({name: value for name, value in row.items() if value is not None})
    shop.take(ImportKind.CONTACTS, [{"id": f"c{number}"} for number in range(5)])
    shop.take(ImportKind.ACTIVITIES, rows)
    return shop


_PRICES = ("469", "0.1", "12.345")
_EMAILS = ('Liquidación "última"', "Bienvenida; hola", None)
_MARCH = (date(2026, 3, 1), date(2026, 3, 31))
_DEFINITIONS: dict[str, tuple[tuple[date, date], tuple[str, ...], tuple[str, ...]]] = {
    "sales": (
        _MARCH,
        ("year", "month", "day"),
        ("numberOfPurchases", "totalPurchaseAmount", "numberOfContacts"),
    ),
    "emails": (
        (date(2026, 2, 27), date(2026, 3, 30)),
        ("year", "month", "emailName"),
        ("numberOfEmailsSent", "numberOfEmailsOpened"),
    ),
    "hours": (
        (date(2026, 3, 28), date(2026, 3, 30)),
        ("date", "weekday", "hour", "activityType"),
        ("numberOfActivities",),
    ),
    "totals": (_MARCH, (), tuple(METRICS)),
    "nothing": ((date(2025, 1, 1), date(2025, 1, 31)), ("year", "month"), ("numberOfBuyers",)),
}
"""Days, dimensions and metrics; the first two have headers of the contract's sample."""


def report_cases() -> Iterator[tuple[str, ExportRequest]]:
    """Every golden report by name."""
    zone = ZoneInfo("Europe/Madrid")
    for name, (days, dimensions, metrics) in _DEFINITIONS.items():
        first, end = (
            datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
            for day in (days[0], days[1] + timedelta(days=1))
        )
        report = Report(id="5" * 24, name=name, dimensions=dimensions, metrics=metrics)
        wanted = request(
            export_type=ExportType.DATA_EXPLORER,
            filters=Filters(
                report_id=report.id, from_date=first, to_date=end - timedelta(milliseconds=1)
            ),
            report=report,
            days=days,
        )
        yield f"{name}.csv", wanted
        if name == "emails":
            yield f"{name}-semicolon.csv", replace(wanted, delimiter=Delimiter.SEMICOLON)


def _write_missing() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    digests = json.loads(DIGESTS.read_text()) if DIGESTS.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        shop = golden_shop(Path(folder))
        for name, language, wanted in cases():
            members = export(shop, language, wanted)
            digests.setdefault(name, digest(members))
            for number, member in enumerate(members):
                path = FOLDER / f"{name}-{number}.csv"
                if kept_whole(name) and not path.exists():
                    path.write_bytes(member)
        shop.engine.close()
        _write_missing_reports(Path(folder) / "reports")
    DIGESTS.write_text(json.dumps(dict(sorted(digests.items())), indent=1) + "\n")


def _write_missing_reports(folder: Path) -> None:
    folder.mkdir()
    REPORTS.mkdir(exist_ok=True)
    shop = report_shop(folder)
    for name, wanted in report_cases():
        path = REPORTS / name
        if not path.exists():
            path.write_bytes(shop.export(wanted)[0])
    shop.engine.close()


if __name__ == "__main__":
    _write_missing()
