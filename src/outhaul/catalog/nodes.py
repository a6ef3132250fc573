"""Which processes that work are alive, of all that share the catalog."""

from sqlalchemy import delete, func, insert, select, update

from outhaul.catalog.database import Database, now_ms
from outhaul.catalog.tables import nodes

_KEPT_MS = 60 * 60 * 1000


class Nodes:
    """Signs of life."""

    def __init__(self, database: Database, *, lease_s: float) -> None:
        """A node counts as alive for `lease_s` seconds after its last sign."""
        self._database = database
        self._lease_ms = round(lease_s * 1000)

    def beat(self, node_id: str) -> None:
        """Give a sign; the first one brings the node in."""
        until = now_ms() + self._lease_ms
        with self._database.transaction() as connection:
            known = connection.execute(
                update(nodes).where(nodes.c.id == node_id).values(until_ms=until)
            )
            if known.rowcount == 0:
                connection.execute(insert(nodes).values(id=node_id, until_ms=until))
                connection.execute(delete(nodes).where(nodes.c.until_ms < now_ms() - _KEPT_MS))

    def leave(self, node_id: str) -> None:
        """The node ends."""
        with self._database.transaction() as connection:
            connection.execute(delete(nodes).where(nodes.c.id == node_id))

    def others(self, node_id: str) -> int:
        """How many other nodes are alive."""
        alive = select(func.count()).where(nodes.c.until_ms > now_ms(), nodes.c.id != node_id)
        with self._database.reading() as connection:
            count: int = connection.execute(alive).scalar_one()
        return count
