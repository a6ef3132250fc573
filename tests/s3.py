"""S3 over real HTTP: moto's server in this process, a bucket of its own for every test."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from outhaul.domain.ids import new_id

SECRET = "moto-takes-any-secret"


@dataclass(kw_only=True)
class Bucket:
    """A bucket, and the variables with which programs reach it."""

    endpoint: str
    name: str = field(default_factory=lambda: f"bucket-{new_id()}")

    @property
    def url(self) -> str:
        return f"s3://{self.name}/outhaul"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "eu-west-1",
        }

    @property
    def client(self) -> Any:
        """Another program's view of the bucket."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id="key",
            aws_secret_access_key=SECRET,
            region_name="eu-west-1",
        )

    def files(self) -> set[str]:
        """The keys of all objects below our folder."""
        listed = self.client.list_objects_v2(Bucket=self.name, Prefix="outhaul/")
        return {one["Key"].removeprefix("outhaul/") for one in listed.get("Contents", ())}

    def uploads(self) -> set[str]:
        """The keys of all uploads that have not ended."""
        listed = self.client.list_multipart_uploads(Bucket=self.name)
        return {one["Key"] for one in listed.get("Uploads", ())}


class BucketServer:
    """What keeps the buckets; between a stop and a start it forgets nothing."""

    def __init__(self) -> None:
        self._port = 0
        self.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=self._port, verbose=False)
        self._server.start()
        _, self._port = self._server.get_host_and_port()

    def stop(self) -> None:
        self._server.stop()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[BucketServer]:
    server = BucketServer()
    yield server
    server.stop()


@pytest.fixture
def bucket(s3_server: BucketServer, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket that this process and its children reach by their environment."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    made = Bucket(endpoint=s3_server.endpoint)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    made.client.create_bucket(
        Bucket=made.name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    return made
