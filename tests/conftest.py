"""Fixtures that every folder of tests shares; `OUTHAUL_TEST_RUNS` sets how long `make soak` is."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import delete

from outhaul.catalog.accounts import Accounts
from outhaul.catalog.database import Database
from outhaul.catalog.tables import metadata
from outhaul.domain.account import Account, Language
from tests.empty_catalog import empty_catalog
from tests.postgres import Postgres, new_postgres

pytest_plugins = ["tests.s3"]

if "OUTHAUL_TEST_RUNS" in os.environ:
    # At random in CI too: the portions of a soak would all be the same histories otherwise.
    settings.register_profile(
        "soak", max_examples=int(os.environ["OUTHAUL_TEST_RUNS"]), derandomize=False
    )
    settings.load_profile("soak")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL."""
    with new_postgres() as running:
        yield running


@pytest.fixture(scope="session")
def postgres_catalog(postgres: Postgres) -> str:
    """The URL of a migrated catalog; whoever uses it leaves it without rows."""
    url = postgres.new_database()
    database = Database(url)
    database.migrate()
    database.close()
    return url


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The catalog's own tests run on both databases."""
    of_catalog = metafunc.module.__name__.rpartition(".")[2].startswith("test_catalog")
    marked = {
        name for mark in metafunc.definition.iter_markers("parametrize") for name in mark.args[:1]
    }
    if of_catalog and "database" in metafunc.fixturenames and "database" not in marked:
        metafunc.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty catalog: on SQLite, unless the test is run on another database too."""
    if getattr(request, "param", "sqlite") == "sqlite":
        path = tmp_path / "catalog.db"
        path.write_bytes(empty_catalog())
        opened = Database(f"sqlite:///{path}")
        yield opened
    else:
        opened = Database(request.getfixturevalue("postgres_catalog"))
        yield opened
        with opened.transaction() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(delete(table))
    opened.close()


@pytest.fixture
def account(database: Database) -> Account:
    return Accounts(database).create(
        "A shop", timezone="Europe/Madrid", language=Language.EN, mobile_push=False
    )


@pytest.fixture(scope="session")
def sail() -> Iterator[str]:
    """A Spark Connect server without a JVM, with workers of its own."""
    os.environ |= {"SAIL_MODE": "local-cluster", "RUST_LOG": "error"}
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer()
    server.start()
    ip, port = server.listening_address
    yield f"sc://{ip}:{port}"
    server.stop()


@pytest.fixture(scope="module", params=["sail", "chdb"])
def url(request: pytest.FixtureRequest) -> str:
    """Every engine that a test can have in process, by its URL."""
    return "chdb://memory" if request.param == "chdb" else request.getfixturevalue("sail")
