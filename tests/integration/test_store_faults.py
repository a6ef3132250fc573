"""What becomes of an account's store when the disk fails under it, and when memory is short."""

import resource
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from outhaul.domain.errors import (
    FailureCause,
    MemoryExhausted,
    StorageFull,
    StorageUnavailable,
)
from outhaul.domain.imports import ImportKind
from outhaul.store.commits import Commits
from outhaul.store.engine import Engine
from outhaul.worker.causes import cause_of
from tests.pipeline_shop import PipelineShop, request

ACCOUNT = "a" * 24


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = Engine(tmp_path, memory_limit="256MB", threads=1)
    yield opened
    opened.close()


@contextmanager
def no_room(path: Path) -> Iterator[None]:
    """No file may grow beyond the present length of this one, as on a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def add(engine: Engine, rows: int) -> int:
    """A commit of rows of a kilobyte; its number."""
    with Commits(engine).open(ACCOUNT, source="test") as commit:
        commit.connection.execute(
            "INSERT INTO contacts (id, commit_from, commit_to, _name)"
            " SELECT 'c' || range, $number, 9, (SELECT string_agg(uuid()::VARCHAR || range, '')"
            " FROM range(28)) FROM range($rows)",
            {"number": commit.number, "rows": rows},
        )
    return commit.number


def rows(engine: Engine) -> int:
    with engine.session(ACCOUNT) as connection:
        return int(connection.execute("SELECT count(*) FROM contacts").fetchall()[0][0])


def checkpoint(engine: Engine) -> None:
    with engine.session(ACCOUNT) as connection:
        connection.execute("CHECKPOINT")


def test_a_commit_without_room_is_undone(engine: Engine, tmp_path: Path) -> None:
    """It says why; the next one, with room, has its number."""
    add(engine, 10)
    with no_room(tmp_path / f"{ACCOUNT}.duckdb.wal"), pytest.raises(StorageFull):
        add(engine, 1000)
    assert rows(engine) == 10
    assert add(engine, 5) == 2
    assert rows(engine) == 15


def test_a_store_is_used_again_when_its_disk_has_room_again(engine: Engine, tmp_path: Path) -> None:
    """A checkpoint that finds no room makes the engine refuse the file; nothing of it is lost,
    and no restart is needed."""
    add(engine, 2000)
    with no_room(tmp_path / f"{ACCOUNT}.duckdb"), pytest.raises(StorageFull):
        checkpoint(engine)
    assert rows(engine) == 2000
    assert add(engine, 1) == 2
    checkpoint(engine)


def test_who_still_uses_a_refused_file_holds_others_up_no_longer_than_itself(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They wait a while for it; then they get an error that a retry mends."""
    add(engine, 2000)
    with ThreadPoolExecutor(1) as other:
        with engine.session(ACCOUNT):
            with no_room(tmp_path / f"{ACCOUNT}.duckdb"), pytest.raises(StorageFull):
                checkpoint(engine)
            waiting = other.submit(rows, engine)
            with pytest.raises(TimeoutError):
                waiting.result(0.5)
        assert waiting.result(10) == 2000
    monkeypatch.setattr("outhaul.store.engine._PATIENCE_S", 0.1)
    with engine.session(ACCOUNT):
        with no_room(tmp_path / f"{ACCOUNT}.duckdb"), pytest.raises(StorageFull):
            checkpoint(engine)
        with pytest.raises(StorageUnavailable):
            rows(engine)
    assert rows(engine) == 2000


def add_contacts(engine: Engine, prefix: str, count: int) -> int:
    """A commit of contacts that have both keys; its number."""
    with Commits(engine).open(ACCOUNT, source="test") as commit:
        commit.connection.execute(
            'INSERT INTO contacts (id, commit_from, commit_to, _email, "_externalId")'
            " SELECT $prefix || n, $number, 9, $prefix || n || '@shop.example',"
            " $prefix || uuid()::VARCHAR FROM range($count) AS many(n)",
            {"prefix": prefix, "number": commit.number, "count": count},
        )
    return commit.number


def found(engine: Engine, prefix: str) -> int:
    """How many of the first hundred such contacts the index knows."""
    with engine.session(ACCOUNT) as connection:
        ids = connection.execute(
            "SELECT id FROM contacts WHERE _email IN (SELECT unnest($emails))",
            {"emails": [f"{prefix}{n}@shop.example" for n in range(100)]},
        ).fetchall()
    return len(ids)


def test_after_a_commit_without_memory_the_store_is_used_on(tmp_path: Path) -> None:
    """Neither it nor its indexes keep anything of that commit, also not on the disk."""
    small = Engine(tmp_path, memory_limit="20MB", threads=1)
    assert add_contacts(small, "a", 10) == 1
    for _ in range(3):
        with pytest.raises(MemoryExhausted):
            add_contacts(small, "b", 200_000)
    assert add_contacts(small, "b", 10) == 2
    assert (found(small, "a"), found(small, "b"), rows(small)) == (10, 10, 20)
    checkpoint(small)
    small.close()
    large = Engine(tmp_path, memory_limit="256MB", threads=1)
    assert add_contacts(large, "c", 1000) == 3
    assert (found(large, "a"), found(large, "b"), rows(large)) == (10, 10, 1020)
    large.close()


def test_a_store_that_cannot_be_made_says_so(engine: Engine, tmp_path: Path) -> None:
    """A new account without room for its file; with room it is made."""
    (tmp_path / "small").write_bytes(b"x")
    with no_room(tmp_path / "small"), pytest.raises(StorageFull):
        rows(engine)
    assert rows(engine) == 0


def test_an_export_that_needs_more_memory_than_there_may_be_says_so(tmp_path: Path) -> None:
    """Neither a fault of the disk nor of the program; with more memory the same slice comes."""
    shop = PipelineShop(tmp_path)
    names = [{"_email": f"{n}@shop.example", "_name": f"{n:05}" * 4000} for n in range(400)]
    shop.take(ImportKind.CONTACTS, names)
    pipeline, export, plan, [part] = shop.plan(request())
    shop.engine.close()
    refused = []
    for limit in ("5MB", "256MB"):
        engine = Engine(tmp_path / "store", memory_limit=limit, threads=1)
        pipeline._reader._engine = engine
        try:
            facts = shop.slice(pipeline, export, plan, part)
        except MemoryExhausted as error:
            refused.append(cause_of(error))
        engine.close()
    assert refused == [FailureCause.OUT_OF_MEMORY]
    assert facts.rows == 400
