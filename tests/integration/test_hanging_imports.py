"""Imports whose worker hangs, and imports that find no room."""

import resource
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest

from outhaul.catalog.database import Database
from outhaul.catalog.imports import Imports
from outhaul.domain.account import Account
from outhaul.domain.cancellation import Cancellation, Cancelled
from outhaul.domain.imports import Import, ImportKind, ImportOptions, ImportStatus
from outhaul.ingest.importer import Importer
from outhaul.store.chunks import Applied, Chunks
from outhaul.store.staging import interruptible
from outhaul.worker.import_work import ImportWork
from tests.pipeline_shop import PipelineShop, request

ROWS = 50
HANGS_S = 0.2


class Bench:
    """One uploaded file of contacts, to be imported by the real parts."""

    def __init__(self, folder: Path, database: Database, account: Account) -> None:
        self.shop = PipelineShop(folder)
        self.shop.account = account
        self.imports = Imports(database, lease_s=30, fault_limit=1)
        scratch = folder / "scratch"
        scratch.mkdir()
        importer = Importer(
            self.shop.engine, self.shop.commits, self.shop.fields, scratch=scratch, record_chunk=20
        )
        self.work = ImportWork(self.imports, importer, takeover_limit=2, stall_s=HANGS_S)
        self.file = folder / "contacts.csv"
        self.file.write_text("_email\n" + "".join(f"u{n}@shop.example\n" for n in range(ROWS)))
        self.id = self.imports.create(
            account.id,
            kind=ImportKind.CONTACTS,
            path=str(self.file),
            options=ImportOptions(uploaded=True),
        )

    def hang(self, snare: "Snare") -> threading.Thread:
        """A worker takes the import up and hangs; its thread, once others may do it."""
        thread = threading.Thread(target=self.work.do_one, args=("one",), daemon=True)
        thread.start()
        assert snare.caught.acquire(timeout=30)
        until = time.monotonic() + 30
        while thread not in self.work.beat():
            assert time.monotonic() < until
            time.sleep(HANGS_S / 4)  # It is the passing of time that is tested.
        return thread

    def ended(self) -> Import:
        return self.imports.get(self.id)

    def exported(self) -> int:
        [text] = self.shop.export(request())
        return text.count(b"\n") - 1


@pytest.fixture
def bench(tmp_path: Path, database: Database, account: Account) -> Iterator[Bench]:
    made = Bench(tmp_path, database, account)
    yield made
    made.shop.engine.close()


class Snare:
    """Chunks of imports are not applied until they are let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open = threading.Event()
        self.caught = threading.Semaphore(0)
        apply = Chunks.apply

        def wait(chunks: Chunks, number: int, *given: Any, **named: Any) -> Applied:
            if number == 1:
                self.caught.release()
                self.open.wait(60)
            return apply(chunks, number, *given, **named)

        monkeypatch.setattr(Chunks, "apply", wait)


def test_an_import_that_hangs_is_done_by_another(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on behind the chunk that was applied; who wakes up late changes nothing."""
    snare = Snare(monkeypatch)
    hung = bench.hang(snare)
    monkeypatch.undo()
    assert bench.work.do_one("two")
    ended = bench.ended()
    assert (ended.status, ended.taken, ended.refused) == (ImportStatus.FINISHED, ROWS, 0)
    newest = bench.shop.commits.snapshot(bench.shop.account.id)
    snare.open.set()
    hung.join()
    assert bench.ended() == ended
    assert bench.shop.commits.snapshot(bench.shop.account.id) == newest
    assert bench.exported() == ROWS


def test_an_import_that_always_hangs_ends_in_error(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After as many takeovers as allowed; what it had committed stays, the uploaded file goes."""
    snare = Snare(monkeypatch)
    hung = [bench.hang(snare) for _ in range(2)]
    assert bench.work.do_one("three")
    ended = bench.ended()
    assert ended.status is ImportStatus.ERROR
    assert "stopped without a word" in (ended.detail or "")
    assert not bench.file.exists()
    snare.open.set()
    for thread in hung:
        thread.join()
    assert bench.ended() == ended
    assert bench.exported() == 20


def test_an_import_without_room_says_so(bench: Bench) -> None:
    """It is not the file that is wrong."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, limits[1]))
    try:
        assert bench.work.do_one("one")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    ended = bench.ended()
    assert (ended.status, ended.detail) == (ImportStatus.ERROR, "The server has no room for it.")


def test_a_long_statement_that_gets_further_does_not_hang() -> None:
    """However long it takes, and until it is cancelled."""
    cancellation = Cancellation()
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("CREATE TABLE numbers AS FROM range(20_000_000)")
    stopped = []

    def count() -> None:
        with suppress(Cancelled), interruptible(connection, cancellation):
            while True:
                connection.execute("SELECT sum(hash(hash(range))) FROM numbers").fetchall()
        stopped.append(True)

    thread = threading.Thread(target=count)
    thread.start()
    seen, before, until = 0, 0.0, time.monotonic() + 30
    try:
        while seen < 5:
            assert time.monotonic() < until
            idle = cancellation.idle_s
            seen, before = seen + (idle < before), idle
            time.sleep(0.01)  # The poll of a beat.
    finally:
        cancellation.cancel()
        thread.join()
    assert stopped
