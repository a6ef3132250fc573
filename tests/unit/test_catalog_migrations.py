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
_BREAKING = [
    script.revision
    for script in ScriptDirectory.from_config(_CONFIG).walk_revisions()
    if getattr(script.module, "breaking", False)
]
_BESIDE = [one for one in _EARLIER if one >= max(["0008", *_BREAKING])]
"""Those whose programs have to be able to go on while others are replaced."""


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


@pytest.mark.parametrize("revision", _BESIDE)
def test_an_earlier_program_goes_on_beside_a_later_one(tmp_path: Path, revision: str) -> None:
    """What it writes fits the later tables, which still have every column that it reads. A revision
    that cannot keep to that says `breaking = True`."""
    database = Database(f"sqlite:///{tmp_path / 'catalog.db'}")
    with database.transaction() as connection:
        _CONFIG.attributes["connection"] = connection
        command.upgrade(_CONFIG, revision)
        known = MetaData()
        known.reflect(connection)
    database.migrate()
    with database.transaction() as connection:
        for table in known.sorted_tables:
            if table.name != "alembic_version":
                connection.execute(insert(table).values(_row(table)))
                assert connection.execute(select(table)).one()._asdict() == _row(table)
    database.close()


def test_the_newest_program_knows_where_it_stands(database: Database) -> None:
    """Nothing is pending after a migration, and nothing noted as breaking that it does not know."""
    before = database.migrate()
    assert (before.revision, before.is_newer, before.is_too_new) == (before.newest, False, False)


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
