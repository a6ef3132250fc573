"""Random histories of an account, with exports running all along, against a plain oracle."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
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
from tests.modelled_shop import ModelledShop, NewActivity, open_engine
from tests.pipeline_shop import EVER, activities, request

RUNS = max(300, settings().max_examples)
Change = Callable[[ModelledShop], object]
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
    """Contacts or activities; with and without segment, types and dates."""
    segments = st.none() | st.sampled_from(SEGMENTS)
    of_contacts = segments.map(
        lambda segment: request(version=Version.V6, filters=Filters(segment_id=segment))
    )
    spans = st.just((EVER.from_date, EVER.to_date)) | st.lists(
        st.sampled_from(DAYS), min_size=2, max_size=2
    ).map(lambda days: (min(days), max(days)))
    types = st.none() | st.lists(st.sampled_from(TYPES), min_size=1, max_size=3, unique=True)
    of_activities = st.builds(
        lambda segment, span, types: activities(
            filters=Filters(
                segment_id=segment,
                from_date=span[0],
                to_date=span[1],
                activity_types=None if types is None else tuple(types),
            )
        ),
        segments,
        spans,
        types,
    )
    return of_contacts | of_activities


def creates() -> st.SearchStrategy[Change]:
    return requests().map(lambda wanted: lambda shop: shop.create(wanted))


def steps() -> st.SearchStrategy[Change]:
    return st.integers(1, 3).map(lambda times: lambda shop: [shop.step() for _ in range(times)])


def compactions() -> st.SearchStrategy[Change]:
    return st.just(lambda shop: shop.compact())


HISTORIES = st.lists(
    puts()
    | imports()
    | batches()
    | memberships()
    | erasures()
    | creates()
    | creates()
    | steps()
    | compactions(),
    min_size=4,
    max_size=12,
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """In memory where the machine has that: thousands of small commits, and no power loss here."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as made:
        yield Path(made)


@pytest.fixture(scope="module")
def catalog(folder: Path, empty_catalog: Path) -> Iterator[Database]:
    path = folder / "catalog.db"
    path.write_bytes(empty_catalog.read_bytes())
    opened = Database(f"sqlite:///{path}")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[Engine]:
    opened = open_engine(folder)
    yield opened
    opened.close()


@settings(
    max_examples=RUNS,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(history=HISTORIES)
def test_every_file_is_the_account_as_of_its_snapshot(
    catalog: Database, engine: Engine, history: list[Change]
):
    """No row is lost, repeated or foreign, in contacts, activities and product lines, whatever
    is committed, erased, compacted or exported between the steps of an export."""
    _live(ModelledShop(engine._folder, engine, catalog), history)


@settings(
    max_examples=RUNS // 15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(history=HISTORIES)
def test_every_file_from_an_unload_is_the_account_as_of_its_snapshot(
    catalog: Database, engine: Engine, history: list[Change]
):
    """The same when every slice is rendered from an unload of the snapshot."""
    _live(ModelledShop(engine._folder, engine, catalog, unloading=True), history)


def _live(shop: ModelledShop, history: list[Change]) -> None:
    try:
        for change in history:
            change(shop)
        shop.finish()
        assert not [key for key in shop.files.keys("") if "/unload-" in key]
    finally:
        shop.forget()
