"""A long call to an engine, and how its work gets on meanwhile."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from outhaul.domain.cancellation import Cancellation

_log = logging.getLogger(__name__)


@contextmanager
def watched(
    ask: Callable[[], object], cancellation: Cancellation, *, every_s: float
) -> Iterator[None]:
    """While the block runs, its work counts as getting on as long as the engine answers `ask`."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(every_s):
            try:
                ask()
                cancellation.check()
            except Exception as error:  # noqa: BLE001 -- the call itself will hear what is wrong
                _log.debug("warehouse silent", extra={"error": type(error).__name__})

    threading.Thread(target=watch, name="warehouse-watch", daemon=True).start()
    try:
        yield
    finally:
        over.set()
