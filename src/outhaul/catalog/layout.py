"""The layout of the catalog's tables: which one is there, and bringing it to this program's own.

Nodes of two versions share a catalog while one after the other is replaced. The first new one
migrates. A revision only adds, so that older programs go on, unless it says `breaking = True`: such
a one is not applied while any node is alive, and is noted, so that an older program knows it.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, column, func, insert, inspect, select, table

from outhaul.catalog.tables import breaking_revisions, nodes
from outhaul.domain.errors import OuthaulError

_log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
"""Where the revisions are. A file's name begins with its revision, one greater than the last."""
_APPLIED = table("alembic_version", column("version_num"))


class CatalogTooNew(OuthaulError):
    """A newer program has changed the catalog so that this one cannot work with it."""


class CatalogInUse(OuthaulError):
    """The catalog has to be changed so that the nodes that are alive could not work with it."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What is there, seen by this program."""

    revision: str | None
    """None: an empty database."""
    newest: str
    """This program's own."""
    known: frozenset[str]
    """The revisions that this program knows."""
    breaking: frozenset[str]
    """Those among the applied ones that programs have to know."""

    @property
    def is_newer(self) -> bool:
        """Whether a newer program has been there."""
        return self.revision is not None and self.revision not in self.known

    @property
    def is_too_new(self) -> bool:
        """Whether this program must not work with it."""
        return not self.breaking <= self.known


def layout_with(revision: str | None, breaking: Iterable[str] = ()) -> Layout:
    """What a catalog has where the last revision is this one, and these are noted as breaking."""
    known = frozenset(
        file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*_*.py")
    )
    return Layout(revision=revision, newest=max(known), known=known, breaking=frozenset(breaking))


def _present(connection: Connection) -> Layout:
    tables = inspect(connection)
    breaking: list[str] = []
    if tables.has_table(breaking_revisions.name):
        breaking = list(connection.execute(select(breaking_revisions.c.revision)).scalars())
    revision = None
    if tables.has_table(_APPLIED.name):
        revision = connection.execute(select(_APPLIED)).scalar_one_or_none()
    return layout_with(revision, breaking)


def bring_forward(connection: Connection, *, now: ColumnElement[int]) -> Layout:
    """Bring the tables to this program's newest layout, within one transaction in which nobody
    else does; gives what was there before. What a newer program has added stays. `now` is the
    present by the catalog's clock.

    Raises CatalogTooNew and CatalogInUse.
    """
    before = _present(connection)
    if before.is_too_new:
        raise CatalogTooNew(
            f"the catalog has layout {before.revision} of a newer Outhaul, with which this version"
            f" (layout {before.newest}) cannot work: install the newer one here as well"
        )
    if before.is_newer:
        _log.warning("catalog newer", extra={"layout": before.revision, "ours": before.newest})
        return before
    if before.revision == before.newest:
        return before
    # Most starts find the newest layout, and should not wait for Alembic to be loaded.
    from outhaul.catalog import migrating

    breaking = migrating.breaking_since(MIGRATIONS, before.revision)
    if breaking and before.revision is not None and _alive(connection, now):
        raise CatalogInUse(
            f"this version changes the catalog's layout ({before.revision}) so that the nodes which"
            " run cannot go on: stop all outhaul serve and outhaul worker first (one that was"
            " killed counts for OUTHAUL_LEASE_SECONDS)"
        )
    migrating.migrate(MIGRATIONS, connection)
    if breaking:
        rows = [{"revision": revision} for revision in breaking]
        connection.execute(insert(breaking_revisions), rows)
    return before


def _alive(connection: Connection, now: ColumnElement[int]) -> bool:
    if not inspect(connection).has_table(nodes.name):
        return False
    alive = select(func.count()).select_from(nodes).where(nodes.c.until_ms > now)
    return bool(connection.execute(alive).scalar_one())
