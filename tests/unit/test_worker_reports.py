"""Reports to a catalog that is away for a while."""

from collections.abc import Callable

import pytest

from outhaul.catalog.leases import LeaseLost
from outhaul.domain.cancellation import Cancellation, Cancelled
from outhaul.domain.errors import CatalogUnavailable
from outhaul.worker import reports
from outhaul.worker.reports import report


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "_PAUSE_S", 0.001)


def moves(*outcomes: object) -> Callable[[], object]:
    """A move that gives, or raises, one outcome after the other."""
    left = iter(outcomes)

    def move() -> object:
        outcome = next(left)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return move


def test_a_report_is_made_until_the_catalog_is_back() -> None:
    """However often it is away; and not once more."""
    move = moves(*[CatalogUnavailable()] * 20, "taken", "taken twice")
    report(move, arrived=lambda: False, cancellation=Cancellation())
    assert move() == "taken twice"


def test_a_report_whose_answer_got_lost_is_not_a_lost_lease() -> None:
    """The try before had arrived. Without one the lease is lost, and also when another claimed."""
    cut_off = CatalogUnavailable(), LeaseLost()
    report(moves(*cut_off), arrived=lambda: True, cancellation=Cancellation())
    with pytest.raises(LeaseLost):
        report(moves(*cut_off), arrived=lambda: False, cancellation=Cancellation())
    with pytest.raises(LeaseLost):
        report(moves(LeaseLost()), arrived=lambda: True, cancellation=Cancellation())


def test_a_process_that_is_to_stop_does_not_wait() -> None:
    """Its work is done again by another."""
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(Cancelled):
        report(moves(CatalogUnavailable()), arrived=lambda: False, cancellation=cancellation)
