"""Reports of work to a catalog that may be away for a while."""

import time
from collections.abc import Callable
from typing import TypeVar

from outhaul.catalog.leases import LeaseLost
from outhaul.domain.cancellation import Cancellation
from outhaul.domain.errors import CatalogUnavailable

_PAUSE_S = 0.5
_T = TypeVar("_T")


def report(
    move: Callable[[], _T], *, arrived: Callable[[], bool], cancellation: Cancellation
) -> _T | None:
    """Make the `move`, again and again while the catalog is away: the work is done, and would be
    done once more if nobody knew. A lost lease is none when an earlier try `arrived` after all,
    though its answer did not: then the answer is None. Raises LeaseLost, and Cancelled when the
    work is to stop meanwhile."""
    tried = False
    while True:
        try:
            return move()
        except CatalogUnavailable:
            cancellation.check()
            tried = True
            time.sleep(_PAUSE_S)
        except LeaseLost:
            if tried and arrived():
                return None
            raise
