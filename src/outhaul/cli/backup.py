"""`outhaul backup` and `outhaul restore`: all that a deployment holds, as at one moment."""

import time
from pathlib import Path
from typing import Annotated

import typer

from outhaul.catalog.exports import Exports
from outhaul.catalog.needed_files import NeededFiles
from outhaul.catalog.salvage import salvage
from outhaul.cli.copies import (
    check_backup,
    make_backup,
    read_backup,
    restore_data,
    restore_files,
)
from outhaul.cli.options import Data, settings
from outhaul.domain.errors import FileMissing, OuthaulError
from outhaul.registry import Registry
from outhaul.wiring import claim_files, files_of
from outhaul.worker.ownership import Ownership


def backup(
    target: Annotated[Path, typer.Argument(help="A folder that does not exist yet.")],
    with_files: Annotated[
        bool, typer.Option("--files/--no-files", help="Whether archives are backed up too.")
    ] = True,
    data: Data = None,
) -> None:
    """Copy catalog, stores, uploads and archives into a new folder, as they are at one moment.

    Example: outhaul backup /backups/outhaul-2026-11-25

    The server has to be stopped; one that is started meanwhile waits. Run it with the server's
    settings.
    """
    chosen = settings(data=data)
    target = target.absolute()
    if target.exists():
        raise OuthaulError(f"{target} exists already: name a new folder")
    if chosen.catalog is not None:
        raise OuthaulError(
            "the catalog is shared: back the database up by its own means, and copy each data"
            " directory while its server is stopped"
        )
    if not (chosen.data / "catalog.db").is_file():
        raise OuthaulError(f"{chosen.data} is no data directory: give the right one with --data")
    registry = Registry(chosen)
    ownership = _owned(registry.data, "backup")
    try:
        files = files_of(chosen)
        keys = NeededFiles(registry.database).keys() if with_files else set()
        started = time.monotonic()
        made = make_backup(registry.data, files, keys, target)
    except FileMissing as error:
        raise OuthaulError(
            f"the file {error.key} is missing: outhaul doctor tells of which exports; delete those,"
            " or back up with --no-files"
        ) from error
    except OSError as error:
        raise OuthaulError(f"the backup could not be written: {error.strerror}") from error
    finally:
        registry.close()
        ownership.give_up()
    print(f"{target}: {len(made.sha256):,} files, {time.monotonic() - started:.1f} s")


def restore(
    source: Annotated[Path, typer.Argument(help="A folder that outhaul backup made.")],
    data: Data = None,
) -> None:
    """Make a data directory of a backup, every byte checked.

    Example: outhaul restore /backups/outhaul-2026-11-25 --data /var/lib/outhaul

    The data directory has to be empty or missing. Archives go where OUTHAUL_FILES says; exports
    whose archives are not to be had are forgotten.
    """
    chosen = settings(data=data)
    found = read_backup(source)
    target = chosen.data.absolute()
    if target.exists() and any(target.iterdir()):
        raise OuthaulError(f"{target} is not empty: give another --data, or move that away")
    try:
        check_backup(source, found)
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        restore_data(source, found, target)
        registry = Registry(chosen)
        try:
            files = files_of(chosen)
            claim_files(chosen, registry.database, files, moved=True)
            names = Exports(registry.database).archive_names()
            restore_files(source, found, files, names)
            left = salvage(registry.database, files.holds)
        finally:
            registry.close()
    except OSError as error:
        raise OuthaulError(f"the backup could not be restored: {error.strerror}") from error
    print(f"{target}: as of {found.made_at}")
    if left.forgotten:
        print(f"{left.forgotten:,} exports without their archives were forgotten")
    if left.begun_anew:
        print(f"{left.begun_anew:,} exports under way begin anew")


def _owned(data: Path, role: str) -> Ownership:
    ownership = Ownership(data)
    if not ownership.take(role):
        raise OuthaulError(
            f"{data} is in use ({ownership.holder()}): stop the server first, so that all is copied"
            " as at one moment"
        )
    return ownership
