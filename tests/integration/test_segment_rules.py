"""Dynamic segments: random rules over random data against a plain evaluation in Python."""

import csv
import io
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outhaul.domain.activity_types import ACTIVITY_TYPES
from outhaul.domain.cancellation import Cancellation
from outhaul.domain.contact_fields import ContactFieldDefinition
from outhaul.domain.export import FieldType, Filters
from outhaul.domain.imports import ImportKind
from outhaul.domain.instants import to_text
from outhaul.domain.rule_schema import RULE_SCHEMA
from outhaul.ingest.field_service import Fields
from outhaul.ingest.segment_service import Segments
from outhaul.store.field_definitions import FieldDefinitions
from outhaul.store.segment_reads import SegmentReads
from tests.pipeline_shop import EVER, PipelineShop, activities, members, request

NOW = datetime(2026, 3, 29, 22, 30, tzinfo=UTC)
"""In Madrid it is the next day, and summer time has begun."""
TODAY = date(2026, 3, 30)
TYPES = ("login", "purchase", "email-opened")

_moments = st.sampled_from(
    [NOW + timedelta(days=d, milliseconds=ms) for d in (-9, -2, -1, 0, 1) for ms in (-1, 0, 1)]
)
_days = st.sampled_from([TODAY + timedelta(days=d) for d in (-9, -2, -1, 0, 1)])
_texts = st.sampled_from(["ana", "Ana", "an", "a'na; --", "ñandú", "%", 'a"b'])
_numbers = st.integers(-3, 3)
_decimals = st.sampled_from([-0.5, 0, 0.000001, 0.1, 2.25])
_tags = st.lists(st.sampled_from(["red", "re", "blue"]), unique=True, min_size=1)

FIELDS: dict[str, tuple[FieldType, st.SearchStrategy[Any]]] = {
    "_name": (FieldType.TEXT, _texts),
    "_points": (FieldType.INTEGER, _numbers),
    "_birthdate": (FieldType.DATE, _days),
    "_lastPurchaseDate": (FieldType.INSTANT, _moments),
    "note": (FieldType.TEXT, _texts),
    "size": (FieldType.DECIMAL, _decimals),
    "vip": (FieldType.BOOLEAN, st.booleans()),
    "tags": (FieldType.CHECKBOX, _tags),
    "due": (FieldType.DATE, _days),
}


def written(value: Any) -> Any:
    """The JSON of a value, for imports and rules alike."""
    match value:
        case datetime():
            return to_text(value)
        case date():
            return value.isoformat()
        case _:
            return value


_contacts = st.lists(
    st.fixed_dictionaries({}, optional={id_: values for id_, (_, values) in FIELDS.items()}),
    min_size=1,
    max_size=10,
)
_activities = st.lists(st.tuples(st.integers(0, 9), st.sampled_from(TYPES), _moments), max_size=25)


@st.composite
def _comparisons(draw: st.DrawFn) -> dict[str, Any]:
    id_ = draw(st.sampled_from(sorted(FIELDS)))
    type_, values = FIELDS[id_]
    able = {
        FieldType.TEXT: ["equals", "contains", "startsWith"],
        FieldType.INTEGER: ["equals", "lessThan", "atMost", "greaterThan", "atLeast"],
        FieldType.DECIMAL: ["equals", "lessThan", "atMost", "greaterThan", "atLeast"],
        FieldType.DATE: ["equals", "before", "notAfter", "after", "notBefore"],
        FieldType.INSTANT: ["before", "notAfter", "after", "notBefore"],
        FieldType.BOOLEAN: ["equals"],
        FieldType.CHECKBOX: ["has"],
    }[type_]
    operator = draw(st.sampled_from([*able, "exists"]))
    if operator == "exists":
        return {"field": id_, "is": operator, "value": draw(st.booleans())}
    value = written(draw(values))
    if operator == "has":
        value = value[0]
    if type_ in {FieldType.DATE, FieldType.INSTANT} and draw(st.booleans()):
        value = {"daysAgo": draw(st.integers(-1, 9))}
    return {"field": id_, "is": operator, "value": value}


_did = st.fixed_dictionaries(
    {"activity": st.sampled_from(TYPES)},
    optional={"atLeast": st.integers(1, 3), "lastDays": st.integers(1, 9)},
)
_rules = st.recursive(
    _comparisons() | _did,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=5,
)


def holds(rule: dict[str, Any], contact: dict[str, Any], done: list[tuple[str, datetime]]) -> bool:
    """What a reader of the documentation would say."""
    if "all" in rule:
        return all(holds(one, contact, done) for one in rule["all"])
    if "any" in rule:
        return any(holds(one, contact, done) for one in rule["any"])
    if "not" in rule:
        return not holds(rule["not"], contact, done)
    if "activity" in rule:
        days = rule.get("lastDays")
        found = [
            at
            for type_, at in done
            if type_ == rule["activity"]
            and at <= NOW
            and (days is None or at > NOW - timedelta(days=days))
        ]
        return len(found) >= int(rule.get("atLeast", 1))
    held: Any = contact.get(rule["field"])
    wanted: Any = rule["value"]
    if rule["is"] == "exists":
        return (held is not None) is bool(wanted)
    if held is None:
        return False
    if isinstance(held, datetime):
        relative = isinstance(wanted, dict)
        wanted = (
            NOW - timedelta(days=wanted["daysAgo"]) if relative else datetime.fromisoformat(wanted)
        )
    elif isinstance(held, date):
        relative = isinstance(wanted, dict)
        wanted = (
            TODAY - timedelta(days=wanted["daysAgo"]) if relative else date.fromisoformat(wanted)
        )
    elif isinstance(held, float):
        held, wanted = Decimal(str(held)), Decimal(str(wanted))
    judged: dict[str, Callable[[], Any]] = {
        "equals": lambda: held == wanted,
        "contains": lambda: wanted in held,
        "startsWith": lambda: held.startswith(wanted),
        "has": lambda: wanted in held,
        "lessThan": lambda: held < wanted,
        "atMost": lambda: held <= wanted,
        "greaterThan": lambda: held > wanted,
        "atLeast": lambda: held >= wanted,
        "before": lambda: held < wanted,
        "notAfter": lambda: held <= wanted,
        "after": lambda: held > wanted,
        "notBefore": lambda: held >= wanted,
    }
    return bool(judged[rule["is"]]())


class RuleShop(PipelineShop):
    """A shop with fields of every type and segments."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.segments = Segments(self.commits, SegmentReads(self.engine))
        fields = Fields(self.commits, FieldDefinitions(self.engine, self.fields))
        for id_, (type_, _) in FIELDS.items():
            if not id_.startswith("_"):
                fields.create(
                    self.account.id,
                    ContactFieldDefinition(
                        id=id_, name=id_, type=type_, column="", custom=True, read_only=False
                    ),
                )

    def fill(self, contacts: list[dict[str, Any]], done: list[tuple[int, str, datetime]]) -> None:
        self.take(
            ImportKind.CONTACTS,
            [
                {"_email": f"c{index}@b.example"}
                | {id_: written(value) for id_, value in contact.items()}
                for index, contact in enumerate(contacts)
            ],
        )
        rows = [
            {"type": type_, "createdAt": to_text(at), "email": f"c{index}@b.example"}
            for index, type_, at in done
            if index < len(contacts)
        ]
        if rows:
            self.take(ImportKind.ACTIVITIES, rows)

    def emails(self, wanted: Any) -> list[str]:
        text = self.export(wanted)[0].decode()
        return [row["Email"] for row in csv.DictReader(io.StringIO(text, newline=""))]


@pytest.fixture(autouse=True, scope="module")
def still_clock() -> Iterator[None]:
    """Rules are judged at a known instant, so that their edges can be met exactly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("outhaul.pipeline.pipeline.now", lambda: NOW)
        patch.setattr("outhaul.store.segment_reads.now", lambda: NOW)
        yield


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(contacts=_contacts, done=_activities, rules=st.lists(_rules, min_size=1, max_size=6))
def test_a_rule_finds_whom_a_plain_evaluation_finds(
    contacts: list[dict[str, Any]],
    done: list[tuple[int, str, datetime]],
    rules: list[dict[str, Any]],
):
    """In the count, alone and beside others, in the list, in an export of contacts and in one of
    activities; the schema knows it."""
    with tempfile.TemporaryDirectory() as folder:
        shop = RuleShop(Path(folder))
        shop.fill(contacts, done)
        sizes = {}
        for rule in rules:
            assert jsonschema_rs.is_valid(RULE_SCHEMA, rule)
            segment = shop.segments.create(shop.account, "Found", rule)
            expected = {
                f"c{index}@b.example"
                for index, contact in enumerate(contacts)
                if holds(rule, contact, [(type_, at) for who, type_, at in done if who == index])
            }
            sizes[segment.id] = len(expected)
            assert shop.segments.count(shop.account, segment.id) == len(expected)
            found = shop.emails(request(filters=Filters(segment_id=segment.id)))
            assert sorted(found) == sorted(expected)
        assert shop.segments.sizes(shop.account) == sizes
        listed, _ = shop.segments.members(shop.account, segment.id, page=1, page_size=50)
        assert {one.email for one in listed} == expected
        narrowed = Filters(**vars(EVER) | {"segment_id": segment.id})
        assert sorted(shop.emails(activities(filters=narrowed))) == sorted(
            f"c{who}@b.example" for who, _, _ in done if f"c{who}@b.example" in expected
        )
        shop.engine.close()


def test_a_planned_export_keeps_its_bytes_whatever_changes(tmp_path: Path):
    """Contacts, activities, the rule and the segment may change or go after planning."""
    shop = RuleShop(tmp_path)
    shop.fill([{"_points": 3}, {"_points": 1}], [(1, "login", NOW - timedelta(days=1))])
    rule = {"any": [{"field": "_points", "is": "atLeast", "value": 2}, {"activity": "login"}]}
    segment = shop.segments.create(shop.account, "Found", rule)
    wanted = request(filters=Filters(segment_id=segment.id))
    pipeline, export, plan, parts = shop.plan(wanted)
    assert export.total == 2

    def made() -> bytes:
        done = [(part, shop.slice(pipeline, export, plan, part)) for part in parts]
        facts, _ = pipeline.assemble(export, plan, done, attempt=1, cancellation=Cancellation())
        return b"".join(shop.files.read(facts.key))

    before = made()
    shop.fill([{"_points": -9}, {"_points": 5}, {"_points": 7}], [(0, "login", NOW)])
    other = {"field": "_points", "is": "exists", "value": False}
    shop.segments.replace(shop.account, segment.id, "Found", other)
    assert made() == before
    shop.segments.delete(shop.account.id, segment.id)
    assert made() == before
    assert len(members(before)[0].splitlines()) == 3
    shop.engine.close()


def test_a_field_that_has_ended_is_compared_with_nothing(tmp_path: Path):
    """The comparison never holds, also for a new field of that id and of another type."""
    shop = RuleShop(tmp_path)
    shop.fill([{"size": 2.25}, {"size": 0}], [])
    rule = {"field": "size", "is": "atLeast", "value": 1}
    segment = shop.segments.create(shop.account, "Found", rule)
    wanted = request(filters=Filters(segment_id=segment.id))
    assert shop.emails(wanted) == ["c0@b.example"]
    fields = Fields(shop.commits, FieldDefinitions(shop.engine, shop.fields))
    fields.delete(shop.account.id, "size")
    assert shop.emails(wanted) == []
    again = ContactFieldDefinition(
        id="size", name="Size", type=FieldType.TEXT, column="", custom=True, read_only=False
    )
    fields.create(shop.account.id, again)
    shop.take(ImportKind.CONTACTS, [{"_email": "c0@b.example", "size": "9"}])
    assert shop.emails(wanted) == []
    assert shop.segments.count(shop.account, segment.id) == 0
    shop.engine.close()


def test_every_activity_type_can_be_asked_for(tmp_path: Path):
    """Each is looked for where it lies."""
    shop = RuleShop(tmp_path)
    shop.fill([{}, {}], [(0, type_, NOW) for type_ in ACTIVITY_TYPES])
    rule = {"all": [{"activity": type_} for type_ in ACTIVITY_TYPES]}
    segment = shop.segments.create(shop.account, "Found", rule)
    assert shop.emails(request(filters=Filters(segment_id=segment.id))) == ["c0@b.example"]
    shop.engine.close()
