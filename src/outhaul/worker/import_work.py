"""Does one claimed import, and reports what came of it."""

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from outhaul.catalog.imports import ImportClaim, Imports
from outhaul.catalog.leases import LeaseLost
from outhaul.domain.cancellation import Cancellation, Cancelled
from outhaul.domain.errors import ImportRefused
from outhaul.domain.imports import Import
from outhaul.ingest.importer import Importer, ImportJob

_log = logging.getLogger(__name__)


class ImportWork:
    """Claims imports and does them, one at a time."""

    def __init__(self, imports: Imports, importer: Importer) -> None:
        self._imports = imports
        self._importer = importer
        self._lock = threading.Lock()
        self._current: tuple[ImportClaim, Cancellation] | None = None
        self._rows = (0, 0)

    def do_one(self, owner: str) -> bool:
        """Claim an import and do it; False when nothing was due."""
        claim = self._imports.claim(owner)
        if claim is None:
            return False
        cancellation = Cancellation()
        self._rows = (claim.work.progress, claim.work.total)
        with self._lock:
            self._current = (claim, cancellation)
        try:
            self._do(claim, cancellation)
        except Cancelled:
            # The lease is lost already when its owner has cancelled the import.
            with suppress(LeaseLost):
                self._imports.release(claim)
        except LeaseLost:
            _log.info("lease lost import=%s", claim.work.id)
        finally:
            with self._lock:
                self._current = None
        return True

    def beat(self) -> Sequence[threading.Thread]:
        """Renew the lease held and show progress; stop the work if the lease is lost."""
        with self._lock:
            current = self._current
        if current is None:
            return ()
        claim, cancellation = current
        done, total = self._rows
        try:
            self._imports.beat(claim, progress=done, total=total)
        except LeaseLost:
            cancellation.cancel()
        return ()

    def cancel_all(self) -> None:
        """Stop the import in hand; it is given back, and goes on from its last commit."""
        with self._lock:
            current = self._current
        if current is not None:
            current[1].cancel()

    def _do(self, claim: ImportClaim, cancellation: Cancellation) -> None:
        work = claim.work
        path = Path(work.path)

        def progress(done: int, total: int) -> None:
            self._rows = (done, total)

        started = time.monotonic()
        try:
            result = self._importer.run(
                ImportJob(
                    id=work.id,
                    account_id=work.account_id,
                    kind=work.kind,
                    path=path,
                    options=work.options,
                    rejects=path.with_name(path.name + ".rejected.jsonl"),
                ),
                progress=progress,
                cancellation=cancellation,
            )
        except ImportRefused as refusal:
            self._imports.refused(claim, refusal.detail)
            _forget(work)
        except (Cancelled, LeaseLost):
            raise
        except Exception as error:  # noqa: BLE001 -- reported, and tried again
            # The text of an error may quote the data; its kind and place do not.
            _log.error(
                "import failed import=%s error=%s",
                work.id,
                type(error).__name__,
                exc_info=_log.isEnabledFor(logging.DEBUG),
            )
            self._imports.failed(claim)
        else:
            self._imports.finished(claim, taken=result.taken, refused=result.refused)
            _forget(work)
            _log.info(
                "import finished import=%s taken=%d refused=%d seconds=%.1f",
                work.id,
                result.taken,
                result.refused,
                time.monotonic() - started,
            )


def _forget(work: Import) -> None:
    """An uploaded file is ours, and full of personal data; what a user named stays."""
    if work.options.uploaded:
        Path(work.path).unlink(missing_ok=True)
