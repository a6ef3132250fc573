"""A store in a folder that is fed by real imports, and exports made of it by the real pipeline."""

import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from outhaul.domain.account import Account, Language
from outhaul.domain.cancellation import Cancellation
from outhaul.domain.export import (
    DateFormat,
    Delimiter,
    Export,
    ExportRequest,
    ExportStatus,
    ExportType,
    Filters,
    Origin,
    SliceFacts,
    SlicePlan,
    Version,
)
from outhaul.domain.ids import new_id
from outhaul.domain.imports import ImportKind, ImportOptions
from outhaul.domain.members import file_extension
from outhaul.domain.plan import ExportPlan
from outhaul.files.object_store import open_files
from outhaul.ingest.importer import Importer, ImportJob
from outhaul.pipeline.pipeline import Pipeline
from outhaul.store.commits import Commits
from outhaul.store.contact_fields import ContactFields
from outhaul.store.engine import Engine
from outhaul.store.parquet import ParquetWriter
from outhaul.store.reader import SnapshotReader
from outhaul.unload.reader import UnloadReader
from outhaul.unload.store_unload import StoreUnload

EVER = Filters(from_date=datetime(1970, 1, 1, tzinfo=UTC), to_date=datetime(2199, 1, 1, tzinfo=UTC))


def request(**changes: Any) -> ExportRequest:
    """An export of contacts, comma, ISO, v1, unless told otherwise."""
    base = ExportRequest(
        export_type=ExportType.CONTACTS, delimiter=Delimiter.COMMA, date_format=DateFormat.ISO
    )
    if changes.get("export_type") is ExportType.ACTIVITIES:
        changes = {"filters": EVER} | changes
    return replace(base, **changes)


class PipelineShop:
    """One account; every export of it goes plan, slices, assembly, as a worker would do it."""

    def __init__(self, folder: Path, *, slice_rows: int = 1000, threads: int = 2) -> None:
        self.folder = folder
        self.engine = Engine(folder / "store", memory_limit="256MB", threads=threads)
        self.commits, self.fields = Commits(self.engine), ContactFields(self.engine)
        self.files = open_files("memory://")
        self.slice_rows = slice_rows
        self.account = Account(
            id=new_id(),
            name="A shop",
            timezone="Europe/Madrid",
            language=Language.EN,
            mobile_push=True,
            blocked=False,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
        )

    def take(self, kind: ImportKind, rows: Iterable[dict[str, Any]]) -> None:
        """Import rows from JSON Lines; every row has to be taken."""
        path = self.folder / f"{kind}-{new_id()}.jsonl"
        with path.open("w") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        scratch = self.folder / "scratch"
        scratch.mkdir(exist_ok=True)
        job = ImportJob(
            id=new_id(),
            account_id=self.account.id,
            kind=kind,
            path=path,
            options=ImportOptions(create_fields=True),
            rejects=path.with_suffix(".rejected"),
        )
        importer = Importer(self.engine, self.commits, self.fields, scratch=scratch)
        done = importer.run(job, progress=lambda *_: None, cancellation=Cancellation())
        assert done.refused == 0, job.rejects.read_text()

    def plan(
        self,
        wanted: ExportRequest,
        *,
        slice_rows: int | None = None,
        unloaded: bool = False,
    ) -> tuple[Pipeline, Export, ExportPlan, tuple[SlicePlan, ...]]:
        """The first step only, for tests that go on by themselves; `unloaded`: and then an unload
        of every slice."""
        pipeline = Pipeline(
            self.commits,
            self.fields,
            SnapshotReader(self.engine),
            self.files,
            slice_rows=slice_rows or self.slice_rows,
            unloads=UnloadReader(self.engine, self.files),
            parquet=ParquetWriter(self.folder, at_once=2),
            unload=StoreUnload(SnapshotReader(self.engine), self.files),
        )
        export = Export(
            id=new_id(),
            account_id=self.account.id,
            request=wanted,
            origin=Origin.API,
            status=ExportStatus.QUEUED,
            progress=0,
            total=0,
            created_at=datetime(2026, 4, 5, 6, 7, 8, tzinfo=UTC),
            file_name=f"{wanted.file_stem}-00000000-0000-4000-8000-000000000000"
            f".{file_extension(wanted)}",
        )
        plan, parts = pipeline.plan(self.account, export, Cancellation())
        if unloaded:
            parts = tuple(
                replace(
                    part,
                    unload=pipeline.unload(
                        export, plan, part, attempt=1, cancellation=Cancellation()
                    ),
                )
                for part in parts
            )
        return pipeline, replace(export, total=sum(part.rows for part in parts)), plan, parts

    def slice(
        self, pipeline: Pipeline, export: Export, plan: ExportPlan, part: SlicePlan
    ) -> SliceFacts:
        """Render one slice."""
        return pipeline.render(
            export,
            plan,
            part,
            attempt=1,
            cancellation=Cancellation(),
            show_rows=lambda _rows: None,
        )

    def archive(self, wanted: ExportRequest, *, slice_rows: int | None = None) -> bytes:
        """The ZIP of an export."""
        pipeline, export, plan, parts = self.plan(wanted, slice_rows=slice_rows)
        done = [(part, self.slice(pipeline, export, plan, part)) for part in parts]
        facts, _ = pipeline.assemble(export, plan, done, attempt=1, cancellation=Cancellation())
        return b"".join(self.files.read(facts.key))

    def export(self, wanted: ExportRequest, *, slice_rows: int | None = None) -> list[bytes]:
        """The files in the ZIP of an export, in their order."""
        return members(self.archive(wanted, slice_rows=slice_rows))


def members(archive: bytes) -> list[bytes]:
    """The files in a ZIP, every checksum verified."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        return [opened.read(name) for name in opened.namelist()]


def activities(version: Version = Version.V6, **changes: Any) -> ExportRequest:
    """An export of all activities there ever were."""
    return request(export_type=ExportType.ACTIVITIES, version=version, **changes)
