"""A catalog of any earlier release becomes today's with everything that is in it."""

from datetime import UTC, datetime
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
from outhaul.catalog.layout import layout_with
from outhaul.catalog.tally import Tallies

_CONFIG = Config()
_CONFIG.set_main_option("script_location", str(Path(next(iter(migrations.__path__)))))
_EARLIER = sorted(
    script.revision for script in ScriptDirectory.from_config(_CONFIG).walk_revisions()
)[:-1]
_OF_LAYOUTS = {"alembic_version", "breaking_revisions"}
"""What stands in these decides whether this program may work with the catalog."""
_BREAKING = [
    script.revision
    for script in ScriptDirectory.from_config(_CONFIG).walk_revisions()
    if getattr(script.module, "breaking", False)
]
_BESIDE = [one for one in _EARLIER if one >= max(["0008", *_BREAKING])]
"""Those whose programs have to be able to go on while others are replaced."""


def test_the_files_are_named_after_their_revisions() -> None:
    scripts = ScriptDirectory.from_config(_CONFIG)
    layout = layout_with(None)
    assert layout.newest == scripts.get_current_head()
    assert layout.known == {script.revision for script in scripts.walk_revisions()}


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
        tables = [table for table in held.sorted_tables if table.name not in _OF_LAYOUTS]
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


def test_exports_that_were_finished_earlier_are_counted(tmp_path: Path) -> None:
    """Those that are still there, by the quarter of an hour."""
    database = Database(f"sqlite:///{tmp_path / 'catalog.db'}")
    quarter_ms = 900_000
    with database.transaction() as connection:
        _CONFIG.attributes["connection"] = connection
        command.upgrade(_CONFIG, "0010")
        held = MetaData()
        held.reflect(connection)
        account = _row(held.tables["accounts"]) | {"home_id": None}
        connection.execute(insert(held.tables["accounts"]).values(account))
        finished = {"status": "finished", "created_ms": quarter_ms, "total": 3}
        for number, after_ms, bytes_ in ((1, 0, 10), (2, quarter_ms - 1, None), (3, quarter_ms, 5)):
            values = finished | {
                "id": f"export {number}",
                "idempotency_key": None,
                "finished_ms": quarter_ms + after_ms,
                "archive_bytes": bytes_,
            }
            row = _row(held.tables["exports"]) | values
            connection.execute(insert(held.tables["exports"]).values(row))
    database.migrate()
    found = Tallies(database).since("1", datetime(1970, 1, 1, tzinfo=UTC))
    told = [(one.begins_at.minute, one.exports, one.rows, one.bytes, one.seconds) for one in found]
    assert told == [(15, 2, 6, 10, 899.999), (30, 1, 3, 5, 900.0)]
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
