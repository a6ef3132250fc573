"""What the engine's errors mean to those who do not know it: no room, no memory, a broken disk.

The engine names these in the text of its errors only; those of a stream arrive as nanoarrow's
RuntimeError, with the same text.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from outhaul.domain.errors import MemoryExhausted, OuthaulError, StorageFull, StorageUnavailable

# The last is what spilling to a full disk is refused with.
_NO_ROOM = re.compile(
    r"No space left on device|Disk quota exceeded|File too large|max_temp_directory_size"
)
# A commit that finds no memory names it only so.
_NO_MEMORY = re.compile(r"Out of Memory Error|(could not|failed to) (allocate|pin) ")
_BROKEN = re.compile(r"IO Error|Could not (write|read|sync|truncate)|Checkpoint failed")
_INVALIDATED = re.compile(r"has been invalidated")


@contextmanager
def translated(file: str) -> Iterator[None]:
    """Let StorageFull, StorageUnavailable and MemoryExhausted stand for the engine's errors."""
    try:
        yield
    except Exception as error:
        fault = _fault_of(error, file)
        if fault is None:
            raise
        raise fault from error


def _fault_of(error: Exception, file: str) -> OuthaulError | None:
    if not isinstance(error, duckdb.Error | RuntimeError):
        return None
    text = str(error)
    if is_no_room(error):
        return StorageFull(file)
    if _NO_MEMORY.search(text):
        return MemoryExhausted("the memory limit of the engine is too low")
    if _BROKEN.search(text):
        return StorageUnavailable(file)
    return None


def is_no_room(error: Exception) -> bool:
    """Whether a disk is full, or a quota reached."""
    return _NO_ROOM.search(str(error)) is not None


def is_invalidated(error: Exception) -> bool:
    """Whether the engine will refuse the file until it is attached anew: a checkpoint failed."""
    return isinstance(error, duckdb.Error | RuntimeError) and bool(_INVALIDATED.search(str(error)))
