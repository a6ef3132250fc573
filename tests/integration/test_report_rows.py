"""Reports: random definitions over random activities against a plain evaluation in Python."""

import math
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outhaul.api.data_explorer_body import read_data_explorer_request
from outhaul.api.report_body import read_report
from outhaul.domain.activity_types import ACTIVITY_FIELDS, ACTIVITY_TYPES
from outhaul.domain.cancellation import Cancellation
from outhaul.domain.export import ExportRequest, FieldType
from outhaul.domain.imports import ImportKind
from outhaul.domain.instants import to_text
from outhaul.domain.report_parts import DIMENSIONS, METRICS
from tests.pipeline_shop import PipelineShop, members

ID = "5" * 24
ZONES = ["Europe/Madrid", "Australia/Lord_Howe", "America/St_Johns"]
DAYS = [date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30), date(2026, 4, 5)]
"""Clocks change on the second in Madrid and on the last in Lord Howe, there by half an hour."""
TYPES = ["purchase", "cart-abandoned", "email-sent", "email-opened", "sms-sent", "search", "login"]
Row = dict[str, Any]

_texts = st.sampled_from(["", "a", "a b", 'a"b', "a'; --", "ñandú", "b", "2", "10"])
_prices = st.decimals("-5", "999999999999.999999", places=6) | st.sampled_from(
    [Decimal(469), Decimal("0.1"), Decimal("999999999999.999999")]
)


@st.composite
def _activity(draw: st.DrawFn) -> Row:
    type_ = draw(st.sampled_from(TYPES))
    midnight = datetime.combine(draw(st.sampled_from(DAYS)), datetime.min.time(), UTC)
    shift = timedelta(hours=draw(st.integers(-12, 24)), milliseconds=draw(st.integers(-1, 1)))
    row: Row = {"type": type_, "at": midnight + shift, "contactId": f"c{draw(st.integers(0, 2))}"}
    values: dict[FieldType, st.SearchStrategy[Any]] = {
        FieldType.TEXT: _texts,
        FieldType.MONEY: _prices,
        FieldType.INTEGER: st.integers(-2, 9),
    }
    for id_ in ("contentName", "workflowName", "searchText", "totalPrice", "totalQuantity"):
        if id_ in ACTIVITY_TYPES[type_].fields:
            row[id_] = draw(st.none() | values[ACTIVITY_FIELDS[id_].type])
    return row


_TIMES = ["year", "month", "day", "date", "weekday", "hour"]
_NAMES = ["activityType", "emailName", "smsName", "contentName", "workflowName", "searchText"]
_dimensions = st.tuples(
    st.lists(st.sampled_from(_TIMES), max_size=3, unique=True),
    st.lists(st.sampled_from([*_NAMES, "cartId"]), max_size=2, unique=True),
).flatmap(lambda lists: st.permutations([*lists[0], *lists[1]]))


def _with(type_: str) -> Callable[[list[Row]], list[Row]]:
    return lambda rows: [row for row in rows if row["type"] == type_]


def _total(rows: list[Row], id_: str) -> Any:
    return sum((row[id_] for row in rows if row.get(id_) is not None), start=0)


def _average(rows: list[Row]) -> Decimal | None:
    prices = [row["totalPrice"] for row in rows if row.get("totalPrice") is not None]
    if not prices:
        return None
    millionths = Fraction(sum(prices)) / len(prices) * 10**6
    rounded = Decimal(math.floor(abs(millionths) + Fraction(1, 2))) / 10**6
    return rounded if millionths >= 0 else -rounded


COUNTS = {
    "numberOfPurchases": "purchase",
    "numberOfCartsAbandoned": "cart-abandoned",
    "numberOfEmailsSent": "email-sent",
    "numberOfEmailsOpened": "email-opened",
    "numberOfSmsSent": "sms-sent",
    "numberOfSearches": "search",
}
AMOUNTS = {
    "totalPurchaseAmount": "purchase",
    "averagePurchaseAmount": "purchase",
    "totalAbandonedAmount": "cart-abandoned",
}
COUNTED = COUNTS | AMOUNTS | {"numberOfBuyers": "purchase", "totalPurchaseQuantity": "purchase"}
_metrics = st.lists(
    st.sampled_from(["numberOfActivities", "numberOfContacts", *COUNTED]),
    min_size=1,
    max_size=5,
    unique=True,
)


def metric(id_: str, rows: list[Row]) -> str | None:
    """What a reader of the documentation would say."""
    counted = _with(COUNTED[id_])(rows) if id_ in COUNTED else rows
    match id_:
        case "numberOfContacts" | "numberOfBuyers":
            return str(len({row["contactId"] for row in counted}))
        case "totalPurchaseAmount" | "totalAbandonedAmount":
            return money(Decimal(_total(counted, "totalPrice")))
        case "averagePurchaseAmount":
            average = _average(counted)
            return None if average is None else money(average)
        case "totalPurchaseQuantity":
            return str(_total(counted, "totalQuantity"))
        case _:
            return str(len(counted))


def money(amount: Decimal) -> str:
    whole, _, places = f"{amount:.6f}".partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"


def dimension(id_: str, row: Row, zone: ZoneInfo) -> Any:
    local = row["at"].astimezone(zone)
    match id_:
        case "year" | "month" | "day" | "hour":
            return getattr(local, id_)
        case "date":
            return local.date().isoformat()
        case "weekday":
            return local.isoweekday()
        case "activityType":
            return row["type"]
        case "emailName" | "smsName":
            return row.get("contentName") if row["type"].startswith(id_[:-4]) else None
        case _:
            return row.get(id_)


def evaluated(body: Row, days: tuple[date, date], zone: ZoneInfo, rows: list[Row]) -> str:
    """The text of the report's file."""
    named = body.get("activityTypes") or {COUNTED[id_] for id_ in body["metrics"] if id_ in COUNTED}
    groups: dict[tuple[Any, ...], list[Row]] = {} if body["dimensions"] else {(): []}
    for row in rows:
        counted = not named or row["type"] in named
        if counted and days[0] <= row["at"].astimezone(zone).date() <= days[1]:
            key = tuple(dimension(id_, row, zone) for id_ in body["dimensions"])
            groups.setdefault(key, []).append(row)
    ordered = sorted(groups, key=lambda key: [(value is not None, value) for value in key])
    lines = [[*key, *(metric(id_, groups[key]) for id_ in body["metrics"])] for key in ordered]
    header = [*body["dimensions"], *body["metrics"]]
    return "".join(",".join(map(written, line)) + "\n" for line in [header, *lines])


def written(value: Any) -> str:
    return "" if value is None else '"' + str(value).replace('"', '""') + '"'


def filled(folder: Path, zone: str, rows: list[Row]) -> PipelineShop:
    shop = PipelineShop(folder)
    shop.account = replace(shop.account, timezone=zone)
    shop.take(ImportKind.CONTACTS, [{"id": f"c{number}"} for number in range(3)])
    add(shop, rows)
    return shop


def add(shop: PipelineShop, rows: list[Row]) -> None:
    shop.take(
        ImportKind.ACTIVITIES,
        [
            {name: value for name, value in row.items() if name != "at" and value is not None}
            | {"createdAt": to_text(row["at"])}
            | ({"totalPrice": str(row["totalPrice"])} if row.get("totalPrice") is not None else {})
            for row in rows
        ],
    )


def asked(shop: PipelineShop, body: Row, days: tuple[date, date]) -> ExportRequest:
    report = read_report({"name": "R"} | body, ID)
    first, last = (day.isoformat() for day in days)
    return read_data_explorer_request(
        {"delimiter": ",", "filters": {"reportId": ID, "fromDate": first, "toDate": last}},
        account=shop.account,
        find=lambda _: report,
    )


@st.composite
def _bodies(draw: st.DrawFn) -> Row:
    body: Row = {"dimensions": list(draw(_dimensions)), "metrics": draw(_metrics)}
    needed = {COUNTED[id_] for id_ in body["metrics"] if id_ in COUNTED}
    if draw(st.booleans()):
        more = draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=3))
        body["activityTypes"] = sorted(needed | set(more))
    return body


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(_activity(), min_size=8, max_size=30),
    bodies=st.lists(_bodies(), min_size=3, max_size=8),
    zone=st.sampled_from(ZONES),
    days=st.sampled_from([(0, 3), (0, 2), (1, 3), (1, 1), (3, 3)]),
)
def test_a_report_says_what_a_plain_evaluation_says(
    rows: list[Row], bodies: list[Row], zone: str, days: tuple[int, int]
):
    """Every byte of the file: groups on the account's clocks, counts, contacts, exact sums."""
    window = (DAYS[days[0]], DAYS[days[1]])
    with tempfile.TemporaryDirectory() as folder:
        shop = filled(Path(folder), zone, rows)
        for body in bodies:
            [text] = shop.export(asked(shop, body, window))
            assert text.decode() == evaluated(body, window, ZoneInfo(zone), rows), body
        shop.engine.close()


def test_a_planned_report_keeps_its_bytes_whatever_comes(tmp_path: Path):
    """It reads one instant: activities that arrive later are not counted."""
    at = datetime(2026, 3, 28, 12, tzinfo=UTC)
    sold = {"type": "purchase", "at": at, "contactId": "c1", "totalPrice": Decimal("0.1")}
    shop = filled(tmp_path, "Europe/Madrid", [sold] * 3)
    body = {"dimensions": ["date"], "metrics": ["numberOfPurchases", "totalPurchaseAmount"]}
    wanted = asked(shop, body, (DAYS[0], DAYS[-1]))
    pipeline, export, plan, parts = shop.plan(wanted)
    assert export.total == 1
    add(shop, [sold, sold | {"at": at + timedelta(days=1)}])
    done = [(part, shop.slice(pipeline, export, plan, part)) for part in parts]
    facts, manifest = pipeline.assemble(export, plan, done, attempt=1, cancellation=Cancellation())
    [text] = members(b"".join(shop.files.read(facts.key)))
    assert text.splitlines()[1:] == [b'"2026-03-28","3","0.30"']
    assert (manifest.rows, manifest.filters.report_id) == (1, ID)
    assert shop.export(wanted)[0].splitlines()[1:] == [
        b'"2026-03-28","4","0.40"',
        b'"2026-03-29","1","0.10"',
    ]
    shop.engine.close()


def test_every_dimension_and_metric_can_be_asked_for(tmp_path: Path):
    """Each by itself, over an activity of every type."""
    at = datetime(2026, 3, 28, 12, tzinfo=UTC)
    rows = [{"type": type_, "at": at, "contactId": "c1"} for type_ in ACTIVITY_TYPES]
    shop = filled(tmp_path, "UTC", rows)
    for id_ in DIMENSIONS:
        body: Row = {"dimensions": [id_], "metrics": ["numberOfActivities"]}
        [text] = shop.export(asked(shop, body, (DAYS[0], DAYS[0])))
        lines = text.decode().splitlines()
        assert lines[0] == f'"{id_}","numberOfActivities"'
        assert sum(int(line.split(",")[-1].strip('"')) for line in lines[1:]) == len(rows)
    for id_, found in METRICS.items():
        [text] = shop.export(asked(shop, {"dimensions": [], "metrics": [id_]}, (DAYS[0], DAYS[0])))
        value = text.decode().splitlines()[1]
        if found.field is None:
            many = len(rows) if id_ == "numberOfActivities" else 1
            assert value == f'"{many}"', id_
    shop.engine.close()
