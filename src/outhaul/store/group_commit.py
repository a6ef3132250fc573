"""Group commit: changes that wait for the account's writer lock share the next commit.

A commit costs a write to the disk that all its changes share. Changes line up; a thread of ours
applies everything in line in one commit, and goes on until nothing is left in line.
"""

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from outhaul.domain.errors import OuthaulError
from outhaul.store.commits import Commit, Commits

Change = TypeVar("Change")
Answer = TypeVar("Answer")
_MOST_CHANGES = 200
# One account's line can stand still for as long as an import of it takes; others must not.
_ACCOUNTS_AT_ONCE = 40


@dataclass
class _Waiting(Generic[Change, Answer]):
    change: Change
    answer: "Future[Answer]" = field(default_factory=Future)


@dataclass
class _Line(Generic[Change, Answer]):
    lock: threading.Lock = field(default_factory=threading.Lock)
    waiting: "deque[_Waiting[Change, Answer]]" = field(default_factory=deque)
    is_served: bool = False
    """Whether a thread commits what is in line, or is about to."""


class NothingWritten(Exception):
    """Raised by `apply` to undo the commit: there was nothing to write. Holds the answers."""

    def __init__(self, answers: Sequence[object]) -> None:
        super().__init__()
        self.answers = answers


class GroupCommit(Generic[Change, Answer]):
    """Applies changes of many callers, those of one account together."""

    def __init__(
        self,
        commits: Commits,
        apply: Callable[[Commit, Sequence[Change]], "Sequence[Answer | OuthaulError]"],
    ) -> None:
        """`apply` gives one answer a change, in order; an error as an answer is raised to the
        change's owner alone, and the change must not have been written then."""
        self._commits = commits
        self._apply = apply
        self._lines: defaultdict[str, _Line[Change, Answer]] = defaultdict(_Line)
        self._threads = ThreadPoolExecutor(_ACCOUNTS_AT_ONCE, thread_name_prefix="commit")

    def submit(self, account_id: str, change: Change) -> "Future[Answer]":
        """The answer to the change, durable when it is there. Never waits itself."""
        line = self._lines[account_id]
        mine: _Waiting[Change, Answer] = _Waiting(change)
        with line.lock:
            line.waiting.append(mine)
            serves, line.is_served = not line.is_served, True
        if serves:
            self._threads.submit(self._serve, account_id, line)
        return mine.answer

    def _serve(self, account_id: str, line: "_Line[Change, Answer]") -> None:
        """Commit until nobody is in line."""
        while True:
            with line.lock:
                most = min(_MOST_CHANGES, len(line.waiting))
                batch = [line.waiting.popleft() for _ in range(most)]
                line.is_served = bool(batch)
            if not batch:
                return
            self._commit(account_id, batch)

    def _commit(self, account_id: str, batch: "list[_Waiting[Change, Answer]]") -> None:
        answers: Sequence[Answer | OuthaulError]
        try:
            with self._commits.open(account_id, source="api", brief=True) as commit:
                answers = self._apply(commit, [waiting.change for waiting in batch])
        except NothingWritten as nothing:
            answers = nothing.answers  # type: ignore[assignment]  # apply's own answers
        except BaseException as fault:  # noqa: BLE001 -- handed to whoever caused it
            if len(batch) > 1:
                # One change must not fail the others: each gets a commit of its own.
                for waiting in batch:
                    self._commit(account_id, [waiting])
            else:
                batch[0].answer.set_exception(fault)
            return
        for waiting, answer in zip(batch, answers, strict=True):
            if isinstance(answer, OuthaulError):
                waiting.answer.set_exception(answer)
            else:
                waiting.answer.set_result(answer)
