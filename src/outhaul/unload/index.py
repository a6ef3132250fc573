"""What an unload consists of. Its index is written last: an unload that has one is complete."""

from dataclasses import dataclass

from pydantic import TypeAdapter

from outhaul.domain.export import MemberKind
from outhaul.files.object_store import Files

_NAME = "index.json"


@dataclass(frozen=True, kw_only=True)
class UnloadedFile:
    """One file with rows of one member."""

    name: str
    """Its key below the unload's folder."""
    rows: int
    first_ms: int
    """Creation instants of the rows: none is earlier."""
    last_ms: int
    """None is later."""
    zoned: tuple[str, ...] = ()
    """Columns whose instants are kept with a zone; all others are UTC without one."""
    types: tuple[str, ...] = ()
    """Activity types among the rows; their fields that the export shows are columns."""
    arrow: bool = False
    """Whether it holds Arrow batches; else it is Parquet."""


@dataclass(frozen=True, kw_only=True)
class UnloadIndex:
    """Every file of an unload, by member."""

    members: dict[MemberKind, tuple[UnloadedFile, ...]]


_index = TypeAdapter(UnloadIndex)


def write_index(files: Files, folder: str, index: UnloadIndex) -> None:
    """Complete the unload; its files are durable before."""
    files.write(f"{folder}/{_NAME}", [_index.dump_json(index)])


def read_index(files: Files, folder: str) -> UnloadIndex:
    """The index of a complete unload. Raises FileMissing for any other."""
    return _index.validate_json(b"".join(files.read(f"{folder}/{_NAME}")))
