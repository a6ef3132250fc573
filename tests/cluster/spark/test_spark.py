"""The suite over engines on a real Apache Spark, and a worker that dies in the middle."""

import hashlib
import threading
from dataclasses import replace
from typing import Any

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from outhaul.domain.activity_types import ACTIVITY_FIELDS
from outhaul.domain.cancellation import Cancellation, Cancelled
from outhaul.domain.export import ExportRequest, Filters, Version
from outhaul.domain.extras import Extras
from outhaul.warehouse.connect import connect
from tests.cluster.spark.processes import Cluster, until
from tests.integration.test_warehouse import (
    SEGMENT,
    Place,
    place,
    test_an_account_sees_its_own_rows_only,
    test_hostile_texts_are_values_and_names_and_nothing_else,
    test_rows_that_are_lost_between_engine_and_files_end_the_export,
    test_the_last_row_of_a_contact_by_commit_counts,
)
from tests.pipeline_shop import EVER, activities, request

__all__ = [
    "place",
    "test_an_account_sees_its_own_rows_only",
    "test_hostile_texts_are_values_and_names_and_nothing_else",
    "test_rows_that_are_lost_between_engine_and_files_end_the_export",
    "test_the_last_row_of_a_contact_by_commit_counts",
]

ROWS = 1_000_000
WANTED = [
    request(version=Version.V1),
    request(version=Version.V6, filters=Filters(segment_id=SEGMENT)),
    activities(Version.V1),
    activities(Version.V6),
    activities(filters=replace(EVER, segment_id=SEGMENT, activity_types=("search", "purchase"))),
    activities(extras=Extras(columns=("email", "url"), product_columns=("quantity",))),
]


@pytest.mark.parametrize("wanted", WANTED)
def test_the_archive_is_that_of_the_embedded_store(place: Place, wanted: ExportRequest) -> None:
    """Some versions and filters: the same rows, the same bytes."""
    assert place.archive(wanted) == place.shop.archive(wanted)


def test_cancelling_frees_the_executors(place: Place) -> None:
    """Both are busy with a query that would take hours; once it is cancelled another one, which
    needs an executor too, has its answer."""
    endless = sqlglot.parse_one(
        "SELECT count(*) AS n FROM range(100000000000000) WHERE id % 7 = 3 ORDER BY n",
        dialect="spark",
    )
    assert isinstance(endless, exp.Query)
    engine, cancellation = connect(place.url), Cancellation()

    def progress(_: int, of: int) -> None:
        if of:
            threading.Thread(target=cancellation.cancel).start()

    with pytest.raises(Cancelled):
        engine.unload(
            endless,
            url=f"file://{place.folder}/never",
            partition_by=None,
            cancellation=cancellation,
            progress=progress,
        )
    short = sqlglot.parse_one("SELECT count(*) FROM range(1000) WHERE id % 2 = 0", dialect="spark")
    assert isinstance(short, exp.Query)
    assert engine.rows(short) == [(500,)]


def test_an_export_outlives_a_worker_that_is_killed(place: Place, cluster: Cluster) -> None:
    """A worker and its executor die while they write; Spark does their part again elsewhere, and
    the archive has the SHA-256 of a quiet run."""
    path = place.folder / "many.parquet"
    old = place.folder / "activities.parquet"
    duckdb.execute(
        f'COPY (SELECT * REPLACE ("the id" || \'-\' || i AS "the id",'
        ' "the createdAt" + INTERVAL (i) SECOND AS "the createdAt")'
        f" FROM '{old}', range({ROWS} // (SELECT count(*) FROM '{old}')) AS r(i))"
        f" TO '{path}' (FORMAT parquet)"
    )
    many = place.mapping.activities.model_copy(update={"path": str(path)})
    busy = replace(place, mapping=place.mapping.model_copy(update={"activities": many}))
    busy.shop.slice_rows = 250_000
    wanted = activities(extras=Extras(columns=("activityId", "email", *list(ACTIVITY_FIELDS)[:9])))
    quiet = hashlib.sha256(busy.archive(wanted)).hexdigest()
    seen: list[tuple[int, int]] = []

    class Killing:
        """The engine, which loses a worker as soon as some of the work is done."""

        def __init__(self) -> None:
            self._engine = connect(busy.url)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._engine, name)

        def unload(self, query: exp.Query, **options: Any) -> int:
            def progress(done: int, of: int) -> None:
                if not seen and 0 < done < of:
                    cluster.kill_worker(0)
                    seen.append((done, of))

            return self._engine.unload(query, **options | {"progress": progress})

    disturbed = hashlib.sha256(busy.archive(wanted, Killing())).hexdigest()
    assert seen, "the unload was over before anybody was killed"
    assert len(cluster.executors()) == 1
    assert disturbed == quiet
    until(lambda: "Removing worker" in cluster.log("master"), "the master's notice")
