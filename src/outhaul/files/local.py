"""What a local directory needs beyond obstore: durable writes, and order after a crash.

obstore writes a file under a temporary name (`slice#1` for `slice`) and renames it, so a name never
stands for half a file; but it does not ask the disk to keep either. After a crash the temporary
files and empty folders of that moment are still there.
"""

import math
import os
import re
from collections.abc import Callable, Container, Iterable
from datetime import datetime
from pathlib import Path

_UNFINISHED = re.compile(r".+#[0-9]+")


def create(root: Path) -> None:
    """Make the directory `root` (only its owner may enter) and its parents, durably.

    Raises OSError.
    """
    missing = [folder for folder in (root, *root.parents) if not folder.exists()]
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in missing:
        sync(folder.parent)


def keep(root: Path, key: str) -> None:
    """Have the disk keep the file `key` below `root`, and every folder that leads to it.

    Raises OSError.
    """
    path = root / key
    sync(path)
    while path != root:
        path = path.parent
        sync(path)


def forget(root: Path, keys: Iterable[str]) -> None:
    """Have the disk keep the absence of the deleted files `keys` below `root`.

    Raises OSError.
    """
    for folder in {(root / key).parent for key in keys}:
        _sync_nearest(folder)


def sweep(
    root: Path,
    *,
    before: datetime | None = None,
    at_once: Callable[[Iterable[str]], Container[str]] = lambda _keys: (),
) -> None:
    """Remove what writes that never ended have left below `root`: unfinished files, empty folders.
    With `before` only what was last touched earlier, and unfinished files whose keys are among
    those that `at_once` picks.

    Without it only for the one process that owns the directory, before it writes. Raises OSError.
    """
    until = math.inf if before is None else before.timestamp()
    unfinished = {
        path.relative_to(root).as_posix(): path
        for folder, _, files in os.walk(root)
        for path in map(Path(folder).joinpath, filter(_UNFINISHED.fullmatch, files))
    }
    doomed = at_once(unfinished)
    for key, path in unfinished.items():
        if key in doomed or _touched(path) < until:
            path.unlink(missing_ok=True)
    for name, folders, _ in os.walk(root, topdown=False):
        for below in map(Path(name).joinpath, folders):
            if _touched(below) < until and not any(below.iterdir()):
                below.rmdir()


def _touched(path: Path) -> float:
    """When it was; what somebody has removed meanwhile was touched just now."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return math.inf


def _sync_nearest(folder: Path) -> None:
    """Sync the folder, or what is left of the way to it: folders go with their last file."""
    while True:
        try:
            return sync(folder)
        except FileNotFoundError:
            folder = folder.parent


def sync(path: Path) -> None:
    """Have the disk keep a file's bytes, or a folder's names. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
