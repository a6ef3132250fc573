"""Does one claimed import, and reports what came of it."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from outhaul.catalog.imports import ImportClaim, Imports
from outhaul.catalog.leases import LeaseLost
from outhaul.domain.cancellation import Cancellation, Cancelled
from outhaul.domain.errors import FailureCause, ImportRefused
from outhaul.domain.imports import Import, rejects_of
from outhaul.ingest.importer import Importer, ImportJob
from outhaul.worker.causes import cause_of
from outhaul.worker.reports import report

_T = TypeVar("_T")
_log = logging.getLogger(__name__)
_DETAILS = {
    FailureCause.STORAGE_FULL: "The server has no room for it.",
    FailureCause.STORAGE_UNAVAILABLE: "The storage of the server failed or could not be reached.",
    FailureCause.OUT_OF_MEMORY: "The server may not use as much memory as it takes.",
}
_FURTHER = 4
"""Faults allowed beyond others where memory was short: running exports give it back in a minute."""
_OTHER = "It failed several times for a fault of the server; see its log."
_LOST = "The work stopped without a word too often; the server's log may say where."


@dataclass(kw_only=True, eq=False)
class _Held:
    """An import in hand."""

    claim: ImportClaim
    rows: tuple[int, int]
    """Rows done, and in all."""
    cancellation: Cancellation = field(default_factory=Cancellation)
    thread: threading.Thread = field(default_factory=threading.current_thread)


class ImportWork:
    """Claims imports and does them, one at a time; the next as well while one hangs."""

    def __init__(
        self, imports: Imports, importer: Importer, *, takeover_limit: int, stall_s: float
    ) -> None:
        """As for `ExportWork`: an import whose workers died or hung `takeover_limit` times is given
        up; one hangs that has got no further for `stall_s` seconds."""
        self._imports = imports
        self._importer = importer
        self._takeover_limit = takeover_limit
        self._stall_s = stall_s
        self._lock = threading.Lock()
        self._held: list[_Held] = []

    def do_one(self, owner: str) -> bool:
        """Claim an import and do it; False when nothing was due."""
        claim = self._imports.claim(owner)
        if claim is None:
            return False
        held = _Held(claim=claim, rows=(claim.work.progress, claim.work.total))
        with self._lock:
            self._held.append(held)
        try:
            self._do(held)
        except Cancelled:
            # The lease is lost already when its owner has cancelled the import.
            with suppress(LeaseLost):
                self._imports.release(claim)
        except LeaseLost:
            _log.info("lease lost", extra={"import": claim.work.id})
        finally:
            self._let_go(held)
        return True

    def beat(self) -> Sequence[threading.Thread]:
        """Renew the leases held and show progress; stop the work whose lease is lost. An import
        that gets no further is free for others; returns the threads that hang."""
        hung = []
        for held in self._all():
            if held.cancellation.idle_s > self._stall_s:
                _log.warning("import hangs", extra={"import": held.claim.work.id})
                with suppress(LeaseLost):
                    self._imports.abandon(held.claim)
                self._let_go(held)
                held.cancellation.cancel()
                hung.append(held.thread)
                continue
            done, total = held.rows
            try:
                self._imports.beat(held.claim, progress=done, total=total)
            except LeaseLost:
                held.cancellation.cancel()
        return hung

    def cancel_all(self) -> None:
        """Stop the import in hand; it is given back, and goes on from its last commit."""
        for held in self._all():
            held.cancellation.cancel()

    def _all(self) -> list[_Held]:
        with self._lock:
            return list(self._held)

    def _let_go(self, held: _Held) -> None:
        with self._lock:
            self._held = [one for one in self._held if one is not held]

    def _do(self, held: _Held) -> None:
        claim, work, path = held.claim, held.claim.work, Path(held.claim.work.path)

        def progress(done: int, total: int) -> None:
            held.rows = (done, total)

        if claim.takeovers >= self._takeover_limit:
            _log.error("import given up", extra={"import": work.id})
            self._imports.refused(claim, _LOST)
            _forget(work)
            return
        started = time.monotonic()
        try:
            result = self._importer.run(
                ImportJob(
                    id=work.id,
                    account_id=work.account_id,
                    kind=work.kind,
                    path=path,
                    options=work.options,
                    rejects=rejects_of(work.path),
                ),
                progress=progress,
                cancellation=held.cancellation,
            )
        except ImportRefused as refusal:
            detail = refusal.detail
            self._tell(held, partial(self._imports.refused, claim, detail))
            _forget(work)
        except (Cancelled, LeaseLost):
            raise
        except Exception as error:  # noqa: BLE001 -- reported, and tried again
            cause = cause_of(error)
            facts = {"import": work.id, "cause": cause, "error": type(error).__name__}
            _log.error("import failed", extra=facts, exc_info=error)
            further = _FURTHER if cause is FailureCause.OUT_OF_MEMORY else 0
            detail = _DETAILS.get(cause, _OTHER)
            failed = partial(self._imports.failed, claim, detail, further=further)
            if self._tell(held, failed):
                _forget(work)
        else:
            finished = partial(
                self._imports.finished, claim, taken=result.taken, refused=result.refused
            )
            self._tell(held, finished)
            _forget(work)
            _log.info(
                "import finished",
                extra={
                    "import": work.id,
                    "taken": result.taken,
                    "refused": result.refused,
                    "seconds": round(time.monotonic() - started, 1),
                },
            )

    def _tell(self, held: _Held, move: Callable[[], _T]) -> _T | None:
        arrived = partial(self._imports.reported, held.claim)
        return report(move, arrived=arrived, cancellation=held.cancellation)


def _forget(work: Import) -> None:
    """An uploaded file is ours, and full of personal data; what a user named stays."""
    if work.options.uploaded:
        Path(work.path).unlink(missing_ok=True)
