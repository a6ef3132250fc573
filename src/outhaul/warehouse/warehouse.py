"""A warehouse: an engine, the mapping of its tables, and unloads of selections."""

import logging
import time
from collections.abc import Iterable

from outhaul.domain.activity_types import ACTIVITY_TYPES
from outhaul.domain.cancellation import Cancellation
from outhaul.domain.errors import ExportFailed, FailureCause
from outhaul.domain.export import CustomField, MemberKind
from outhaul.domain.plan import TableVersion, WarehouseState
from outhaul.files.object_store import Files
from outhaul.store.families import FAMILIES
from outhaul.unload.index import UnloadedFile, UnloadIndex, write_index
from outhaul.unload.reader import UnloadReader
from outhaul.unload.store_unload import UnloadedMember
from outhaul.warehouse.engine import Progress, WarehouseEngine
from outhaul.warehouse.mapping import WarehouseMapping
from outhaul.warehouse.selection import FAMILY, Selections, selected_types

_log = logging.getLogger(__name__)
_SAY_S = 10


class Warehouse:
    """Where the data of some accounts, or of all, lies. Methods may be called from any thread,
    and raise WarehouseUnavailable."""

    def __init__(
        self, engine: WarehouseEngine, mapping: WarehouseMapping, files: Files, reader: UnloadReader
    ) -> None:
        """`files` are what the engine reaches at the mapping's `folder`."""
        self._engine = engine
        self._mapping = mapping
        self._files = files
        self._reader = reader

    def holds(self, account_id: str) -> bool:
        """Whether the data of the account is here."""
        return self._mapping.holds(account_id)

    def custom_fields(self) -> tuple[CustomField, ...]:
        """The accounts' own contact fields."""
        return self._mapping.custom_fields

    def state(self) -> WarehouseState:
        """What every table is to be read as of; one without versions is read as it then is."""
        return WarehouseState(
            engine=self._engine.describe(),
            tables=tuple(
                TableVersion(role=role, name=table.shown_name, version=self._engine.version(table))
                for role, table in self._mapping.tables
            ),
        )

    def segment_exists(self, account_id: str, segment_id: str) -> bool:
        """Whether the segment has any member now: warehouses list no empty ones."""
        newest: dict[str, str | None] = {role: None for role, _ in self._mapping.tables}
        query = self._selections(account_id, newest).segment(segment_id)
        return query is not None and bool(self._engine.rows(query.limit(1)))

    def unload(
        self,
        account_id: str,
        state: WarehouseState,
        members: Iterable[UnloadedMember],
        *,
        folder: str,
        cancellation: Cancellation,
    ) -> None:
        """Have the engine write a complete unload to `folder`, a prefix of keys that nobody has
        used before.

        Raises Cancelled, StorageError, and ExportFailed unless exactly the rows that the engine
        says it has written are there.
        """
        selections = self._selections(
            account_id, {table.role: table.version for table in state.tables}
        )
        index = UnloadIndex(
            members={
                member.selection.kind: self._member(selections, member, folder, cancellation)
                for member in members
            }
        )
        write_index(self._files, folder, index)

    def _selections(self, account_id: str, versions: dict[str, str | None]) -> Selections:
        return Selections(self._mapping, self._engine.dialect, account_id, versions)

    def _member(
        self,
        selections: Selections,
        member: UnloadedMember,
        folder: str,
        cancellation: Cancellation,
    ) -> tuple[UnloadedFile, ...]:
        kind = member.selection.kind
        if kind is MemberKind.ERASED:
            # Whoever is erased in a warehouse leaves nothing to be told of.
            return ()
        columns = [column.source for column in member.columns]
        started = time.monotonic()
        written = self._engine.unload(
            selections.rows(member.selection, columns),
            url=f"{self._mapping.folder.rstrip('/')}/{folder}/{kind}",
            partition_by=FAMILY if kind is MemberKind.ACTIVITIES else None,
            cancellation=cancellation,
            progress=_reporting(kind, cancellation),
        )
        types = selected_types(member.selection)
        names = {
            key.removeprefix(f"{folder}/"): _types_of(key) & types
            for key in self._files.keys(f"{folder}/{kind}")
            if _is_parquet(key)
        }
        files = self._reader.measured(folder, kind, names, cancellation=cancellation)
        found = sum(file.rows for file in files)
        seconds = round(time.monotonic() - started, 1)
        _log.info(
            "unloaded",
            extra={"member": kind, "rows": found, "files": len(files), "seconds": seconds},
        )
        if found != written:
            raise ExportFailed(
                FailureCause.PARITY_BROKEN,
                f"{found} rows lie in the unload, the engine says it wrote {written}",
            )
        return files


def _is_parquet(key: str) -> bool:
    """Engines also leave markers and checksums, whose names begin with a dot or a line."""
    return key.endswith(".parquet") and not key.rpartition("/")[2].startswith((".", "_"))


def _types_of(key: str) -> frozenset[str]:
    """The activity types of which the file may have rows."""
    folder = key.rpartition("/")[0].rpartition("/")[2]
    family = next((one for one in FAMILIES if folder == f"{FAMILY}={one.name}"), None)
    return frozenset(ACTIVITY_TYPES) if family is None else family.types


def _reporting(kind: MemberKind, cancellation: Cancellation) -> Progress:
    """Says now and then how far the engine is; every word of it is a sign of progress."""
    said = [time.monotonic()]

    def report(done: int, tasks: int) -> None:
        if not cancellation.is_set:
            cancellation.check()
        if time.monotonic() - said[0] > _SAY_S:
            said[0] = time.monotonic()
            _log.info("unloading", extra={"member": kind, "done": done, "of": tasks})

    return report
