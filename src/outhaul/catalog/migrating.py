"""Applying revisions to the catalog's tables, with Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def breaking_since(migrations: Path, revision: str | None) -> list[str]:
    """Those among the revisions in the folder `migrations` after this one (None: all) that older
    programs have to know."""
    pending = ScriptDirectory(str(migrations)).iterate_revisions("head", revision or "base")
    return [
        one.revision
        for one in pending
        if one.revision != revision and getattr(one.module, "breaking", False)
    ]


def migrate(migrations: Path, connection: Connection) -> None:
    """Apply every revision that was not, within the connection's transaction."""
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
