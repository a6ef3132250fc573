"""A migrated catalog without rows, to be copied: migrating takes most of a second."""

import functools
import tempfile
from pathlib import Path

from outhaul.catalog.database import Database


@functools.cache
def empty_catalog() -> bytes:
    """The database's file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalog.db"
        database = Database(f"sqlite:///{path}")
        database.migrate()
        database.close()
        return path.read_bytes()


def new_data(data: Path) -> None:
    """Make a data directory that has a catalog, unless it has one already."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = data / "catalog.db"
    if not path.exists():
        path.write_bytes(empty_catalog())
        path.chmod(0o600)
