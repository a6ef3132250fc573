"""What is removed from among the files, and what is not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from outhaul.catalog.needed_files import NeededFiles
from outhaul.domain.errors import UnsafeSettings
from outhaul.files.object_store import Files, open_files
from outhaul.worker import cleaning
from outhaul.worker.cleaning import Cleaning
from outhaul.worker.file_work import FileWork


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


def test_once_an_hour_what_is_older_than_a_day_goes(
    files: Files, needed: NeededFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written a moment ago may be recorded in the next; and nobody looks more often."""
    clock = Clock()
    work = FileWork(Cleaning(needed, files), clock=clock)
    clock.now = 3601
    work.do_one("me")
    assert len(list(files.keys("exports"))) == 2, "they are young"
    monkeypatch.setattr(cleaning, "GRACE", -timedelta(minutes=1))
    work.do_one("me")
    assert len(list(files.keys("exports"))) == 2, "it has looked just now"
    clock.now = 7202
    work.do_one("me")
    assert list(files.keys("exports")) == []


def test_nothing_is_removed_from_a_place_of_others(files: Files, needed: NeededFiles) -> None:
    """Where the mark is another catalog's, or cannot be read, every file stays."""

    def claim(_files: Files) -> None:
        raise UnsafeSettings("another catalog's")

    for act in (Cleaning.at_start, Cleaning.of_old):
        with pytest.raises(UnsafeSettings):
            act(Cleaning(needed, files, claim=claim))
    assert len(list(files.keys("exports"))) == 2


def test_only_what_is_older_is_listed(files: Files) -> None:
    """By the store's own clock."""
    now = datetime.now(UTC)
    assert list(files.keys("exports", before=now - timedelta(hours=1))) == []
    assert len(list(files.keys("exports", before=now + timedelta(hours=1)))) == 2
