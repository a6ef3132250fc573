"""Who owns a data directory: the one process that holds the lock on its `owner.lock`.

The lock belongs to the open file, so the system lets go of it whenever the process ends. The
file says what the owner is doing, because a server waits for a passing owner to finish.
"""

import fcntl
from pathlib import Path
from typing import IO


class Ownership:
    """A lock on a data directory."""

    def __init__(self, data: Path) -> None:
        self._path = data / "owner.lock"
        self._file: IO[str] | None = None

    def take(self, role: str) -> bool:
        """Whether this process is the owner now; `role` is what `holder` then tells others."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self._path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        file.truncate(0)
        file.write(role)
        file.flush()
        self._file = file
        return True

    def holder(self) -> str:
        """The role of the present owner, as it gave it."""
        return self._path.read_text()

    def give_up(self) -> None:
        """Let another process be the owner."""
        if self._file is not None:
            self._file.close()
            self._file = None
