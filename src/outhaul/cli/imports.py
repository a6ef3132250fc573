"""`outhaul import`: leave an import in the catalog, and watch it being done."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from outhaul.cli.options import Data, settings
from outhaul.domain.errors import OuthaulError
from outhaul.domain.imports import Import, ImportKind, ImportOptions, ImportStatus, rejects_of
from outhaul.registry import Registry
from outhaul.settings import Settings
from outhaul.wiring import Outhaul
from outhaul.worker.ownership import Ownership

_WATCH_S = 0.05
_GRACE_S = 3


def import_file(
    kind: Annotated[ImportKind, typer.Argument(help="What the file holds.")],
    file: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, readable=True, help=".csv, .jsonl, .ndjson or .parquet"
        ),
    ],
    account: Annotated[str, typer.Option(help="The account's id.")],
    create_fields: Annotated[
        bool, typer.Option("--create-fields", help="Create contact fields that are not known yet.")
    ] = False,
    data: Data = None,
) -> None:
    """Take a file into an account. Refused rows go to FILE.rejected.jsonl with their reasons.

    Example: outhaul import contacts contacts.csv --account 665f... --create-fields

    Works beside a running server, which then does it; safe to interrupt and repeat. Where servers
    share a catalog, the one that keeps the account's data has to be able to read FILE.
    """
    chosen = settings(data=data)
    registry = Registry(chosen)
    try:
        registry.accounts.get(account)
        import_id = registry.imports.create(
            account,
            kind=kind,
            path=str(file.resolve()),
            options=ImportOptions(create_fields=create_fields),
        )
        ended = _watch(registry, chosen, import_id)
    finally:
        registry.close()
    if ended.status is not ImportStatus.FINISHED:
        raise OuthaulError(f"{file}: {ended.detail or 'The import was cancelled.'}")
    print(f"{ended.taken:,} rows taken, {ended.refused:,} rows refused")
    if ended.refused:
        print(f"Refused rows and reasons: {rejects_of(file)}")


def _watch(registry: Registry, chosen: Settings, import_id: str) -> Import:
    """Until the import has ended. When nobody owns the data directory, own it meanwhile; but where
    several share the catalog, the account's data may be in another."""
    ownership = Ownership(registry.data)
    owner: Outhaul | None = None
    free_from = time.monotonic()
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    try:
        with Progress(
            *columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal
        ) as bar:
            task = bar.add_task("waiting", total=None)
            while True:
                now = registry.imports.get(import_id)
                bar.update(
                    task,
                    description="reading" if not now.total else "importing",
                    completed=now.progress,
                    total=now.total or None,
                )
                if now.status not in {ImportStatus.QUEUED, ImportStatus.IN_PROGRESS}:
                    return now
                alone = owner is None and not registry.database.shared
                if alone and time.monotonic() >= free_from:
                    if ownership.take("import"):
                        owner = Outhaul(registry, chosen)
                        owner.start()
                    else:
                        # A server that dies gets the time to come back and go on itself.
                        free_from = time.monotonic() + _GRACE_S
                time.sleep(_WATCH_S)
    finally:
        if owner is not None:
            owner.stop()
        ownership.give_up()
