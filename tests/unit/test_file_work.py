"""What is removed from among the files, and what is not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from outhaul.catalog.exports import Exports
from outhaul.catalog.needed_files import NeededFiles
from outhaul.domain.account import Account
from outhaul.domain.errors import UnsafeSettings
from outhaul.domain.export import Origin
from outhaul.files.object_store import Files, open_files
from outhaul.worker import cleaning
from outhaul.worker.cleaning import Cleaning
from outhaul.worker.file_work import FileWork
from tests.pipeline_shop import request as wanted
from tests.s3 import Bucket


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def files() -> Files:
    made = open_files("memory://")
    for key in ("exports/1/0/slices/contacts-0-1", "exports/2/0/archive-1.zip", "other"):
        made.write(key, [b"x"])
    return made


@pytest.fixture
def needed(database: Any) -> NeededFiles:
    return NeededFiles(database)


def test_a_start_removes_what_the_catalog_does_not_know(files: Files, needed: NeededFiles) -> None:
    """Of exports only; whatever else is there is not ours to judge."""
    Cleaning(needed, files).at_start()
    assert list(files.keys("")) == ["other"]


@pytest.mark.parametrize("place", ["directory", "bucket"])
def test_once_an_hour_goes_what_the_dead_have_left(
    place: str, database: Any, account: Account, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Of exports that are gone at once, with uploads that nobody ends; of running ones only what is
    older than a day, because it may be recorded in the next moment. Nobody looks more often."""
    bucket: Bucket | None = request.getfixturevalue("bucket") if place == "bucket" else None
    files = open_files(bucket.url if bucket else str(tmp_path / "files"))
    exports = Exports(database)
    running, gone = (
        exports.create(account.id, wanted(), origin=Origin.API, queue_limit=2).id for _ in range(2)
    )
    exports.delete(account.id, gone)
    for id_ in (running, gone):
        files.write(f"exports/{id_}/0/slices/contacts-0-1", [b"x"])
        unfinished = f"exports/{id_}/0/archive-1.zip"
        if bucket:
            bucket.client.create_multipart_upload(Bucket=bucket.name, Key=f"outhaul/{unfinished}")
        else:
            (tmp_path / "files" / f"{unfinished}#1").write_bytes(b"x")

    def left() -> set[str]:
        if bucket:
            return {key.split("/")[1] for key in bucket.files()} | {
                key.split("/")[2] for key in bucket.uploads()
            }
        every = (tmp_path / "files" / "exports").rglob("*")
        return {path.relative_to(tmp_path).parts[2] for path in every if path.is_file()}

    clock = Clock()
    work = FileWork(Cleaning(NeededFiles(database), files), clock=clock)
    clock.now = 3599
    work.do_one("me")
    assert left() == {running, gone}
    clock.now = 3601
    work.do_one("me")
    assert left() == {running}
    exports.delete(account.id, running)
    work.do_one("me")
    assert left() == {running}, "it has looked just now"
    clock.now = 7202
    work.do_one("me")
    assert left() == set()


def test_what_a_running_export_has_not_needed_for_a_day_goes(
    files: Files, database: Any, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By then nobody is going to record it."""
    id_ = Exports(database).create(account.id, wanted(), origin=Origin.API, queue_limit=1).id
    files.write(f"exports/{id_}/0/slices/contacts-0-1", [b"x"])
    clean = FileWork(Cleaning(NeededFiles(database), files), at_once=True)
    clean.do_one("me")
    assert list(files.keys("exports")) == [f"exports/{id_}/0/slices/contacts-0-1"]
    monkeypatch.setattr(cleaning, "GRACE", -timedelta(minutes=1))
    FileWork(Cleaning(NeededFiles(database), files), at_once=True).do_one("me")
    assert list(files.keys("exports")) == []


def test_nothing_is_removed_from_a_place_of_others(files: Files, needed: NeededFiles) -> None:
    """Where the mark is another catalog's, or cannot be read, every file stays."""

    def claim(_files: Files) -> None:
        raise UnsafeSettings("another catalog's")

    for act in (Cleaning.at_start, Cleaning.of_left):
        with pytest.raises(UnsafeSettings):
            act(Cleaning(needed, files, claim=claim))
    assert len(list(files.keys("exports"))) == 2


def test_only_what_is_older_is_listed(files: Files) -> None:
    """By the store's own clock."""
    now = datetime.now(UTC)
    assert list(files.keys("exports", before=now - timedelta(hours=1))) == []
    assert len(list(files.keys("exports", before=now + timedelta(hours=1)))) == 2
