"""Hashing beside the work: it takes as long as copying, and neither needs the GIL."""

import hashlib
from concurrent.futures import Executor, Future


class SideHash:
    """SHA-256 of chunks, taken one chunk behind whoever hands them out."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._digest = hashlib.sha256()
        self._before: Future[None] | None = None

    def take(self, chunk: bytes) -> None:
        """Hash the chunk soon; waits for the one before, so that memory stays bounded."""
        self._wait()
        self._before = self._executor.submit(self._digest.update, chunk)

    def hexdigest(self) -> str:
        """The digest of all chunks taken."""
        self._wait()
        return self._digest.hexdigest()

    def _wait(self) -> None:
        if self._before is not None:
            self._before.result()
