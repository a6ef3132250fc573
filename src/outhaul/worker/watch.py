"""Who looks on while exports are made: metrics and traces see through this what workers do."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Protocol

from outhaul.catalog.due import Step
from outhaul.catalog.leases import Claim
from outhaul.domain.errors import FailureCause
from outhaul.domain.export import ArchiveFacts, SliceFacts, SlicePlan
from outhaul.domain.plan import ExportPlan


class Watch(Protocol):
    """Hears of each step; must neither raise nor take long."""

    def step(self, claim: Claim) -> AbstractContextManager[object]:
        """Entered while the step is done; left with the exception that ended it, if any."""

    def planned(self, plan: ExportPlan, parts: Sequence[SlicePlan]) -> None:
        """A plan has been recorded."""

    def unloaded(self, part: SlicePlan) -> None:
        """The unload of a slice has been recorded, for others to render it."""

    def rendered(self, facts: SliceFacts) -> None:
        """A slice has been recorded."""

    def finished(self, archive: ArchiveFacts) -> None:
        """An export has ended well."""

    def failed(self, step: Step, cause: FailureCause, *, ended: bool) -> None:
        """A step had a fault; `ended`: and with it the export."""

    def hung(self, step: Step) -> None:
        """A step was taken from its thread, which gets no further."""


class Watches:
    """Several of them as one."""

    def __init__(self, *watches: Watch) -> None:
        self._watches = watches

    def step(self, claim: Claim) -> AbstractContextManager[object]:
        stack = ExitStack()
        for watch in self._watches:
            stack.enter_context(watch.step(claim))
        return stack

    def planned(self, plan: ExportPlan, parts: Sequence[SlicePlan]) -> None:
        for watch in self._watches:
            watch.planned(plan, parts)

    def unloaded(self, part: SlicePlan) -> None:
        for watch in self._watches:
            watch.unloaded(part)

    def rendered(self, facts: SliceFacts) -> None:
        for watch in self._watches:
            watch.rendered(facts)

    def finished(self, archive: ArchiveFacts) -> None:
        for watch in self._watches:
            watch.finished(archive)

    def failed(self, step: Step, cause: FailureCause, *, ended: bool) -> None:
        for watch in self._watches:
            watch.failed(step, cause, ended=ended)

    def hung(self, step: Step) -> None:
        for watch in self._watches:
            watch.hung(step)
