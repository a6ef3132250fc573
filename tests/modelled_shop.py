"""An account that is changed and exported by the real parts, one step at a time, with an oracle."""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from outhaul.catalog import exports as catalog_exports
from outhaul.catalog.accounts import Accounts
from outhaul.catalog.database import Database
from outhaul.catalog.erasures import Erasures
from outhaul.catalog.leases import Leases
from outhaul.catalog.live_snapshots import LiveSnapshots
from outhaul.catalog.needed_files import NeededFiles
from outhaul.catalog.slices import Slices
from outhaul.domain.account import Language
from outhaul.domain.cancellation import Cancellation
from outhaul.domain.errors import FailureCause, Invalid
from outhaul.domain.export import Export, ExportRequest, ExportStatus, Origin
from outhaul.domain.ids import new_id
from outhaul.files.object_store import open_files
from outhaul.ingest.contact_changes import ContactKey
from outhaul.ingest.contact_service import Contacts
from outhaul.ingest.erasure import Eraser
from outhaul.pipeline.pipeline import Pipeline
from outhaul.store.activities import ActivityRows, append
from outhaul.store.chunks import Chunks
from outhaul.store.commits import Commit, Commits
from outhaul.store.compaction import Compactor
from outhaul.store.contact_fields import ContactFields
from outhaul.store.contact_reads import ContactReads
from outhaul.store.contact_rows import ContactRows
from outhaul.store.contacts import upsert
from outhaul.store.engine import Engine
from outhaul.store.erasure import Footprints
from outhaul.store.field_definitions import FieldDefinitions
from outhaul.store.parquet import ParquetWriter
from outhaul.store.reader import SnapshotReader
from outhaul.store.segments import add_members
from outhaul.unload.reader import UnloadReader
from outhaul.unload.store_unload import StoreUnload
from outhaul.worker.cleaning import Cleaning
from outhaul.worker.export_work import ExportWork
from tests.oracle import OWN_FIELD, Activity, Contact, History, Row
from tests.pipeline_shop import members

_SLICE_ROWS = 3
_STAGED, _LINES = "scratch.staged", "scratch.lines"


def open_engine(folder: Path) -> Engine:
    """An engine for any number of modelled shops, with a scratch database in memory."""
    engine = Engine(folder, memory_limit="256MB", threads=1)
    engine._instance.execute("ATTACH ':memory:' AS scratch")
    return engine


@dataclass(frozen=True, kw_only=True)
class NewActivity:
    """An activity of a batch; it names its contact by `contact_id` or else by `email`."""

    id: str
    type: str
    created: datetime
    email: str
    contact_id: str | None
    lines: tuple[tuple[str, int], ...]


class ModelledShop:
    """Every change is made in the store and in the oracle; every file that gets finished is
    compared with the oracle as of its snapshot."""

    def __init__(
        self, folder: Path, engine: Engine, database: Database, *, unloading: bool = False
    ) -> None:
        self.folder, self.engine = folder, engine
        self.account = Accounts(database).create(
            "A shop", timezone="Europe/Madrid", language=Language.EN, mobile_push=False
        )
        self.history = History()
        self.commits = Commits(engine)
        self.files = open_files("memory://")
        self.exports = catalog_exports.Exports(database)
        fields = ContactFields(engine)
        self.eraser = Eraser(
            Erasures(database), Footprints(engine), self.commits, self.files, wake=lambda: None
        )
        self.contacts = Contacts(
            self.commits, ContactReads(engine), FieldDefinitions(engine, fields), self.eraser
        )
        leases = Leases(database, lease_s=30, fault_limit=1)
        self.cleaning = Cleaning(NeededFiles(database), self.files)
        self.work = ExportWork(
            leases,
            Accounts(database),
            Slices(database),
            Pipeline(
                self.commits,
                fields,
                SnapshotReader(engine),
                self.files,
                slice_rows=_SLICE_ROWS,
                unloads=UnloadReader(engine, self.files),
                parquet=ParquetWriter(folder, at_once=1),
                unload=StoreUnload(SnapshotReader(engine), self.files),
            ),
            self.cleaning,
            takeover_limit=1,
            stall_s=300,
            wake=lambda: None,
            share=lambda _rows: 1_000_000 if unloading else 0,
        )
        self.compactor = Compactor(engine, self.commits, least=1)
        self.live = LiveSnapshots(database)
        self.created: list[str] = []
        self.checked: dict[str, tuple[ExportRequest, int]] = {}
        """Finished exports that are still there: what was asked for, and as of which commit."""
        self._planned: dict[tuple[str, int], int] = {}
        self._floor = 0

    def put(self, key: ContactKey, body: dict[str, Any]) -> None:
        """Change or make one contact over the way of the API."""
        now = self.history.now
        email = key.value if key.column == "_email" else body.get("_email")
        external = key.value if key.column == "_externalId" else body.get("_externalId")
        held = now.by_email(key.value) if key.column == "_email" else now.by_external_id(key.value)
        after = {**body, key.column: key.value}
        owners = [
            now.by_email(email) if email else None,
            now.by_external_id(external) if external else None,
        ]
        if any(owner is not None and owner is not held for owner in owners):
            with suppress(Invalid):
                self.contacts.upsert(self.account.id, key, body)
                raise AssertionError("a key was taken twice")
            return self._committed()
        resource = self.contacts.upsert(self.account.id, key, body).resource
        at = self._at()
        if held is None:
            held = now.contacts[resource["id"]] = Contact(resource["id"], at, at)
        self._change(held, after, at)
        return self._committed()

    def put_many(self, rows: Sequence[tuple[str | None, str, str]]) -> None:
        """Rows of (id, email, name) by the way of an import, in one commit."""
        import_id = new_id()
        columns = {"_email": "_email", "_name": "_name"}
        given = ContactRows(staged=_STAGED, import_id=import_id, columns=columns, sparse=False)
        self._stage_rows(
            "id VARCHAR, _email VARCHAR, _name VARCHAR, reasons VARCHAR",
            [(*row, None) for row in rows],
        )

        def write(commit: Commit) -> int:
            return upsert(commit, given, 0, len(rows), cancellation=Cancellation())

        self._apply(import_id, write)
        now, at = self.history.now, self._at()
        for place, (id_, email, name) in enumerate(rows):
            owner = now.by_email(email)
            held = owner if id_ is None else now.contacts.get(id_)
            if owner is not None and owner is not held:
                continue
            if held is None:
                made = id_ or _made_id(import_id, str(place))
                held = now.contacts[made] = Contact(made, at, at)
            self._change(held, {"_email": email, "_name": name}, at)
        self._committed()

    def add_activities(self, batch: Sequence[NewActivity]) -> None:
        """Activities with their product lines, in one commit."""
        import_id = new_id()

        self._stage_rows(
            'id VARCHAR, type VARCHAR, "createdAt" TIMESTAMP, email VARCHAR,'
            ' "contactId" VARCHAR, own VARCHAR, reasons VARCHAR',
            [
                (
                    one.id,
                    one.type,
                    one.created.replace(tzinfo=None),
                    one.email,
                    one.contact_id,
                    f'"the ""{one.id}"""',
                    None,
                )
                for one in batch
            ],
        )
        lines = [
            (n, position, f'"{product}"', quantity)
            for n, one in enumerate(batch)
            for position, (product, quantity) in enumerate(one.lines)
        ]
        self._stage(
            _LINES, 'n BIGINT, position INTEGER, "productId" VARCHAR, quantity BIGINT', lines
        )
        rows = ActivityRows(
            staged=_STAGED,
            lines=_LINES if lines else None,
            repeats=None,
            own_ids=True,
            import_id=import_id,
            columns={
                field: f"CASE WHEN s.type = '{type_}' THEN s.own END"
                for type_, (field, _) in OWN_FIELD.items()
            },
            line_columns={"productId": 'l."productId"', "quantity": "l.quantity"},
        )

        def write(commit: Commit) -> int:
            return append(commit, rows, [None, None])

        self._apply(import_id, write)
        self._expect_activities(import_id, batch)
        self._committed()

    def _expect_activities(self, import_id: str, batch: Sequence[NewActivity]) -> None:
        now, at = self.history.now, self._at()
        taken = {one.id for one in now.activities}
        fresh = [one for one in batch if one.id not in taken]
        for one in sorted(fresh, key=lambda one: one.created):
            contact = (
                now.by_email(one.email)
                if one.contact_id is None
                else now.contacts.get(one.contact_id)
            )
            if contact is None:
                if one.contact_id is not None:
                    continue
                id_ = _made_id(import_id, one.email)
                contact = now.contacts[id_] = Contact(id_, one.created, at, email=one.email)
            now.activities.append(
                Activity(
                    id=one.id,
                    type=one.type,
                    created=one.created,
                    contact_id=contact.id,
                    lines=one.lines,
                )
            )

    def add_members(self, segment_id: str, emails: Sequence[str]) -> None:
        """Put contacts into a segment; emails that no contact has are turned away."""
        self._stage_rows(
            '"segmentId" VARCHAR, "segmentName" VARCHAR, "contactId" VARCHAR, email VARCHAR,'
            " reasons VARCHAR",
            [(segment_id, "A segment", None, email, None) for email in emails],
        )

        def write(commit: Commit) -> int:
            return add_members(commit, _STAGED, 0, len(emails))

        self._apply(new_id(), write)
        now = self.history.now
        found = [one for email in emails if (one := now.by_email(email)) is not None]
        now.members |= {(segment_id, one.id) for one in found}
        if found:
            now.segments.setdefault(segment_id, None)
        self._committed()

    def compact(self) -> None:
        """Remove what no unfinished export can see; nothing that one can see goes with it."""
        floors: list[int] = []

        def oldest_live(newest: int) -> int | None:
            floor = self.live.oldest(self.account.id, newest)
            floors.extend([] if floor is None else [floor])
            return floor

        if self.compactor.compact(self.account.id, oldest_live):
            self._floor = floors[0]
            self._committed()

    def erase(self, contact_id: str) -> None:
        """Erase a contact; exactly the finished files that hold it go, and those from before a
        compaction."""
        held = {
            export_id
            for export_id, (request, snapshot) in self.checked.items()
            if snapshot < self._floor or self.history.as_of(snapshot).holds(request, contact_id)
        }
        self.eraser.erase(self.account.id, contact_id)
        self.eraser.complete()
        self.history.now.erase(contact_id)
        self._committed()
        for export_id in list(self.checked):
            export = self._get(export_id)
            assert (export.status is ExportStatus.ERROR) == (export_id in held)
            if export_id in held:
                assert export.failure is FailureCause.ERASED
                del self.checked[export_id]

    def create(self, request: ExportRequest) -> None:
        """Ask for an export."""
        made = self.exports.create(self.account.id, request, origin=Origin.API, queue_limit=1000)
        self.created.append(made.id)

    def step(self) -> bool:
        """Do the next step of whichever export is next; False when all are done."""
        newest = self.commits.snapshot(self.account.id).number
        before = {id_: self._get(id_) for id_ in self.created if id_ not in self.checked}
        if not self.work.do_one("me"):
            return False
        for export_id, was in before.items():
            export = self._get(export_id)
            if export.status is was.status:
                continue
            assert export.failure is None, export.failure
            if was.status is ExportStatus.QUEUED:
                self._planned[export_id, export.replans] = newest
            if export.status is ExportStatus.FINISHED:
                self._check(export)
        return True

    def finish(self) -> None:
        """Do every step that is left; then every export has been compared, or was withdrawn."""
        while self.step():
            pass
        ended = {self._get(export_id).status for export_id in self.created}
        assert ended <= {ExportStatus.FINISHED, ExportStatus.ERROR}

    def forget(self) -> None:
        """Leave nothing behind in the catalog that the next shop would work on."""
        for export_id in self.created:
            self.exports.delete(self.account.id, export_id)
        with self.engine._lock:
            self.engine._detach(self.account.id)
        (self.folder / f"{self.account.id}.duckdb").unlink()

    def _check(self, export: Export) -> None:
        manifest = json.loads(self.exports.manifest(self.account.id, export.id) or "")
        snapshot = manifest["snapshot"]["number"]
        if (planned := self._planned.get((export.id, export.replans))) is not None:
            assert snapshot == planned
        assert export.archive is not None
        texts = members(b"".join(self.files.read(export.archive.key)))
        files = [_rows(text) for text in texts]
        assert files == self.history.as_of(snapshot).files(export.request)
        assert export.total == export.progress == sum(len(rows) for rows in files)
        self.checked[export.id] = (export.request, snapshot)

    def _get(self, export_id: str) -> Export:
        return self.exports.get(self.account.id, export_id)

    def _apply(self, import_id: str, write: Callable[[Commit], int]) -> None:
        chunks = Chunks(self.commits, self.account.id, import_id, folder=self.folder)
        chunks.apply(0, write, cancellation=Cancellation())

    def _stage_rows(self, columns: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Rows of a file, which know their place in it."""
        numbered = [(n, *row) for n, row in enumerate(rows)]
        self._stage(_STAGED, f"n BIGINT, {columns}", numbered)

    def _stage(self, table: str, columns: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Fill a table of the scratch database, whose rows are then numbered from 0."""
        with self.engine.session(self.account.id) as connection:
            connection.execute(f"CREATE OR REPLACE TABLE {table} ({columns})")
            if rows:
                one = f"({', '.join('?' * len(rows[0]))})"
                connection.execute(
                    f"INSERT INTO {table} VALUES {', '.join([one] * len(rows))}",
                    [value for row in rows for value in row],
                )

    def _change(self, contact: Contact, values: dict[str, Any], at: datetime) -> None:
        names = {"_email": "email", "_externalId": "external_id", "_name": "name"}
        for column, value in values.items():
            held = vars(contact) if column in names else contact.custom
            name = names.get(column, column)
            if held.get(name) != value:
                held[name] = value
                contact.updated = at

    def _at(self) -> datetime:
        at = self.commits.snapshot(self.account.id).at
        assert at is not None
        return at

    def _committed(self) -> None:
        self.history.commit(self.commits.snapshot(self.account.id).number)


def _made_id(import_id: str, name: str) -> str:
    return hashlib.md5(f"{import_id}:{name}".encode()).hexdigest()[:24]


def _rows(text: bytes) -> list[Row]:
    reader = csv.DictReader(io.StringIO(text.decode(), newline=""))
    return [{header: cell for header, cell in row.items() if cell} for row in reader]
