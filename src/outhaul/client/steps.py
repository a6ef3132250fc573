"""What the client wants done, without doing it.

Everything the client knows is written once, as generators that yield one of the wishes below and
get the result sent in (or the fault thrown in). `drivers` fulfils them, blocking or with asyncio.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Call:
    """One HTTP request; the result is an Answer, the fault an httpx.TransportError."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: Any = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A whole response, its body empty where a Receive took it."""

    status: int
    headers: Mapping[str, str]
    """Looked up without regard to case."""
    body: bytes = b""


class Sink(Protocol):
    """Takes a body while it arrives."""

    def begin(self, answer: Answer) -> bool:
        """Whether the body is wanted; otherwise it becomes the answer's body."""

    def write(self, chunk: bytes) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Receive:
    """One GET whose body goes to a sink; the result is an Answer."""

    url: str = field(repr=False)
    headers: Mapping[str, str]
    sink: Sink


@dataclass(frozen=True)
class Pause:
    """Let `seconds` pass."""

    seconds: float


@dataclass(frozen=True)
class Work:
    """Run a function that takes long; asyncio does it in a thread. The result is the function's."""

    function: Callable[[], Any]


Step = Call | Receive | Pause | Work
Steps = Generator[Step, Any, T]
"""Steps that end with a T."""
