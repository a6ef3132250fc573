"""Owning a data directory where several share the catalog: its id, its lease, losing it."""

import logging
import os
import platform
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from outhaul.catalog.homes import HomeOwned, Homes
from outhaul.catalog.nodes import Nodes
from outhaul.domain.errors import OuthaulError
from outhaul.domain.ids import is_id, new_id
from outhaul.files.local import sync

_log = logging.getLogger(__name__)
_ID_FILE = "home.id"
_ASK_S = 0.5
_BEATS_A_LEASE = 6


@dataclass(frozen=True, kw_only=True)
class OwnedHome:
    """A home that this process owns."""

    id: str
    node_id: str
    predecessor: str | None
    """The node that owned it before; it is dead, and so are its leases."""


def own_home(homes: Homes, data: Path, node_id: str) -> OwnedHome:
    """Own the home in the directory, whose lock this process holds. An earlier owner on another
    machine may have died a moment ago: its lease is waited for. Raises OuthaulError when it is
    renewed meanwhile."""
    home_id, machine = home_id_of(data), _machine(data)
    seen: int | None = None
    while True:
        try:
            before = homes.take(home_id, node_id, machine=machine)
        except HomeOwned as owned:
            until = owned.home.lease_until_ms
            if seen is None:
                _log.info("waiting for the lease of the home", extra={"node": owned.home.node_id})
            elif until != seen:
                raise OuthaulError(
                    f"the data directory {data} is owned by the server at"
                    f" {owned.home.address or 'another machine'}, which lives: stop that one, or"
                    " set OUTHAUL_DATA to a directory of this server's own (a copy of a data"
                    " directory is not one)"
                ) from None
            seen = until
            time.sleep(_ASK_S)
        else:
            predecessor = None if before is None else before.node_id
            return OwnedHome(id=home_id, node_id=node_id, predecessor=predecessor)


class NodeWork:
    """Keeps up the node's sign of life, and the lease of the home that it owns, if any."""

    def __init__(
        self,
        nodes: Nodes,
        node_id: str,
        *,
        lease_s: float,
        homes: Homes | None = None,
        home: OwnedHome | None = None,
    ) -> None:
        self.address: str | None = None
        """Where the node's API is, once that is known."""
        self.lost: Callable[[], None] = lambda: None
        """Called once another node owns the home: this process must let go of the data."""
        self._nodes = nodes
        self._node_id = node_id
        self._every_s = lease_s / _BEATS_A_LEASE
        self._homes = homes
        self._home = home
        self._told: tuple[float, str | None] | None = None
        self._lock = threading.Lock()

    def do_one(self, owner: str) -> bool:  # noqa: ARG002 -- the protocol's
        """There is nothing to do but to beat."""
        return False

    def beat(self) -> Sequence[threading.Thread]:
        """Renew what is to be renewed by now."""
        now = time.monotonic()
        with self._lock:
            told, address = self._told, self.address
            if told is not None and told[1] == address and now - told[0] < self._every_s:
                return ()
            self._told = (now, address)
        try:
            self._nodes.beat(self._node_id)
            self._keep_home(address)
        except BaseException:
            self._told = None
            raise
        return ()

    def cancel_all(self) -> None:
        """The leases are kept until all work has stopped."""

    def others(self) -> int:
        """How many other nodes are alive."""
        return self._nodes.others(self._node_id)

    def leave(self) -> None:
        """The process ends: others need not wait for its leases to run out."""
        self._nodes.leave(self._node_id)
        if self._homes is not None and self._home is not None:
            self._homes.give_up(self._home.id, self._node_id)

    def _keep_home(self, address: str | None) -> None:
        if self._homes is None or self._home is None:
            return
        if not self._homes.keep(self._home.id, self._node_id, address=address):
            _log.critical("home lost to another node", extra={"home": self._home.id})
            self._home = None
            self.lost()


def home_id_of(data: Path) -> str:
    """The id of the home in the directory, which gets one if it has none."""
    path = data / _ID_FILE
    if not path.exists():
        part = path.with_suffix(".part")
        with part.open("w") as file:
            file.write(new_id())
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
        sync(data)
    told = path.read_text().strip()
    if not is_id(told):
        raise OuthaulError(f"{path} holds no id: restore it from the backup of the data directory")
    return told


def _machine(data: Path) -> str:
    """The running system and the directory in it: whoever holds the directory's lock knows that
    all earlier holders of the same machine are dead."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    system = boot.read_text().strip() if boot.exists() else platform.node()
    return f"{system} {data}"
