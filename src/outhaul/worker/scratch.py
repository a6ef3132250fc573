"""Where a worker without data of its own puts what does not fit into its memory."""

import os
import shutil
import stat
import tempfile
import time
from pathlib import Path

from outhaul.worker.ownership import Ownership

_PREFIX = "outhaul-worker-"
_YOUNG_S = 60.0
"""A folder is locked within moments after it was made."""


class Scratch:
    """A folder among the system's temporary files that goes with its process: rows that the engine
    has put there must not outlive a killed one for long, so the next worker on the machine removes
    what it left."""

    def __init__(self) -> None:
        """Make it, and remove those whose processes are gone."""
        for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            _remove_if_left(folder)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._ownership = Ownership(self.path)
        self._ownership.take("worker")

    def remove(self) -> None:
        """The process needs it no more."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._ownership.give_up()


def _remove_if_left(folder: Path) -> None:
    """What cannot be removed stays: somebody else may have been faster, or it may be another
    user's."""
    try:
        found = folder.lstat()
        ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
        if not ours or time.time() - found.st_mtime < _YOUNG_S:
            return
        ownership = Ownership(folder)
        if ownership.take("removal"):
            shutil.rmtree(folder, ignore_errors=True)
            ownership.give_up()
    except OSError:
        return
