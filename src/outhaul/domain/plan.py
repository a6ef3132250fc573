"""The plan of an export: everything that decides its bytes, fixed once."""

from dataclasses import dataclass
from datetime import datetime

from outhaul.domain.export import Frozen


@dataclass(frozen=True, kw_only=True)
class TableVersion:
    """A table of a warehouse, and what it is read as of."""

    role: str
    """What its rows are: contacts, activities, products or members."""
    name: str
    version: str | None
    """None: the table has no versions, and is read as it is found."""


@dataclass(frozen=True, kw_only=True)
class WarehouseState:
    """What an export out of a warehouse reads."""

    engine: str
    """Name and version."""
    tables: tuple[TableVersion, ...]

    @property
    def pinned(self) -> bool:
        """Whether every table is read as of a version."""
        return all(table.version is not None for table in self.tables)


@dataclass(frozen=True, kw_only=True)
class ExportPlan:
    """What an export reads and how it is written; kept with the export, used by every slice."""

    snapshot: int
    """Commit number that every query reads as of."""
    snapshot_at: datetime | None
    """Instant of that commit; None when the account has none yet."""
    frozen: Frozen
    now: datetime | None = None
    """The present, for rules with dates relative to it; None in plans made before there were any.
    """
    segment_rule: str | None = None
    """The rule of the request's segment as of the snapshot, as JSON; None for a static segment."""
    replans: int = 0
    """How many plans of this export an erasure has made void before this one."""
    unload: str | None = None
    """Folder of the unload that every slice is rendered from; None: the account's store, or what
    was unloaded of it slice by slice."""
    warehouse: WarehouseState | None = None
    """The warehouse that the rows came from; None: the account's store."""
