"""Changes of many callers that share commits."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import cast

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
    def open(self, account_id: str, *, source: str, brief: bool) -> Iterator[Commit]:
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

    def submit(self, change: str) -> Future[str]:
        return self.line.submit("shop", change)


def test_who_comes_while_a_commit_runs_shares_the_next():
    shop = _Line()
    first = shop.submit("a")
    assert shop.commits.begun.acquire(timeout=_SOON_S)
    others = [shop.submit(change) for change in ("b", "c", "d")]
    shop.commits.let_through.release(2)
    assert first.result(_SOON_S) == "did a"
    assert [other.result(_SOON_S) for other in others] == ["did b", "did c", "did d"]
    assert shop.batches == [["a"], ["b", "c", "d"]]


def test_an_answer_does_not_wait_for_commits_of_those_who_came_later():
    shop = _Line()
    first = shop.submit("a")
    assert shop.commits.begun.acquire(timeout=_SOON_S)
    second, third = (shop.submit(change) for change in ("b", "c"))
    shop.commits.let_through.release()
    assert first.result(_SOON_S) == "did a"
    assert shop.commits.begun.acquire(timeout=_SOON_S)
    late = shop.submit("late")
    shop.commits.let_through.release()
    assert second.result(_SOON_S) == "did b"
    assert third.result(_SOON_S) == "did c"
    assert not late.done()
    shop.commits.let_through.release()
    assert late.result(_SOON_S) == "did late"


def test_one_that_is_refused_or_fails_alone_takes_nobody_along():
    shop = _Line()
    first = shop.submit("a")
    assert shop.commits.begun.acquire(timeout=_SOON_S)
    good, fault, refused = (shop.submit(change) for change in ("b", "fault", "refused"))
    shop.commits.let_through.release(5)
    assert first.result(_SOON_S) == "did a"
    assert good.result(_SOON_S) == "did b"
    with pytest.raises(ZeroDivisionError):
        fault.result(_SOON_S)
    with pytest.raises(Conflict):
        refused.result(_SOON_S)
    shop.commits.let_through.release()
    assert shop.submit("after").result(_SOON_S) == "did after"
