"""The one place where concrete classes meet: an `Outhaul` for a data directory, a `WorkerNode`."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from outhaul.api.health import HealthReport
from outhaul.api.metrics import Metrics
from outhaul.catalog import exports as catalog_exports
from outhaul.catalog.census import take_census
from outhaul.catalog.database import Database
from outhaul.catalog.erasures import Erasures
from outhaul.catalog.homes import Reach
from outhaul.catalog.imports import Imports
from outhaul.catalog.keys import LinkKeys
from outhaul.catalog.leases import Leases
from outhaul.catalog.live_snapshots import LiveSnapshots
from outhaul.catalog.needed_files import NeededFiles
from outhaul.catalog.slices import Slices
from outhaul.domain.errors import UnsafeSettings
from outhaul.exports.service import Exports
from outhaul.files.claim import claim
from outhaul.files.object_store import Files, open_files
from outhaul.ingest.erasure import Eraser
from outhaul.ingest.importer import Importer
from outhaul.pipeline.pipeline import Pipeline
from outhaul.registry import Registry, imports_of
from outhaul.settings import Settings
from outhaul.store.commits import Commits
from outhaul.store.compaction import Compactor
from outhaul.store.contact_fields import ContactFields
from outhaul.store.engine import Engine
from outhaul.store.erasure import Footprints
from outhaul.store.parquet import ParquetWriter
from outhaul.store.reader import SnapshotReader
from outhaul.store.segment_reads import SegmentReads
from outhaul.unload.reader import UnloadReader
from outhaul.unload.store_unload import StoreUnload
from outhaul.warehouse.connect import connect
from outhaul.warehouse.lookups import FieldsAnywhere, SegmentsAnywhere
from outhaul.warehouse.mapping import WarehouseMapping, read_mapping
from outhaul.worker.bell import Bell
from outhaul.worker.cleaning import Cleaning
from outhaul.worker.compaction_work import CompactionWork
from outhaul.worker.erasure_work import ErasureWork
from outhaul.worker.export_work import ExportWork
from outhaul.worker.file_work import FileWork
from outhaul.worker.import_work import ImportWork
from outhaul.worker.node import Node
from outhaul.worker.retention_work import RetentionWork
from outhaul.worker.scratch import Scratch
from outhaul.worker.watch import Watch, Watches
from outhaul.worker.worker import Work, Worker

if TYPE_CHECKING:
    from outhaul.warehouse.engine import WarehouseEngine
    from outhaul.warehouse.warehouse import Warehouse
    from outhaul.worker.traces import Traces  # its libraries are an extra

_SHARED_SLICES = 8
"""An export of fewer is done before others, who look once a second, have taken enough of it."""
_READY_FOR_EACH = 2
"""Slices that lie ready for each other node: it takes one while the next is unloaded."""


class Outhaul:
    """Everything that the owner of a data directory runs. Made only by who holds its lock. Its
    parts are there for `edges`, which puts the API and the console on top of them."""

    def __init__(self, registry: Registry, settings: Settings) -> None:
        """Where the catalog is shared, waits for the lease of the directory's home as well. Raises
        UnsafeSettings, and OuthaulError when a node of another machine owns it."""
        database, data = registry.database, registry.data
        node = _owner(database, data, settings)
        self.registry, self.settings, self.node = registry, settings, node
        self.engine = Engine(
            data / "store",
            memory_limit=settings.memory_limit,
            threads=settings.workers,
            admit=node.admit,
        )
        self.files = files_of(settings)
        unloads = UnloadReader(self.engine, self.files)
        warehouse = _warehouse(settings, self.files, unloads)
        elsewhere: Callable[[str], bool] = warehouse.holds if warehouse else lambda _: False
        self.commits = Commits(self.engine, elsewhere=elsewhere)
        self.fields = ContactFields(self.engine)
        self.fields_anywhere = FieldsAnywhere(self.fields, warehouse)
        self.bell = Bell()
        self.metrics = Metrics(partial(take_census, database))
        self._traces = _traces(settings)
        leases = _leases(database, settings, node.reach)
        self.reader = SnapshotReader(self.engine)
        self.imports = imports_of(database, settings, node.reach)
        self.scratch = _scratch(data / "scratch", self.imports)
        self._parquet = ParquetWriter(self.scratch, at_once=settings.workers)
        self.pipeline = Pipeline(
            self.commits,
            self.fields_anywhere,
            self.reader,
            self.files,
            slice_rows=settings.slice_rows,
            unloads=unloads,
            parquet=self._parquet,
            unload=StoreUnload(self.reader, self.files),
            warehouse=warehouse,
        )
        cleaning = _cleaning(database, settings, self.files)
        self.eraser = Eraser(
            Erasures(database, reach=node.reach),
            Footprints(self.engine),
            self.commits,
            self.files,
            wake=self.bell.ring,
        )
        # Whoever owns the directory knows that all earlier owners are dead, and their leases too.
        if not database.shared or node.predecessor is not None:
            leases.release_all(node.predecessor)
            self.imports.release_all(node.predecessor)
        cleaning.at_start(alone=not database.shared)
        self.listed, self.link_keys = catalog_exports.Exports(database), LinkKeys(database)
        self.segment_reads = SegmentReads(self.engine)
        self.exports = Exports(
            self.listed,
            self.link_keys,
            SegmentsAnywhere(self.segment_reads, warehouse),
            self.files,
            queue_limit=settings.queue_limit,
            link_s=settings.link_minutes * 60,
            redirect=settings.downloads == "redirect",
            wake=self.bell.ring,
            elsewhere=elsewhere,
        )
        self.worker = Worker(self._work(leases, cleaning), self.bell, id_=node.id)

    def _work(self, leases: Leases, cleaning: Cleaning) -> list[tuple[Work, int]]:
        """What is to be done, with the threads that do it."""
        registry, settings, node = self.registry, self.settings, self.node
        database = registry.database
        watch = Watches(self.metrics, *self._traces)
        exports = _export_work(
            registry, settings, leases, self.pipeline, cleaning, self.bell, watch, node
        )
        imports = ImportWork(
            self.imports,
            Importer(self.engine, self.commits, self.fields, scratch=self.scratch),
            takeover_limit=settings.takeover_limit,
            stall_s=settings.stall_seconds,
        )
        compaction = CompactionWork(
            Compactor(self.engine, self.commits), self.commits, LiveSnapshots(database)
        )
        work: list[tuple[Work, int]] = [
            (exports, settings.workers),
            (imports, 1),
            (ErasureWork(self.eraser), 1),
            (compaction, 1),
            (FileWork(cleaning, at_once=database.shared), 1),
            *node.work,
        ]
        if settings.retention_days is not None:
            keep = timedelta(days=settings.retention_days)
            work.append((RetentionWork(self.listed, self.exports, keep=keep), 1))
        return work

    def start(self) -> None:
        """Let the worker's threads run."""
        self.worker.start()

    def reached_at(self, url: str, *, lost: Callable[[], None]) -> None:
        """Tell other nodes where this one's API is; `lost` is called should another node come to
        own the data directory, and has to end the process."""
        self.node.announce(self.settings.node_url or url, lost)

    def stop(self) -> None:
        """Stop the worker, close the store, and let another node own the directory."""
        self.worker.stop()
        self.engine.close()
        self._parquet.close()
        for traces in self._traces:
            traces.close()
        self.node.leave()

    def health(self) -> HealthReport:
        """The state of each part, in words without secrets."""
        return HealthReport(
            catalog=_state(self.registry.database.check),
            store=_state(self.engine.check),
            files=_state(self.files.check),
            worker="ok" if self.worker.alive() else "stopped",
        )


class WorkerNode:
    """A process that only works: it assembles exports, and renders slices that need no store."""

    def __init__(self, registry: Registry, settings: Settings) -> None:
        """`settings` have passed `check_node`. Raises UnsafeSettings for foreign files."""
        database, bell = registry.database, Bell()
        self._node = Node.of_worker(database, lease_s=settings.lease_seconds)
        self._scratch = Scratch()
        self._engine = Engine(
            self._scratch.path,
            memory_limit=settings.memory_limit,
            threads=settings.workers,
            admit=self._node.admit,
        )
        self._parquet = ParquetWriter(self._scratch.path, at_once=settings.workers)
        files = files_of(settings)
        pipeline = Pipeline(
            Commits(self._engine),
            ContactFields(self._engine),
            SnapshotReader(self._engine),
            files,
            slice_rows=settings.slice_rows,
            unloads=UnloadReader(self._engine, files),
            parquet=self._parquet,
        )
        leases = _leases(database, settings, self._node.reach)
        cleaning = _cleaning(database, settings, files)
        cleaning.at_start(alone=False)
        self.metrics = Metrics(partial(take_census, database))
        self._traces = _traces(settings)
        watch = Watches(self.metrics, *self._traces)
        exports = _export_work(
            registry, settings, leases, pipeline, cleaning, bell, watch, self._node
        )
        self._worker = Worker(
            [
                (exports, settings.workers),
                (FileWork(cleaning, at_once=True), 1),
                *self._node.work,
            ],
            bell,
            id_=self._node.id,
        )

    def start(self) -> None:
        """Let the worker's threads run."""
        self._worker.start()

    def stop(self, until: Callable[[], bool]) -> None:
        """Begin nothing more; go on with the work in hand till it is `until`, and give it back."""
        self._worker.drain(until)
        self._worker.stop()
        self._engine.close()
        self._parquet.close()
        self._scratch.remove()
        for traces in self._traces:
            traces.close()
        self._node.leave()


def _owner(database: Database, data: Path, settings: Settings) -> Node:
    """What the owner of the directory is to others, once the home is its own."""
    if not database.shared:
        return Node()
    settings.check_node()
    return Node.of_owner(database, data, lease_s=settings.lease_seconds)


def _leases(database: Database, settings: Settings, reach: Reach) -> Leases:
    return Leases(
        database,
        lease_s=settings.lease_seconds,
        fault_limit=settings.fault_limit,
        account_limit=settings.account_steps,
        reach=reach,
    )


def _cleaning(database: Database, settings: Settings, files: Files) -> Cleaning:
    return Cleaning(NeededFiles(database), files, claim=partial(claim_files, settings, database))


def _export_work(
    registry: Registry,
    settings: Settings,
    leases: Leases,
    pipeline: Pipeline,
    cleaning: Cleaning,
    bell: Bell,
    watch: Watch,
    node: Node,
) -> ExportWork:
    share_from = settings.unload_rows or _SHARED_SLICES * settings.slice_rows

    def share(rows: int) -> int:
        # Others can take part in what takes a while; on what is small they would only wait.
        return _READY_FOR_EACH * node.others() if rows >= share_from else 0

    return ExportWork(
        leases,
        registry.accounts,
        Slices(registry.database),
        pipeline,
        cleaning,
        takeover_limit=settings.takeover_limit,
        stall_s=settings.stall_seconds,
        wake=bell.ring,
        share=share,
        watch=watch,
    )


def _traces(settings: Settings) -> "tuple[Traces, ...]":
    """Those that are wanted. Raises UnsafeSettings where their libraries are missing."""
    if not settings.traces:
        return ()
    try:
        from outhaul.worker.traces import Traces
    except ImportError as error:
        raise UnsafeSettings(
            "OUTHAUL_TRACES needs more libraries: pip install 'outhaul[telemetry]', or leave the"
            " setting away"
        ) from error
    return (Traces(),)


def files_of(settings: Settings) -> Files:
    """Where the settings keep slices and archives. Raises what `open_files` raises."""
    return open_files(
        settings.files or str(settings.data.resolve() / "files"),
        public_endpoint=settings.files_public_endpoint,
    )


def claim_files(
    settings: Settings, database: Database, files: Files, *, moved: bool = False
) -> None:
    """Make sure that a place outside the data directory is this catalog's; when files have just
    `moved` there it need not hold any yet. Raises what `claim` raises."""
    if settings.files is None:
        return  # The data directory holds the catalog as well; they belong together.
    # The first key of the ring is made with the catalog, never changes and is no secret.
    catalog_id = next(iter(LinkKeys(database).ring()))
    newest = None if moved else catalog_exports.Exports(database).newest_archive()
    claim(files, catalog_id, newest_archive=newest)


def warehouse_mapping(settings: Settings) -> WarehouseMapping:
    """What the tables of the warehouse are called. Raises MappingRefused."""
    return read_mapping(settings.mapping_file)


def warehouse_engine(settings: Settings) -> "WarehouseEngine":
    """The engine of the warehouse. Raises WarehouseUrlRefused, also where there is none."""
    return connect(settings.warehouse.get_secret_value() if settings.warehouse else "")


def _warehouse(settings: Settings, files: Files, unloads: UnloadReader) -> "Warehouse | None":
    if settings.warehouse is None:
        return None
    mapping, engine = warehouse_mapping(settings), warehouse_engine(settings)
    # It stands on packages of extras, which a server without a warehouse need not have.
    from outhaul.warehouse.warehouse import Warehouse

    return Warehouse(engine, mapping, files, unloads)


def _state(check: Callable[[], None]) -> str:
    try:
        check()
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is the state
        return f"failing ({type(error).__name__})"
    return "ok"


def _scratch(folder: Path, imports: Imports) -> Path:
    """The importer's folder, without what imports that have ended or are unknown left there."""
    folder.mkdir(exist_ok=True)
    open_ids = imports.open_ids()
    for left in folder.iterdir():
        if left.name not in open_ids:
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    return folder
