"""Homes: the data directories that share a catalog, who owns each, and which accounts it keeps.

An account's data lies in one home. A home has one owner at a time: the process that holds the lock
on the directory and also the home's lease. The lock alone would not do where two machines see one
directory through a file system that passes no locks on; the lease alone would not do where its
holder was only frozen.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, insert, or_, select, true, update
from sqlalchemy import false as never

from outhaul.catalog.database import Database, now_ms, one_at_a_time
from outhaul.catalog.tables import accounts, homes
from outhaul.domain.errors import KeptElsewhere, NotFound, OuthaulError


@dataclass(frozen=True, kw_only=True)
class Home:
    """A home as the catalog knows it."""

    node_id: str
    """The node that owns it, or did last."""
    machine: str
    address: str | None
    """Where that node's API is; None while it starts."""
    owned: bool
    """Whether its lease holds."""
    lease_until_ms: int


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Which accounts' stores a process can open."""

    home_id: str | None = None
    """Those of this home, and those that have none yet."""
    everything: bool = False
    """All: the catalog has one data directory only."""

    def covers(self, account_id: ColumnElement[str]) -> ColumnElement[bool]:
        """Whether the store of that account is one of them."""
        if self.everything:
            return true()
        if self.home_id is None:
            return never()
        ours = or_(accounts.c.home_id == self.home_id, accounts.c.home_id.is_(None))
        return account_id.in_(select(accounts.c.id).where(ours))


EVERYTHING = Reach(everything=True)


class HomeOwned(OuthaulError):
    """A node of another machine owns the home."""

    def __init__(self, home: Home) -> None:
        super().__init__(f"owned by node {home.node_id}")
        self.home = home


class Homes:
    """The moves of ownership, one transaction each."""

    def __init__(self, database: Database, *, lease_s: float) -> None:
        """A lease holds for `lease_s` seconds after it was last renewed."""
        self._database = database
        self._lease_ms = round(lease_s * 1000)

    def find(self, home_id: str) -> Home | None:
        """None for one that nobody has owned yet."""
        with self._database.reading() as connection:
            return _find(connection, home_id)

    def take(self, home_id: str, node_id: str, *, machine: str) -> Home | None:
        """Own the home; gives it as it was before, None when it is new. For who holds the lock on
        the directory: an earlier owner on the same `machine` is dead then. Raises HomeOwned while
        the lease of another machine's node holds."""
        values = {
            "node_id": node_id,
            "machine": machine,
            "address": None,
            "lease_until_ms": now_ms() + self._lease_ms,
        }
        with self._database.transaction() as connection:
            one_at_a_time(connection, "own a home")
            before = _find(connection, home_id)
            if before is None:
                connection.execute(insert(homes).values(id=home_id, **values))
            elif before.owned and before.machine != machine:
                raise HomeOwned(before)
            else:
                connection.execute(update(homes).where(homes.c.id == home_id).values(**values))
        return before

    def keep(self, home_id: str, node_id: str, *, address: str | None) -> bool:
        """Renew the lease and say where the API is. False when another node owns the home."""
        with self._database.transaction() as connection:
            kept = connection.execute(
                update(homes)
                .where(homes.c.id == home_id, homes.c.node_id == node_id)
                .values(address=address, lease_until_ms=now_ms() + self._lease_ms)
            )
        return kept.rowcount == 1

    def give_up(self, home_id: str, node_id: str) -> None:
        """Another node may own the home at once."""
        with self._database.transaction() as connection:
            connection.execute(
                update(homes)
                .where(homes.c.id == home_id, homes.c.node_id == node_id)
                .values(address=None, lease_until_ms=0)
            )

    def place(self, account_id: str, home_id: str) -> str:
        """The home that keeps the account's data: the given one, if it has none yet. Raises
        NotFound."""
        own = select(accounts.c.home_id).where(accounts.c.id == account_id)
        with self._database.reading() as connection:
            placed: str | None = connection.execute(own).scalar()
        if placed is None:
            with self._database.transaction() as connection:
                place_account(connection, account_id, home_id)
                placed = connection.execute(own).scalar()
        if placed is None:
            raise NotFound("account", account_id)
        return placed


class Placement:
    """Which accounts this process keeps the data of, asked before each use of a store."""

    def __init__(self, homes: Homes, home_id: str) -> None:
        self._homes = homes
        self._home_id = home_id
        self._here: set[str] = set()

    def admit(self, account_id: str) -> None:
        """Return where the account's data is kept here, or was nowhere before. Raises
        KeptElsewhere, and NotFound without the account."""
        if account_id in self._here:
            return
        kept_by = self._homes.place(account_id, self._home_id)
        if kept_by != self._home_id:
            home = self._homes.find(kept_by)
            raise KeptElsewhere(home.address if home is not None and home.owned else None)
        self._here.add(account_id)


def place_account(connection: Connection, account_id: str, home_id: str) -> None:
    """Let the home keep the account's data from now on, unless another one does."""
    connection.execute(
        update(accounts)
        .where(accounts.c.id == account_id, accounts.c.home_id.is_(None))
        .values(home_id=home_id)
    )


def _find(connection: Connection, home_id: str) -> Home | None:
    row = connection.execute(
        select(homes, (homes.c.lease_until_ms > now_ms()).label("owned")).where(
            homes.c.id == home_id
        )
    ).first()
    if row is None:
        return None
    return Home(
        node_id=row.node_id,
        machine=row.machine,
        address=row.address,
        owned=bool(row.owned),
        lease_until_ms=row.lease_until_ms,
    )
