"""Changes of many threads that share commits."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, cast

import pytest

from outhaul.domain.errors import Conflict, OuthaulError
from outhaul.store.commits import Commit, Commits
from outhaul.store.group_commit import GroupCommit

_SOON_S = 10


class _Commits:
    """Commits that each wait until the test lets them through."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.let_through = threading.Semaphore(0)

    @contextmanager
    def open(self, account_id: str, *, source: str) -> Iterator[Commit]:
        self.begun.release()
        assert self.let_through.acquire(timeout=_SOON_S)
        yield cast("Commit", None)


class _Line:
    """A line with its commits and what was applied together."""

    def __init__(self) -> None:
        self.commits = _Commits()
        self.batches: list[list[str]] = []
        self.line: GroupCommit[str, str] = GroupCommit(cast("Commits", self.commits), self._apply)

    def _apply(self, _: Commit, changes: Sequence[str]) -> list[str | OuthaulError]:
        if "fault" in changes:
            raise ZeroDivisionError
        self.batches.append(list(changes))
        return [
            Conflict("refused") if change == "refused" else f"did {change}" for change in changes
        ]

    def waiting(self) -> int:
        return len(self.line._lines["shop"].waiting)

    def submit(self, pool: ThreadPoolExecutor, change: str) -> Any:
        """Hand in a change, which stands in line or is being committed when this returns."""
        before, line_is_led = self.waiting(), self.line._lines["shop"].is_led
        future = pool.submit(self.line.submit, "shop", change)
        if line_is_led:
            _until(lambda: self.waiting() > before)
        return future


def _until(holds: Callable[[], bool]) -> None:
    for _ in range(_SOON_S * 1000):
        if holds():
            return
        threading.Event().wait(0.001)
    raise AssertionError("it never held")


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as threads:
        yield threads


def test_who_comes_while_a_commit_runs_shares_the_next(pool: ThreadPoolExecutor):
    shop = _Line()
    first = shop.submit(pool, "a")
    assert shop.commits.begun.acquire(timeout=_SOON_S)
    others = [shop.submit(pool, change) for change in ("b", "c", "d")]
    shop.commits.let_through.release(2)
    assert first.result(_SOON_S) == "did a"
    assert [other.result(_SOON_S) for other in others] == ["did b", "did c", "did d"]
    assert shop.batches == [["a"], ["b", "c", "d"]]


def test_an_answer_does_not_wait_for_commits_of_those_who_came_later(pool: ThreadPoolExecutor):
    shop = _Line()
    first = shop.submit(pool, "a")
    assert shop.commits.begun.acquire(timeout=_SOON_S)
    second, third = (shop.submit(pool, change) for change in ("b", "c"))
    shop.commits.let_through.release()
    assert first.result(_SOON_S) == "did a"
    assert shop.commits.begun.acquire(timeout=_SOON_S)
    late = shop.submit(pool, "late")
    shop.commits.let_through.release()
    assert second.result(_SOON_S) == "did b"
    assert third.result(_SOON_S) == "did c"
    assert not late.done()
    shop.commits.let_through.release()
    assert late.result(_SOON_S) == "did late"


def test_one_that_is_refused_or_fails_alone_takes_nobody_along(pool: ThreadPoolExecutor):
    shop = _Line()
    first = shop.submit(pool, "a")
    assert shop.commits.begun.acquire(timeout=_SOON_S)
    good, fault, refused = (shop.submit(pool, change) for change in ("b", "fault", "refused"))
    shop.commits.let_through.release(5)
    assert first.result(_SOON_S) == "did a"
    assert good.result(_SOON_S) == "did b"
    with pytest.raises(ZeroDivisionError):
        fault.result(_SOON_S)
    with pytest.raises(Conflict):
        refused.result(_SOON_S)
    shop.commits.let_through.release()
    assert shop.line.submit("shop", "after") == "did after"
