"""The `outhaul` command, in a process that meets one fault when it comes to one step.

`CRASH_AT` names the step, `CRASH_WITH` the fault, `CRASH_SECONDS` how long a fault lasts that ends
by itself, and `CRASH_DATA` the data directory. With `CRASH_AGAIN` every later coming meets the
fault too.
"""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from outhaul.catalog.exports import Exports
from outhaul.catalog.leases import Leases
from outhaul.cli.app import main
from outhaul.pipeline import pipeline
from outhaul.store.reader import SnapshotReader
from tests.crash.faults import FAULTS, prepare, thread_hangs

Reached = Callable[[], None]

TROUBLED_SLICE = 3
"""Which slice meets the fault of a slice's steps, counted from 1: the others must not notice."""


def _before(owner: Any, name: str, *, nth: int = 1) -> Callable[[Reached], None]:
    def calls(reached: Reached, call: Callable[[], Any]) -> Any:
        reached()
        return call()

    return _wrapped(owner, name, calls, nth)


def _after(owner: Any, name: str, *, nth: int = 1) -> Callable[[Reached], None]:
    def calls(reached: Reached, call: Callable[[], Any]) -> Any:
        result = call()
        reached()
        return result

    return _wrapped(owner, name, calls, nth)


def _after_claim(reached: Reached, call: Callable[[], Any]) -> Any:
    claim = call()
    if claim is not None:  # Idle threads ask all the time.
        reached()
    return claim


def _within(owner: Any, name: str, *, nth: int = 1) -> Callable[[Reached], None]:
    """In the midst of a generator: when its first item has been taken."""

    def calls(reached: Reached, call: Callable[[], Any]) -> Iterator[Any]:
        for number, item in enumerate(call()):
            yield item
            if number == 0:
                reached()

    return _wrapped(owner, name, calls, nth)


def _wrapped(
    owner: Any, name: str, calls: Callable[[Reached, Callable[[], Any]], Any], nth: int
) -> Callable[[Reached], None]:
    def install(fault: Reached) -> None:
        real, lock, count = getattr(owner, name), threading.Lock(), [0]

        def reached() -> None:
            with lock:
                count[0] += 1
                due = count[0] == nth or (count[0] > nth and "CRASH_AGAIN" in os.environ)
            if due:
                fault()

        setattr(owner, name, lambda *given, **named: calls(reached, lambda: real(*given, **named)))

    return install


STEPS: dict[str, Callable[[Reached], None]] = {
    "created": _after(Exports, "create"),
    "claimed": _wrapped(Leases, "claim", _after_claim, 1),
    "planning": _before(SnapshotReader, "cut"),
    "planned": _after(Leases, "planned"),
    "rendering": _within(SnapshotReader, "lines", nth=TROUBLED_SLICE),
    "slice-stored": _before(Leases, "rendered", nth=TROUBLED_SLICE),
    "assembling": _within(pipeline, "file_bytes"),
    "archive-durable": _before(Leases, "finished"),
    "finished": _after(Leases, "finished"),
}

if __name__ == "__main__":
    prepare()
    faults = FAULTS | {"thread-hangs": thread_hangs}
    fault, seconds = faults[os.environ["CRASH_WITH"]], float(os.environ["CRASH_SECONDS"])
    STEPS[os.environ["CRASH_AT"]](lambda: fault(Path(os.environ["CRASH_DATA"]), seconds))
    main()
