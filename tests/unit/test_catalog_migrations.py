"""A catalog of any earlier release becomes today's with everything that is in it."""

from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, Table, Text, insert, inspect, select
from sqlalchemy.types import Boolean, Integer, LargeBinary

from outhaul.catalog import migrations
from outhaul.catalog.database import Database

_CONFIG = Config()
_CONFIG.set_main_option("script_location", str(Path(next(iter(migrations.__path__)))))
_EARLIER = sorted(
    script.revision for script in ScriptDirectory.from_config(_CONFIG).walk_revisions()
)[:-1]


@pytest.mark.parametrize("revision", _EARLIER)
def test_an_earlier_catalog_keeps_its_rows(tmp_path: Path, revision: str) -> None:
    """With a row in every table, referring to each other, every table is brought forward."""
    database = Database(f"sqlite:///{tmp_path / 'catalog.db'}")
    with database.transaction() as connection:
        _CONFIG.attributes["connection"] = connection
        command.upgrade(_CONFIG, revision)
    with database.transaction() as connection:
        held = MetaData()
        held.reflect(connection)
        tables = [table for table in held.sorted_tables if table.name != "alembic_version"]
        for table in tables:
            connection.execute(insert(table).values(_row(table)))
    database.migrate()
    with database.reading() as connection:
        present = inspect(connection).get_table_names()
        kept = [table for table in tables if table.name in present]
        assert {"accounts", "api_keys", "exports", "slices"} <= {table.name for table in kept}
        for table in kept:
            # What else a row says may have been set back, as the state of a slice once was.
            key = list(table.primary_key)
            row = _row(table)
            assert connection.execute(select(*key)).all() == [tuple(row[c.name] for c in key)]
    database.close()


def _row(table: Table) -> dict[str, Any]:
    """The same value in all columns of a kind, so that references fit."""
    return {column.name: _value(column.type) for column in table.columns}


def _value(type_: Any) -> Any:
    match type_:
        case Boolean():
            return False
        case Integer():
            return 1
        case LargeBinary():
            return b"1"
        case Text():
            return "1"
        case _:
            return 1.0 if type_.python_type is float else "1"
