"""The one place where concrete classes meet: an `Outhaul` for a data directory, a `WorkerNode`."""

import shutil
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from outhaul.api.create_body import asked_of
from outhaul.api.data_explorer_body import report_asked_of
from outhaul.api.health import HealthReport
from outhaul.api.metrics import Metrics
from outhaul.api.report_body import read_report
from outhaul.api.services import Services
from outhaul.catalog import exports as catalog_exports
from outhaul.catalog.accounts import Accounts
from outhaul.catalog.audit import Audit
from outhaul.catalog.census import take_census
from outhaul.catalog.database import Database
from outhaul.catalog.erasures import Erasures
from outhaul.catalog.homes import EVERYTHING, Reach
from outhaul.catalog.imports import Imports
from outhaul.catalog.keys import Keys, LinkKeys
from outhaul.catalog.leases import Leases
from outhaul.catalog.live_snapshots import LiveSnapshots
from outhaul.catalog.needed_files import NeededFiles
from outhaul.catalog.past_runs import PastRuns
from outhaul.catalog.rates import Rates
from outhaul.catalog.reports import Reports
from outhaul.catalog.shared_rates import SharedRates
from outhaul.catalog.slices import Slices
from outhaul.catalog.tally import Tallies
from outhaul.console.services import ConsoleServices
from outhaul.domain.errors import UnsafeSettings
from outhaul.exports.browse import Browse
from outhaul.exports.descriptions import Descriptions
from outhaul.exports.estimates import Estimates
from outhaul.exports.overview import Overview
from outhaul.exports.service import Exports
from outhaul.exports.usage import Usage
from outhaul.exports.volumes import Volumes
from outhaul.files.claim import claim
from outhaul.files.object_store import Files, open_files
from outhaul.ingest.bulk import Bulk
from outhaul.ingest.contact_service import Contacts
from outhaul.ingest.erasure import Eraser
from outhaul.ingest.event_service import CustomEvents
from outhaul.ingest.field_service import Fields
from outhaul.ingest.import_service import Uploads
from outhaul.ingest.importer import Importer
from outhaul.ingest.intake import Intake
from outhaul.ingest.purchase_service import Purchases
from outhaul.ingest.segment_service import Segments
from outhaul.pipeline.pipeline import Pipeline
from outhaul.settings import Settings
from outhaul.store.browsing import Browsing
from outhaul.store.commits import Commits
from outhaul.store.compaction import Compactor
from outhaul.store.contact_fields import ContactFields
from outhaul.store.contact_reads import ContactReads
from outhaul.store.counts import Counts
from outhaul.store.engine import Engine
from outhaul.store.erasure import Footprints
from outhaul.store.field_definitions import FieldDefinitions
from outhaul.store.parquet import ParquetWriter
from outhaul.store.reader import SnapshotReader
from outhaul.store.segment_reads import SegmentReads
from outhaul.store.single_activities import PurchaseReads
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


class Registry:
    """The catalog, of a data directory or shared; any number of processes may open it side by
    side. Raises CatalogUnavailable."""

    def __init__(self, settings: Settings) -> None:
        self.data = settings.data.resolve()
        if settings.catalog is None:
            self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.database = Database(settings.catalog or f"sqlite:///{self.data / 'catalog.db'}")
        self.database.migrate()
        self.accounts = Accounts(self.database)
        self.keys = Keys(self.database)
        self.imports = _imports(self.database, settings, EVERYTHING)
        self.audit = Audit(self.database)

    def close(self) -> None:
        self.database.close()


class Outhaul:
    """Everything that the owner of a data directory runs. Made only by who holds its lock."""

    def __init__(self, registry: Registry, settings: Settings) -> None:
        """Where the catalog is shared, waits for the lease of the directory's home as well. Raises
        UnsafeSettings, and OuthaulError when a node of another machine owns it."""
        database, data = registry.database, registry.data
        node = _owner(database, data, settings)
        self._node = node
        self._settings = settings
        self._engine = Engine(
            data / "store",
            memory_limit=settings.memory_limit,
            threads=settings.workers,
            admit=node.admit,
        )
        self._files = files_of(settings)
        self._database = database
        unloads = UnloadReader(self._engine, self._files)
        warehouse = _warehouse(settings, self._files, unloads)
        elsewhere: Callable[[str], bool] = warehouse.holds if warehouse else lambda _: False
        commits = Commits(self._engine, elsewhere=elsewhere)
        fields = ContactFields(self._engine)
        definitions = FieldDefinitions(self._engine, fields)
        segment_reads = SegmentReads(self._engine)
        listed, link_keys = catalog_exports.Exports(database), LinkKeys(database)
        fields_anywhere = FieldsAnywhere(fields, warehouse)
        bell = Bell()
        self.metrics = Metrics(partial(take_census, database))
        self._traces = _traces(settings)
        leases = _leases(database, settings, node.reach)
        reader = SnapshotReader(self._engine)
        imports = _imports(database, settings, node.reach)
        scratch = _scratch(data / "scratch", imports)
        self._parquet = ParquetWriter(scratch, at_once=settings.workers)
        pipeline = Pipeline(
            commits,
            fields_anywhere,
            reader,
            self._files,
            slice_rows=settings.slice_rows,
            unloads=unloads,
            parquet=self._parquet,
            unload=StoreUnload(reader, self._files),
            warehouse=warehouse,
        )
        cleaning = _cleaning(database, settings, self._files)
        watch = Watches(self.metrics, *self._traces)
        exports = _export_work(registry, settings, leases, pipeline, cleaning, bell, watch, node)
        importer = Importer(self._engine, commits, fields, scratch=scratch)
        import_work = ImportWork(
            imports,
            importer,
            takeover_limit=settings.takeover_limit,
            stall_s=settings.stall_seconds,
        )
        eraser = Eraser(
            Erasures(database, reach=node.reach),
            Footprints(self._engine),
            commits,
            self._files,
            wake=bell.ring,
        )
        # Whoever owns the directory knows that all earlier owners are dead, and their leases too.
        if not database.shared or node.predecessor is not None:
            leases.release_all(node.predecessor)
            imports.release_all(node.predecessor)
        cleaning.at_start(alone=not database.shared)
        compaction = CompactionWork(
            Compactor(self._engine, commits), commits, LiveSnapshots(database)
        )
        use_cases = Exports(
            listed,
            link_keys,
            SegmentsAnywhere(segment_reads, warehouse),
            self._files,
            queue_limit=settings.queue_limit,
            link_s=settings.link_minutes * 60,
            redirect=settings.downloads == "redirect",
            wake=bell.ring,
            elsewhere=elsewhere,
        )
        work: list[tuple[Work, int]] = [
            (exports, settings.workers),
            (import_work, 1),
            (ErasureWork(eraser), 1),
            (compaction, 1),
            (FileWork(cleaning, at_once=database.shared), 1),
            *node.work,
        ]
        if settings.retention_days is not None:
            keep = timedelta(days=settings.retention_days)
            work.append((RetentionWork(listed, use_cases, keep=keep), 1))
        self._worker = Worker(work, bell, id_=node.id)
        contact_reads = ContactReads(self._engine)
        intake = Intake(
            contacts=Contacts(commits, contact_reads, definitions, eraser),
            fields=Fields(commits, definitions),
            bulk=Bulk(self._engine, commits, scratch=scratch),
            purchases=Purchases(commits, contact_reads, PurchaseReads(self._engine)),
            events=CustomEvents(commits),
            segments=Segments(commits, segment_reads),
            uploads=Uploads(
                imports,
                link_keys,
                folder=data / "uploads",
                link_s=settings.link_minutes * 60,
                wake=bell.ring,
                admit=node.admit,
            ),
        )
        limit, reports = settings.rate_limit, Reports(database)
        describe = Descriptions(commits, fields_anywhere).describe
        estimate = Estimates(pipeline, reader, PastRuns(database)).estimate
        self.services = Services(
            exports=use_cases,
            keys=registry.keys,
            reports=reports,
            audit=registry.audit,
            rates=SharedRates(database, limit=limit) if database.shared else Rates(limit=limit),
            describe=describe,
            estimate=estimate,
            newest_commit=lambda account_id: commits.snapshot(account_id).number,
            health=self.health,
            worker_alive=self._worker.alive,
            public_url=settings.public_url,
            metrics=None if settings.metrics_address else self.metrics,
            admit=node.admit,
            intake=intake,
        )
        self.console = ConsoleServices(
            keys=registry.keys,
            signing_keys=link_keys.ring,
            exports=use_cases,
            overview=Overview(listed, Slices(database)),
            audit=registry.audit,
            usage=Usage(Tallies(database)),
            health=lambda: asdict(self.health()),
            browse=Browse(Browsing(self._engine), definitions),
            volumes=Volumes(commits, Counts(self._engine)),
            read_request=partial(asked_of, self.services),
            reports=reports,
            read_report=read_report,
            read_report_request=partial(report_asked_of, reports),
            describe=describe,
            estimate=estimate,
            intake=intake,
            worker_alive=self._worker.alive,
            public_url=settings.public_url,
            session_minutes=settings.session_minutes,
            admit=node.admit,
        )

    def start(self) -> None:
        """Let the worker's threads run."""
        self._worker.start()

    def reached_at(self, url: str, *, lost: Callable[[], None]) -> None:
        """Tell other nodes where this one's API is; `lost` is called should another node come to
        own the data directory, and has to end the process."""
        self._node.announce(self._settings.node_url or url, lost)

    def stop(self) -> None:
        """Stop the worker, close the store, and let another node own the directory."""
        self._worker.stop()
        self._engine.close()
        self._parquet.close()
        for traces in self._traces:
            traces.close()
        self._node.leave()

    def health(self) -> HealthReport:
        """The state of each part, in words without secrets."""
        return HealthReport(
            catalog=_state(self._database.check),
            store=_state(self._engine.check),
            files=_state(self._files.check),
            worker="ok" if self._worker.alive() else "stopped",
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


def _imports(database: Database, settings: Settings, reach: Reach) -> Imports:
    return Imports(
        database, lease_s=settings.lease_seconds, fault_limit=settings.fault_limit, reach=reach
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
