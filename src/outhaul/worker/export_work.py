"""Does one claimed step of an export, and reports what came of it."""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from outhaul.catalog.accounts import Accounts
from outhaul.catalog.leases import Claim, Lease, LeaseLost, Leases
from outhaul.catalog.slices import Slices
from outhaul.domain.cancellation import Cancellation, Cancelled
from outhaul.domain.errors import CatalogUnavailable, ExportFailed, FailureCause
from outhaul.domain.export import Export, ExportStatus, SlicePlan
from outhaul.domain.plan import ExportPlan
from outhaul.pipeline.pipeline import LostSlice, Pipeline
from outhaul.worker.causes import cause_of
from outhaul.worker.cleaning import Cleaning
from outhaul.worker.reports import report
from outhaul.worker.watch import Watch, Watches

_T = TypeVar("_T")
_log = logging.getLogger(__name__)
_SMALL_REPORT_ROWS = 50_000
"""They are rendered in a fraction of a second."""

_NOBODY = Watches()


@dataclass(kw_only=True, eq=False)
class _Held:
    """A step in hand."""

    rows: int = 0
    cancellation: Cancellation = field(default_factory=Cancellation)
    thread: threading.Thread = field(default_factory=threading.current_thread)


class ExportWork:
    """Claims steps and does them; `beat` keeps all leases held by this object alive."""

    def __init__(
        self,
        leases: Leases,
        accounts: Accounts,
        slices: Slices,
        pipeline: Pipeline,
        cleaning: Cleaning,
        *,
        takeover_limit: int,
        stall_s: float,
        wake: Callable[[], None],
        share: Callable[[int], int] = lambda _rows: 0,
        watch: Watch = _NOBODY,
    ) -> None:
        """A step whose workers died or hung `takeover_limit` times fails the export; one hangs
        that has got no further for `stall_s` seconds. `share` tells how many slices of an export
        with so many rows shall lie ready for nodes that do not reach the account's store."""
        self._leases = leases
        self._accounts = accounts
        self._slices = slices
        self._pipeline = pipeline
        self._cleaning = cleaning
        self._takeover_limit = takeover_limit
        self._stall_s = stall_s
        self._wake = wake
        self._share = share
        self._watch = watch
        self._claiming = threading.Lock()
        self._lock = threading.Lock()
        self._held: dict[Lease, _Held] = {}
        self._alone: Lease | None = None

    def do_one(self, owner: str) -> bool:
        """Claim a step and do it; False when nothing was due."""
        taken = self._claim(owner)
        if taken is None:
            self._cleaning.again()
            return False
        claim, held = taken
        lease = claim.lease
        try:
            with self._watch.step(claim):
                self._do(claim, held)
        except Cancelled:
            _log.info("step cancelled", extra=_facts(lease))
            self._leases.release(lease)
            self._cleaning.if_ended(lease.export_id)
        except CatalogUnavailable:
            # No fault of the step: whoever claims it next finds the catalog there.
            _log.warning("catalog unavailable", extra=_facts(lease))
            with suppress(Cancelled):
                self._tell(held, lease, partial(self._leases.release, lease))
        except LeaseLost:
            _log.info("lease lost", extra=_facts(lease))
            self._cleaning.if_ended(lease.export_id)
        except Exception as error:  # noqa: BLE001 -- reported, with its cause
            self._report(held, lease, error)
        finally:
            self._let_go(lease)
            self._wake()
        return True

    def beat(self) -> Sequence[threading.Thread]:
        """Renew the leases held and show progress; stop the work whose lease is lost. Steps that
        get no further are free for others; returns the threads that hang in them."""
        with self._lock:
            held = dict(self._held)
        hung = [lease for lease, one in held.items() if one.cancellation.idle_s > self._stall_s]
        for lease in hung:
            _log.warning("step hangs", extra=_facts(lease))
            self._watch.hung(lease.step)
            self._leases.abandon(lease)
            self._let_go(lease)
            held[lease].cancellation.cancel()
            self._wake()
        live = {lease: one.rows for lease, one in held.items() if lease not in hung}
        for lease in self._leases.beat(live) if live else ():
            held[lease].cancellation.cancel()
        return [held[lease].thread for lease in hung]

    def cancel_all(self) -> None:
        """Stop all work in hand; its leases are given back."""
        with self._lock:
            held = list(self._held.values())
        for one in held:
            one.cancellation.cancel()

    def _claim(self, owner: str) -> tuple[Claim, _Held] | None:
        """A step may have killed the process with all that it had in hand. Done alone, a step
        that did it shows itself, and one that did not comes through."""
        with self._claiming:
            with self._lock:
                idle, alone = not self._held, self._alone is not None
            claim = None if alone else self._leases.claim(owner, idle=idle)
            if claim is None:
                return None
            held = _Held()
            with self._lock:
                self._held[claim.lease] = held
                self._alone = claim.lease if claim.suspect else None
        return claim, held

    def _let_go(self, lease: Lease) -> None:
        with self._lock:
            self._held.pop(lease, None)
            if self._alone == lease:
                self._alone = None

    def _do(self, claim: Claim, held: _Held) -> None:
        lease, export, plan, cancellation = claim.lease, claim.export, claim.plan, held.cancellation
        if claim.takeovers >= self._takeover_limit:
            raise ExportFailed(FailureCause.WORKER_LOST)
        if plan is None:
            account = self._accounts.get(lease.account_id)
            made, parts = self._pipeline.plan(account, export, cancellation)
            planned = partial(self._leases.planned, lease, made, parts)
            self._tell(held, lease, partial(planned, shown_as=_shown_as(export, parts)))
            self._watch.planned(made, parts)
            _log.info("export planned", extra={"export": export.id, "slices": len(parts)})
        elif claim.slice_plan is not None:
            self._do_slice(claim, plan, claim.slice_plan, held)
        else:
            archive, manifest = self._pipeline.assemble(
                export,
                plan,
                self._slices.recorded(export.id),
                attempt=lease.attempt,
                cancellation=cancellation,
            )
            text = manifest.text()
            self._tell(held, lease, partial(self._leases.finished, lease, archive, text))
            self._watch.finished(archive)
            _log.info("export finished", extra={"export": export.id, "bytes": archive.bytes})
            self._cleaning.if_ended(export.id)

    def _do_slice(self, claim: Claim, plan: ExportPlan, part: SlicePlan, held: _Held) -> None:
        lease, export, cancellation = claim.lease, claim.export, held.cancellation
        if self._is_for_others(export, plan, part):
            folder = self._pipeline.unload(
                export, plan, part, attempt=lease.attempt, cancellation=cancellation
            )
            self._tell(held, lease, partial(self._leases.unloaded, lease, folder))
            self._watch.unloaded(part)
            _log.debug("slice unloaded", extra=_facts(lease))
            return

        def show_rows(count: int) -> None:
            held.rows = count

        facts = self._pipeline.render(
            export,
            plan,
            part,
            attempt=lease.attempt,
            cancellation=cancellation,
            show_rows=show_rows,
        )
        self._tell(held, lease, partial(self._leases.rendered, lease, facts))
        self._watch.rendered(facts)
        _log.debug("slice rendered", extra=_facts(lease))

    def _is_for_others(self, export: Export, plan: ExportPlan, part: SlicePlan) -> bool:
        """Whether the slice is to be unloaded rather than rendered. While others take what lies
        ready as fast as it is unloaded, that is the quickest; the last slice is not worth it."""
        if plan.unload is not None or part.unload is not None:
            return False
        wanted = self._share(export.total)
        if not wanted:
            return False
        ready, rest = self._slices.waiting(export.id)
        return ready < wanted and rest > 0

    def _tell(self, held: _Held, lease: Lease, move: Callable[[], _T]) -> _T | None:
        arrived = partial(self._leases.reported, lease)
        return report(move, arrived=arrived, cancellation=held.cancellation)

    def _report(self, held: _Held, lease: Lease, error: Exception) -> None:
        cause = cause_of(error)
        kind = type(error).__name__
        _log.error(
            "step failed", extra=_facts(lease) | {"cause": cause, "error": kind}, exc_info=error
        )
        ended: bool | None = False
        with suppress(Cancelled, LeaseLost):
            failed = partial(
                self._leases.failed,
                lease,
                cause,
                final=isinstance(error, ExportFailed),
                lost_slice=error.slice_plan if isinstance(error, LostSlice) else None,
            )
            ended = self._tell(held, lease, failed)
        self._watch.failed(lease.step, cause, ended=bool(ended))
        self._cleaning.if_ended(lease.export_id)


def _facts(lease: Lease) -> dict[str, object]:
    """What the log says of a step."""
    return {"export": lease.export_id, "step": lease.step}


def _shown_as(export: Export, parts: Sequence[SlicePlan]) -> ExportStatus:
    """Programs that fetch reports take any status but `queued` for the end."""
    rows = sum(part.rows for part in parts)
    small = export.request.report is not None and rows <= _SMALL_REPORT_ROWS
    return ExportStatus.QUEUED if small else ExportStatus.IN_PROGRESS
