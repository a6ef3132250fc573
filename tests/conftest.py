"""Fixtures that every folder of tests shares; `OUTHAUL_TEST_RUNS` sets how long `make soak` is."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from outhaul.catalog.accounts import Accounts
from outhaul.catalog.database import Database
from outhaul.domain.account import Account, Language

if "OUTHAUL_TEST_RUNS" in os.environ:
    settings.register_profile("soak", max_examples=int(os.environ["OUTHAUL_TEST_RUNS"]))
    settings.load_profile("soak")


@pytest.fixture(scope="session")
def empty_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated catalog without rows, to be copied; migrating takes most of a second."""
    path = tmp_path_factory.mktemp("catalog") / "catalog.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


@pytest.fixture
def database(tmp_path: Path, empty_catalog: Path) -> Iterator[Database]:
    path = tmp_path / "catalog.db"
    path.write_bytes(empty_catalog.read_bytes())
    opened = Database(f"sqlite:///{path}")
    yield opened
    opened.close()


@pytest.fixture
def account(database: Database) -> Account:
    return Accounts(database).create(
        "A shop", timezone="Europe/Madrid", language=Language.EN, mobile_push=False
    )
