"""What several commands share: the data directory, and the catalog in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from outhaul.registry import Registry
from outhaul.settings import Settings

Catalog = Annotated[
    str | None,
    typer.Option(
        help="postgresql://user@host/database, shared by several servers and workers"
        " [OUTHAUL_CATALOG; else DATA/catalog.db]."
    ),
]
Files = Annotated[
    str | None,
    typer.Option(
        help="Where archives are kept: a directory, or s3://bucket/folder and the like"
        " [OUTHAUL_FILES; else DATA/files]."
    ),
]
Data = Annotated[
    Path | None,
    typer.Option("--data", help="Data directory [OUTHAUL_DATA; else ./outhaul-data]."),
]


def settings(**given: Any) -> Settings:
    """Settings from variables and `.env`, with what the command line gave on top."""
    return Settings(**{name: value for name, value in given.items() if value is not None})


@contextmanager
def registry(data: Path | None) -> Iterator[Registry]:
    """The catalog of the data directory, which is made when missing."""
    opened = Registry(settings(data=data))
    try:
        yield opened
    finally:
        opened.close()
