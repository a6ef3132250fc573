"""Completes erasures: what an answered request has left to delete, and what a crash cut short."""

import threading
from collections.abc import Sequence

from outhaul.ingest.erasure import Eraser


class ErasureWork:
    """Erasures are quick and can be done twice, so that they need no lease."""

    def __init__(self, eraser: Eraser) -> None:
        self._eraser = eraser

    def do_one(self, owner: str) -> bool:  # noqa: ARG002 -- the protocol's; there is no lease
        """Complete all erasures that have begun; False when there were none."""
        return self._eraser.complete()

    def beat(self) -> Sequence[threading.Thread]:
        """Nothing is held."""
        return ()

    def cancel_all(self) -> None:
        """Each takes moments; the worker's stop waits for it."""
