"""Random histories of an account, with exports running all along, against a plain oracle."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outhaul.catalog.database import Database
from outhaul.domain.export import ExportRequest, Filters, Version
from outhaul.domain.ids import new_id
from outhaul.ingest.contact_changes import ContactKey
from outhaul.store.engine import Engine
from tests.edited_shop import EditedShop
from tests.edits import RULES, field_edits, purchases, segment_edits, segment_id
from tests.empty_catalog import empty_catalog
from tests.modelled_shop import ModelledShop, NewActivity, open_engine
from tests.pipeline_shop import EVER, activities, request

RUNS = max(200, settings().max_examples)
PORTIONS = range(max(1, RUNS // 500))  # of a soak, which both cores share and which shows progress
Change = Callable[[EditedShop], object]
EMAILS = [f"{name}@shop.example" for name in ("ann", "bob", "eve", "joe")]
SEGMENTS = ["5" * 24, "6" * 24]
TYPES = ["web-page-visited", "purchase", "cart-abandoned", "login"]
DAYS = [datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=day) for day in range(5)]

emails, names = st.sampled_from(EMAILS), st.sampled_from(["one", 'two "2"', "three\n3"])
external_ids = st.sampled_from(["x1", "x2"])
nths = st.integers(0, 5)


def puts() -> st.SearchStrategy[Change]:
    """One contact: new or changed, perhaps with another email or external id."""
    by_email = st.builds(
        lambda email, body: lambda shop: shop.put(ContactKey(column="_email", value=email), body),
        emails,
        st.fixed_dictionaries({}, optional={"_name": names, "_externalId": external_ids}),
    )
    by_external_id = st.builds(
        lambda id_, body: lambda shop: shop.put(ContactKey(column="_externalId", value=id_), body),
        external_ids,
        st.fixed_dictionaries(
            {}, optional={"_name": names, "_email": st.one_of(emails, st.none())}
        ),
    )
    return by_email | by_external_id


def _known(shop: ModelledShop, nth: int | None) -> str | None:
    ids = sorted(shop.history.now.contacts)
    return ids[nth % len(ids)] if ids and nth is not None else None


def imports() -> st.SearchStrategy[Change]:
    """Contacts in one commit, some by their id. Several have names never seen before, because
    whether a change that the same commit takes back counts as an update is left open."""
    rows = st.lists(st.tuples(st.none() | nths, emails, names), min_size=1, max_size=4)
    return rows.map(
        lambda rows: (
            lambda shop: shop.put_many(
                [
                    (_known(shop, nth), email, name if len(rows) == 1 else new_id())
                    for nth, email, name in rows
                ]
            )
        )
    )


def batches() -> st.SearchStrategy[Change]:
    """Activities of known and unknown contacts; some share their instant, some their id."""
    rows = st.lists(
        st.tuples(
            st.integers(0, 40),
            st.sampled_from(TYPES),
            st.sampled_from(DAYS),
            emails,
            st.none() | nths,
            st.lists(st.tuples(st.sampled_from(["p1", "p2"]), st.integers(0, 3)), max_size=2),
        ),
        min_size=1,
        max_size=8,
        unique_by=lambda row: row[0],
    )
    return rows.map(
        lambda rows: (
            lambda shop: shop.add_activities(
                [
                    NewActivity(
                        id=f"a{number}",
                        type=type_,
                        created=created,
                        email=email,
                        contact_id=_known(shop, nth),
                        lines=tuple(lines) if type_ in {"purchase", "cart-abandoned"} else (),
                    )
                    for number, type_, created, email, nth, lines in rows
                ]
            )
        )
    )


def memberships() -> st.SearchStrategy[Change]:
    return st.builds(
        lambda segment, emails: lambda shop: shop.add_members(segment, emails),
        st.sampled_from(SEGMENTS),
        st.lists(emails, min_size=1, max_size=3),
    )


def erasures() -> st.SearchStrategy[Change]:
    def erase(shop: ModelledShop, nth: int) -> None:
        contact_id = _known(shop, nth)
        if contact_id is not None:
            shop.erase(contact_id)

    return nths.map(lambda nth: lambda shop: erase(shop, nth))


def requests() -> st.SearchStrategy[ExportRequest]:
    """Contacts or activities; with and without types and dates."""
    of_contacts = st.just(request(version=Version.V6))
    spans = st.just((EVER.from_date, EVER.to_date)) | st.lists(
        st.sampled_from(DAYS), min_size=2, max_size=2
    ).map(lambda days: (min(days), max(days)))
    types = st.none() | st.lists(st.sampled_from(TYPES), min_size=1, max_size=3, unique=True)
    of_activities = st.builds(
        lambda span, types: activities(
            filters=Filters(
                from_date=span[0],
                to_date=span[1],
                activity_types=None if types is None else tuple(types),
            )
        ),
        spans,
        types,
    )
    return of_contacts | of_activities


def creates() -> st.SearchStrategy[Change]:
    """Exports, some of a segment that there is or has been."""

    def create(shop: EditedShop, wanted: ExportRequest, nth: int | None) -> None:
        if nth is not None:
            filters = replace(wanted.filters, segment_id=segment_id(shop, SEGMENTS, nth))
            wanted = replace(wanted, filters=filters)
        shop.create(wanted)

    return st.builds(
        lambda wanted, nth: lambda shop: create(shop, wanted, nth), requests(), st.none() | nths
    )


def steps() -> st.SearchStrategy[Change]:
    return st.integers(1, 3).map(lambda times: lambda shop: [shop.step() for _ in range(times)])


def compactions() -> st.SearchStrategy[Change]:
    return st.just(lambda shop: shop.compact())


HISTORIES = st.lists(
    puts()
    | imports()
    | batches()
    | memberships()
    | segment_edits(SEGMENTS, emails)
    | field_edits(emails)
    | purchases(emails, st.sampled_from(DAYS))
    | erasures()
    | creates()
    | creates()
    | steps()
    | compactions(),
    min_size=8,
    max_size=18,
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """In memory where the machine has that: thousands of small commits, and no power loss here."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as made:
        yield Path(made)


@pytest.fixture(scope="module")
def catalog(folder: Path) -> Iterator[Database]:
    path = folder / "catalog.db"
    path.write_bytes(empty_catalog())
    opened = Database(f"sqlite:///{path}")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[Engine]:
    opened = open_engine(folder)
    yield opened
    opened.close()


@pytest.mark.parametrize("portion", PORTIONS)
@settings(
    max_examples=RUNS // len(PORTIONS),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(history=HISTORIES, last=nths)
def test_every_file_is_the_account_as_of_its_snapshot(
    catalog: Database, engine: Engine, portion: int, history: list[Change], last: int
):
    """No row is lost, repeated or foreign, in contacts, activities and product lines, whatever
    is committed, erased, compacted or exported between the steps of an export."""
    _live(EditedShop(engine._folder, engine, catalog), history, last)


@pytest.mark.parametrize("portion", PORTIONS)
@settings(
    max_examples=RUNS // 15 // len(PORTIONS),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(history=HISTORIES, last=nths)
def test_every_file_from_an_unload_is_the_account_as_of_its_snapshot(
    catalog: Database, engine: Engine, portion: int, history: list[Change], last: int
):
    """The same when every slice is rendered from an unload of the snapshot."""
    _live(EditedShop(engine._folder, engine, catalog, unloading=True), history, last)


def test_an_edit_is_in_the_files_of_later_snapshots_only(catalog: Database, engine: Engine):
    """One history with every kind of edit, and exports of everything between them, many of them
    rendered after later edits."""
    shop = EditedShop(engine._folder, engine, catalog)
    ann, bob, eve, _ = EMAILS

    def static(emails: list[str], *, joining: bool) -> None:
        shop.change_members(shop.made_segments[0], emails, joining=joining)

    def put(email: str, color: str) -> None:
        shop.put(ContactKey(column="_email", value=email), {"color": color})

    rounds: list[list[Callable[[], object]]] = [
        [
            lambda: shop.put_many([(None, email, "one") for email in (ann, bob, eve)]),
            lambda: shop.create_segment(None),
            lambda: static([ann, bob], joining=True),
            lambda: shop.add_field("color"),
            lambda: put(bob, "red"),
            lambda: shop.create_segment({"field": "color", "is": "equals", "value": "red"}),
            lambda: shop.create_segment({"activity": "purchase", "atLeast": 2}),
        ],
        [
            lambda: static([ann], joining=False),
            lambda: put(ann, "red"),
            lambda: shop.buy("1", eve, Decimal(10), DAYS[1], 2),
            lambda: shop.buy("2", eve, Decimal("0.1"), DAYS[0], 1),
            lambda: shop.replace_segment(shop.made_segments[1], RULES[0]),
        ],
        [
            lambda: shop.end_field("color"),
            lambda: shop.replace_segment(shop.made_segments[2], RULES[1]),
            lambda: shop.buy("3", bob, Decimal("33.333333"), DAYS[2], 1),
            lambda: shop.end_segment(shop.made_segments[0]),
        ],
        [
            lambda: shop.add_field("color"),
            lambda: shop.end_segment(shop.made_segments[1]),
            lambda: put(eve, "blue"),
        ],
    ]
    try:
        for edits in rounds:
            for edit in edits:
                edit()
            shop.count_segments()
            for id_ in shop.made_segments:
                shop.create(request(version=Version.V6, filters=Filters(segment_id=id_)))
            shop.create(request(version=Version.V6))
            shop.create(activities())
            for _ in range(len(shop.made_segments) + 2):
                shop.step()
        shop.finish()
        assert len(shop.checked) == len(shop.created) == 20
    finally:
        shop.forget()


def _live(shop: EditedShop, history: list[Change], last: int) -> None:
    """Live through it, half of the time in a shop that has contacts already; in the end every
    segment is counted, and one of them exported."""
    try:
        if last % 2:
            shop.put_many([(None, email, "one") for email in EMAILS[:3]])
            shop.add_members(SEGMENTS[last // 2 % 2], EMAILS[:2])
        for change in history:
            change(shop)
        shop.count_segments()
        segment = segment_id(shop, SEGMENTS, last)
        shop.create(request(version=Version.V6, filters=Filters(segment_id=segment)))
        shop.finish()
        assert not [key for key in shop.files.keys("") if "/unload-" in key]
    finally:
        shop.forget()
