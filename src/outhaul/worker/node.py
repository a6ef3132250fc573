"""What a process is to the others that share its catalog."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from outhaul.catalog.database import Database
from outhaul.catalog.homes import EVERYTHING, Homes, Placement, Reach
from outhaul.catalog.nodes import Nodes
from outhaul.domain.errors import CatalogUnavailable, KeptElsewhere
from outhaul.domain.ids import new_id
from outhaul.worker.home import NodeWork, own_home
from outhaul.worker.worker import Work


@dataclass(frozen=True, kw_only=True)
class Node:
    """What a process is to the others that share its catalog; by default there are none."""

    id: str | None = None
    reach: Reach = EVERYTHING
    admit: Callable[[str], None] = lambda _account_id: None
    predecessor: str | None = None
    keeping: NodeWork | None = None

    @classmethod
    def of_owner(cls, database: Database, data: Path, *, lease_s: float) -> "Node":
        """For who holds the directory's lock: waits until the home is its own. Raises what
        `own_home` raises."""
        homes = Homes(database, lease_s=lease_s)
        home = own_home(homes, data, new_id())
        nodes = Nodes(database, lease_s=lease_s)
        return cls(
            id=home.node_id,
            reach=Reach(home_id=home.id),
            admit=Placement(homes, home.id).admit,
            predecessor=home.predecessor,
            keeping=NodeWork(nodes, home.node_id, lease_s=lease_s, homes=homes, home=home),
        )

    @classmethod
    def of_worker(cls, database: Database, *, lease_s: float) -> "Node":
        """For a process that keeps no data."""
        id_ = new_id()
        return cls(
            id=id_,
            reach=Reach(),
            admit=_no_store,
            keeping=NodeWork(Nodes(database, lease_s=lease_s), id_, lease_s=lease_s),
        )

    @property
    def work(self) -> Sequence[tuple[Work, int]]:
        """It beats, and needs no thread for that."""
        return () if self.keeping is None else ((self.keeping, 0),)

    def others(self) -> int:
        """How many others may take part in an export."""
        return 0 if self.keeping is None else self.keeping.others()

    def announce(self, url: str, lost: Callable[[], None]) -> None:
        """Say where the API is; `lost` is called when another node has come to own the home."""
        if self.keeping is not None:
            self.keeping.lost = lost
            self.keeping.address = url

    def leave(self) -> None:
        """The process ends."""
        if self.keeping is not None:
            # Without a catalog the others wait until the leases run out.
            with suppress(CatalogUnavailable):
                self.keeping.leave()


def _no_store(_account_id: str) -> None:
    raise KeptElsewhere(None)
