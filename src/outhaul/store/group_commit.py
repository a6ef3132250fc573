"""Group commit: whoever waits for the account's writer lock is served by the next commit.

A commit costs a write to the disk that all its changes share. Callers line up; the first
applies everything in line in one commit, and hands over to the first of those who came meanwhile.
"""

import itertools
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from outhaul.domain.errors import OuthaulError
from outhaul.store.commits import Commit, Commits

Change = TypeVar("Change")
Answer = TypeVar("Answer")
_MOST_CHANGES = 200


@dataclass
class _Waiting(Generic[Change, Answer]):
    change: Change
    answers: "list[Answer | OuthaulError]" = field(default_factory=list)
    fault: BaseException | None = None
    called: threading.Event = field(default_factory=threading.Event)
    """Set when the answer is there, or when it is this caller's turn to commit."""

    @property
    def is_done(self) -> bool:
        return bool(self.answers) or self.fault is not None


@dataclass
class _Line(Generic[Change, Answer]):
    lock: threading.Lock = field(default_factory=threading.Lock)
    waiting: "deque[_Waiting[Change, Answer]]" = field(default_factory=deque)
    is_led: bool = False
    """Whether somebody commits now, or has been called to."""


class NothingWritten(Exception):
    """Raised by `apply` to undo the commit: there was nothing to write. Holds the answers."""

    def __init__(self, answers: Sequence[object]) -> None:
        super().__init__()
        self.answers = answers


class GroupCommit(Generic[Change, Answer]):
    """Applies changes of many threads, those of one account together."""

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

    def submit(self, account_id: str, change: Change) -> Answer:
        """The answer to the change, durable by now."""
        line = self._lines[account_id]
        mine: _Waiting[Change, Answer] = _Waiting(change)
        with line.lock:
            line.waiting.append(mine)
            leads, line.is_led = not line.is_led, True
        if not leads:
            mine.called.wait()
        if not mine.is_done:
            self._lead(account_id, line)
        if mine.fault is not None:
            raise mine.fault
        answer = mine.answers[0]
        if isinstance(answer, OuthaulError):
            raise answer
        return answer

    def _lead(self, account_id: str, line: "_Line[Change, Answer]") -> None:
        """Commit what is in line, then call its owners and whoever commits next. Each is called
        by an event of its own: behind a common lock, those who have their answer would wait for
        the commits of those who came after them."""
        with line.lock:
            batch = [line.waiting.popleft() for _ in range(min(_MOST_CHANGES, len(line.waiting)))]
        self._commit(account_id, batch)
        with line.lock:
            line.is_led = bool(line.waiting)
            called = [*itertools.islice(line.waiting, 1), *batch]
        for waiting in called:
            waiting.called.set()

    def _commit(self, account_id: str, batch: "list[_Waiting[Change, Answer]]") -> None:
        answers: Sequence[Answer | OuthaulError]
        try:
            with self._commits.open(account_id, source="api") as commit:
                answers = self._apply(commit, [waiting.change for waiting in batch])
        except NothingWritten as nothing:
            answers = nothing.answers  # type: ignore[assignment]  # apply's own answers
        except BaseException as fault:  # noqa: BLE001 -- handed to whoever caused it
            if len(batch) > 1:
                # One change must not fail the others: each gets a commit of its own.
                for waiting in batch:
                    self._commit(account_id, [waiting])
            else:
                batch[0].fault = fault
            return
        for waiting, answer in zip(batch, answers, strict=True):
            waiting.answers.append(answer)
