"""Files made of random data, read back with the standard library; and the same bytes always."""

import csv
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import nanoarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outhaul.domain.cancellation import Cancellation, Cancelled
from outhaul.domain.errors import ExportFailed, FailureCause
from outhaul.domain.export import Delimiter, Filters
from outhaul.domain.extras import Extras
from outhaul.domain.imports import ImportKind
from tests.pipeline_shop import PipelineShop, activities, members, request

TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), max_size=30
) | st.sampled_from(['"', '""', ",", ";", "\n", "\r\n", " ", 'a,b;c\n"d"', "🎉"])
INSTANT = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001 -- UTC, see `iso`
    lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[PipelineShop]:
    made = PipelineShop(tmp_path)
    yield made
    made.engine.close()


def iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds") + "Z"


@st.composite
def contact(draw: st.DrawFn) -> dict[str, Any]:
    values: dict[str, Any] = {
        "_name": draw(TEXT | st.none()),
        "_surname": draw(TEXT | st.none()),
        "_points": draw(st.integers(-(2**53), 2**53) | st.none()),
        "_hasPushSubscriptions": draw(st.booleans() | st.none()),
        "_createdAt": iso(draw(INSTANT)),
    }
    return values


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(contact(), max_size=25), semicolon=st.booleans(), slice_rows=st.integers(1, 9))
def test_contacts_are_read_back_exactly(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[dict[str, Any]],
    semicolon: bool,
    slice_rows: int,
) -> None:
    """Every value of every contact, in order, whatever the delimiter and the slices."""
    shop = PipelineShop(tmp_path_factory.mktemp("random"))
    named = [row | {"id": f"{number:03}"} for number, row in enumerate(rows)]
    if named:
        shop.take(ImportKind.CONTACTS, named)
    delimiter = Delimiter.SEMICOLON if semicolon else Delimiter.COMMA
    [text] = shop.export(request(delimiter=delimiter), slice_rows=slice_rows)
    shop.engine.close()

    found = list(
        csv.DictReader(io.StringIO(text.decode(), newline=""), delimiter=delimiter, strict=True)
    )
    expected = sorted(named, key=lambda row: (row["_createdAt"], row["id"]))

    def shown(value: object) -> str:
        return "" if value is None else str(value).lower() if value in (True, False) else str(value)

    assert [
        (row["Tracker"], row["Name"], row["Surname"], row["Points"], row["Creation date"])
        for row in found
    ] == [
        (
            row["id"],
            row["_name"] or "",
            row["_surname"] or "",
            "" if row["_points"] is None else str(row["_points"]),
            row["_createdAt"],
        )
        for row in expected
    ]
    assert [row["Has push subscriptions"] for row in found] == [
        "" if row["_hasPushSubscriptions"] is None else shown(row["_hasPushSubscriptions"])
        for row in expected
    ]
    # The standard library cannot tell the two apart, the bytes can.
    assert text.count(b'""' + delimiter.encode()) >= sum(
        1 for row in expected if row["_name"] == ""
    )


def fill(shop: PipelineShop, count: int) -> None:
    start = datetime(2026, 3, 1)  # noqa: DTZ001 -- UTC, see `iso`
    shop.take(
        ImportKind.ACTIVITIES,
        (
            {
                "id": f"{n * 7919 % count:06}",
                "type": ("search", "login", "purchase")[n % 3],
                # Many activities share an instant, so slices are cut by id as well.
                "createdAt": iso(start + timedelta(seconds=n // 50)),
                "email": f"u{n % 97}@example.com",
            }
            | ({"searchText": f"text {n}"} if n % 3 == 0 else {})
            | ({"products": [{"productId": str(k)} for k in range(n % 4)]} if n % 3 == 2 else {})
            for n in range(count)
        ),
    )


def test_the_text_does_not_depend_on_the_slices(shop: PipelineShop) -> None:
    """One slice or hundreds: the same lines in the same order."""
    fill(shop, 600)
    whole = shop.export(activities())
    for slice_rows in (23, 100):
        assert shop.export(activities(), slice_rows=slice_rows) == whole
    keys = [
        (row["Creation date"], row["Activity ID"])
        for row in csv.DictReader(io.StringIO(whole[0].decode(), newline=""))
    ]
    assert len(keys) == 600
    assert keys == sorted(keys)


def test_slices_of_wide_contacts_have_fewer_rows(shop: PipelineShop) -> None:
    """So that what the engine sorts at a time does not grow with the account's fields."""
    start = datetime(2026, 3, 1)  # noqa: DTZ001 -- UTC, see `iso`
    shop.take(
        ImportKind.CONTACTS,
        (
            {"id": f"{n:03}", "_createdAt": iso(start + timedelta(hours=n))}
            | {f"field{k}": f"{n}" for k in range(20 if n else 0)}
            for n in range(400)
        ),
    )
    narrow = request(extras=Extras(columns=("_name", "_surname")))
    _, _, _, few = shop.plan(narrow, slice_rows=100)
    pipeline, export, plan, many = shop.plan(request(), slice_rows=100)
    assert max(part.rows for part in few) > 90
    assert max(part.rows for part in many) < 60
    assert sum(shop.slice(pipeline, export, plan, part).rows for part in many) == 400


def test_the_archive_is_the_same_with_one_thread_and_with_two(
    shop: PipelineShop, tmp_path: Path
) -> None:
    """Also when slices are rendered again, in another order and side by side."""
    fill(shop, 3000)
    pipeline, export, plan, parts = shop.plan(activities(), slice_rows=200)
    assert len(parts) > 10
    once = [shop.slice(pipeline, export, plan, part) for part in parts]
    again: dict[int, Any] = {}

    def render(numbers: range) -> None:
        for number in numbers:
            again[number] = shop.slice(pipeline, export, plan, parts[number])

    threads = [
        threading.Thread(target=render, args=(range(start, -1, -2),))
        for start in (len(parts) - 1, len(parts) - 2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [again[number] for number in range(len(parts))] == once
    shop.engine.close()
    shop.engine = type(shop.engine)(tmp_path / "store", memory_limit="256MB", threads=1)
    pipeline, _, _, _ = PipelineShop.plan(_reopened(shop), activities(), slice_rows=200)
    assert [shop.slice(pipeline, export, plan, part) for part in parts] == once


@pytest.mark.parametrize("rows", [1, 7, 2048, 2049])
def test_the_archive_is_the_same_whatever_the_size_of_arrow_batches(
    shop: PipelineShop, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """The engine hands its lines over in batches; where these end leaves no trace in the bytes."""
    fill(shop, 6000)
    pipeline, export, plan, parts = shop.plan(activities(), slice_rows=5000)
    once = [shop.slice(pipeline, export, plan, part) for part in parts]
    stream = nanoarrow.c_array_stream
    lengths: set[int] = set()

    @contextmanager
    def measured(batches: object) -> Iterator[Iterator[Any]]:
        def arrays() -> Iterator[Any]:
            for array in opened:
                lengths.add(array.length)
                yield array

        with stream(batches) as opened:
            yield arrays()

    monkeypatch.setattr(nanoarrow, "c_array_stream", measured)
    monkeypatch.setattr("outhaul.store.reader._BATCH_ROWS", rows)
    assert [shop.slice(pipeline, export, plan, part) for part in parts] == once
    assert max(lengths) == rows, "the batches were cut as asked"


def _reopened(shop: PipelineShop) -> PipelineShop:
    shop.commits = type(shop.commits)(shop.engine)
    shop.fields = type(shop.fields)(shop.engine)
    return shop


def test_an_export_reads_one_instant(shop: PipelineShop) -> None:
    """What is committed after the plan is not in the file, whatever kind of data it is."""
    segment = "5f0a1b2c3d4e5f6071829304"
    at = "2026-01-01T00:00:00.000Z"
    shop.take(
        ImportKind.CONTACTS,
        [
            {"id": "a", "_email": "a@example.com", "_name": "old", "_createdAt": at},
            {"id": "b", "_email": "b@example.com", "_createdAt": at},
        ],
    )
    shop.take(
        ImportKind.ACTIVITIES, [{"id": "1", "type": "login", "createdAt": at, "contactId": "a"}]
    )
    shop.take(ImportKind.SEGMENTS, [{"segmentId": segment, "segmentName": "S", "contactId": "a"}])
    wanted = [
        request(),
        request(filters=Filters(segment_id=segment)),
        activities(),
        activities(filters=replace(activities().filters, segment_id=segment)),
    ]
    planned = [shop.plan(one) for one in wanted]
    before = [shop.export(one) for one in wanted]

    shop.take(
        ImportKind.CONTACTS,
        [
            {"id": "a", "_email": "new@example.com", "_name": "new"},
            {"id": "c", "_email": "c@example.com", "_createdAt": at},
        ],
    )
    shop.take(
        ImportKind.ACTIVITIES,
        [{"id": str(n), "type": "login", "createdAt": at, "contactId": "b"} for n in (2, 3)],
    )
    shop.take(ImportKind.SEGMENTS, [{"segmentId": segment, "segmentName": "S", "contactId": "b"}])

    for (pipeline, export, plan, parts), expected in zip(planned, before, strict=True):
        done = [(part, shop.slice(pipeline, export, plan, part)) for part in parts]
        facts, _ = pipeline.assemble(export, plan, done, attempt=1, cancellation=Cancellation())
        assert members(b"".join(shop.files.read(facts.key))) == expected
    now = [shop.export(one)[0].decode() for one in wanted]
    assert [text.count("\n") - 1 for text in now] == [3, 2, 3, 3]
    assert "old" not in now[0]
    assert "a@example.com" not in now[2], "activities show the email that the contact has now"
    assert "new@example.com" in now[2]


def test_rows_that_do_not_match_the_plan_are_never_published(shop: PipelineShop) -> None:
    """A slice with other than the planned rows, or a wrong sum, ends in parityBroken."""
    fill(shop, 100)
    pipeline, export, plan, parts = shop.plan(activities(), slice_rows=40)
    with pytest.raises(ExportFailed) as broken:
        shop.slice(pipeline, export, plan, replace(parts[0], rows=parts[0].rows + 1))
    assert broken.value.cause is FailureCause.PARITY_BROKEN
    done = [(part, shop.slice(pipeline, export, plan, part)) for part in parts]
    with pytest.raises(ExportFailed) as broken:
        pipeline.assemble(export, plan, done[:-1], attempt=1, cancellation=Cancellation())
    assert broken.value.cause is FailureCause.PARITY_BROKEN


def test_cancelled_work_stops_and_stores_nothing(shop: PipelineShop) -> None:
    """Planning, rendering and assembling alike."""
    fill(shop, 100)
    pipeline, export, plan, parts = shop.plan(activities())
    done = [(part, shop.slice(pipeline, export, plan, part)) for part in parts]
    stop = Cancellation()
    stop.cancel()
    with pytest.raises(Cancelled):
        pipeline.plan(shop.account, export, stop)
    with pytest.raises(Cancelled):
        pipeline.render(
            export, plan, parts[0], attempt=2, cancellation=stop, show_rows=lambda _rows: None
        )
    with pytest.raises(Cancelled):
        pipeline.assemble(export, plan, done, attempt=2, cancellation=stop)
    assert not [key for key in shop.files.keys("") if "-2" in key]
