"""A backup: a folder with catalog, stores, uploads and files as they are at one moment.

The moment is one because whoever makes the backup owns the data directory meanwhile: no server
writes. `backup.json` lists every file with its digest and is written last.
"""

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from outhaul import __version__
from outhaul.domain.errors import OuthaulError
from outhaul.domain.instants import now, to_text
from outhaul.files.local import sync
from outhaul.files.object_store import Files

_LIST = "backup.json"
_CATALOG = "catalog.db"
_FILES = "files/"
_CHUNK_BYTES = 1 << 20
# Beside these a data directory holds only what can be made again.
_FOLDERS = ("store", "uploads", "scratch")


class NoBackup(OuthaulError):
    """The folder is no whole backup; the text says what is amiss."""


@dataclass(frozen=True, kw_only=True)
class Backup:
    """What `backup.json` says."""

    outhaul: str
    duckdb: str
    made_at: str
    data: str
    """Where the data directory was."""
    sha256: dict[str, str]
    """Digest by path below the folder."""


def make_backup(data: Path, files: Files, keys: Iterable[str], target: Path) -> Backup:
    """Copy the data directory's catalog and folders, and the files with these `keys`, into the new
    folder `target`; durable, and only then under that name. Only for the owner of `data`.

    Raises OSError and StorageError.
    """
    part = target.with_name(f"{target.name}.part")
    if part.exists():
        shutil.rmtree(part)  # What an earlier try left.
    part.mkdir(mode=0o700, parents=True)
    digests = {_CATALOG: _copy_catalog(data / _CATALOG, part / _CATALOG)}
    for name in _FOLDERS:
        for path in sorted((data / name).rglob("*")):
            relative = path.relative_to(data)
            if path.is_file() and relative.parts[:2] != ("store", "scratch"):
                digests[str(relative)] = _write(part / relative, _read(path))
    for key in sorted(keys):
        digests[_FILES + key] = _write(part / _FILES / key, files.read(key))
    backup = Backup(
        outhaul=__version__,
        duckdb=version("duckdb"),
        made_at=to_text(now()),
        data=str(data),
        sha256=digests,
    )
    _write(part / _LIST, [json.dumps(asdict(backup), indent=1).encode()])
    for folder in {(part / path).parent for path in (*digests, _LIST)} | {part}:
        sync(folder)
    part.rename(target)
    sync(target.parent)
    return backup


def read_backup(source: Path) -> Backup:
    """Raises NoBackup."""
    try:
        return Backup(**json.loads((source / _LIST).read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise NoBackup(f"{source} is no backup: its {_LIST} cannot be read") from error


def check_backup(source: Path, backup: Backup) -> None:
    """Read every file once. Raises NoBackup where one is missing or altered."""
    for path, expected in backup.sha256.items():
        try:
            found = _digest(source / path)
        except OSError as error:
            raise NoBackup(f"{source / path} cannot be read") from error
        if found != expected:
            raise NoBackup(f"{source / path} is not what was backed up: its digest differs")


def restore_data(source: Path, backup: Backup, data: Path) -> None:
    """Copy catalog and folders into the empty directory `data`; the catalog, which makes it a data
    directory, comes last. Raises OSError."""
    for path in backup.sha256:
        if path != _CATALOG and not path.startswith(_FILES):
            _write(data / path, _read(source / path))
    part = data / f"{_CATALOG}.part"
    _write(part, _read(source / _CATALOG))
    _move_uploads(part, Path(backup.data), data)
    for folder in {(data / path).parent for path in backup.sha256 if not path.startswith(_FILES)}:
        sync(folder)
    part.rename(data / _CATALOG)
    sync(data)


def restore_files(source: Path, backup: Backup, files: Files, names: Mapping[str, str]) -> None:
    """Store the files; `names` has the name under which a file is offered, by its key.

    Raises OSError and StorageError.
    """
    for path in backup.sha256:
        if path.startswith(_FILES):
            key = path.removeprefix(_FILES)
            files.write(key, _read(source / path), save_as=names.get(key))


def _copy_catalog(source: Path, target: Path) -> str:
    """By SQLite itself, so that what still lies beside the file comes along."""
    target.touch(mode=0o600)
    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)
        new.execute("PRAGMA journal_mode = DELETE")
    sync(target)
    return _digest(target)


def _move_uploads(catalog: Path, old: Path, new: Path) -> None:
    """Uploaded imports are known by where they lay."""
    with closing(sqlite3.connect(catalog)) as opened, opened:
        opened.execute(
            "UPDATE imports SET path = ? || substr(path, ?)"
            " WHERE uploaded AND substr(path, 1, ?) = ?",
            (str(new), len(str(old)) + 1, len(str(old)) + 1, f"{old}/"),
        )
    sync(catalog)


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, chunks: Iterable[bytes]) -> str:
    """The hex digest of what was written, durably, into a new file for its owner alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = hashlib.sha256()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for chunk in chunks:
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(descriptor)
    return digest.hexdigest()
