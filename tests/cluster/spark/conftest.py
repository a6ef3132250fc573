"""One Spark for all tests of the folder: a master, two workers and a Connect server."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.spark.java import java_home
from tests.cluster.spark.processes import Cluster


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Stopped at the end, whatever happens. OUTHAUL_TEST_SPARK is the folder of the package."""
    packages = Path(os.environ["OUTHAUL_TEST_SPARK"]).resolve()
    folder = tmp_path_factory.mktemp("spark")
    made = Cluster(home=packages / "pyspark", folder=folder, java=java_home(packages, folder))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def url(cluster: Cluster) -> str:
    """What the suite over all engines runs on here."""
    return cluster.url
