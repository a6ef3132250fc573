"""A real server whose files are in a bucket: S3 over HTTP, kept by another program."""

import io
import json
import shutil
import subprocess
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from outhaul.client import Client
from tests.acceptance.conftest import OUTHAUL, Caller, Copied, queue_export, run
from tests.crash.cell import CrashShop, crash_shop, meets, restart
from tests.s3 import SECRET, Bucket, BucketServer

__all__ = ["crash_shop"]

Copy = Callable[..., Caller]


@pytest.fixture
def copy(crash_shop: CrashShop, copied: Copied) -> Copy:
    """Callers of servers, not yet started, on copies of the shop or of other data of it."""

    def new(name: str, data: Path | None = None, **settings: str) -> Caller:
        return copied(
            crash_shop if data is None else replace(crash_shop, data=data), name, **settings
        )

    return new


def move_files(data: Path, bucket: Bucket) -> None:
    """Copy the archives of before into the bucket, as docs/operating.md says."""
    files = data / "files"
    for path in (files / "exports").rglob("*.zip"):
        key = f"outhaul/{path.relative_to(files)}"
        bucket.client.upload_file(str(path), bucket.name, key)


def test_the_same_export_is_the_same_file(copy: Copy, bucket: Bucket) -> None:
    """From a folder and from a bucket: the same archive, and the same answers to every kind of
    request for it."""
    folder = copy("folder")
    queued = queue_export(folder.server.data)
    remote = copy("bucket", folder.server.data, OUTHAUL_FILES=bucket.url)
    move_files(remote.server.data, bucket)
    for caller in (folder, remote):
        caller.server.start()
        export = caller.wait(queued)
        assert export["status"] == "finished"
        assert bytes(caller.download(export)) == folder.download(folder.get(queued))
    assert len([key for key in bucket.files() if queued in key]) == 1, "the slices are gone"
    assert not list((remote.server.data / "files").rglob(f"{queued}/**/*"))

    here, there = (caller.get(queued)["fileUrl"] for caller in (folder, remote))
    etag = httpx.head(here).headers["etag"]
    for headers in (
        {},
        {"Range": "bytes=5-99"},
        {"Range": "bytes=-7", "If-Range": etag},
        {"Range": "bytes=5-99", "If-Range": '"another"'},
        {"Range": "bytes=999999999-"},
        {"If-None-Match": etag},
    ):
        one, other = (httpx.get(url, headers=headers) for url in (here, there))
        assert (one.status_code, one.content) == (other.status_code, other.content), headers
        for name in one.headers.keys() - {"date", "last-modified"}:
            assert one.headers[name] == other.headers[name], (headers, name)


def test_killed_in_the_middle_it_comes_out_the_same(
    copy: Copy, bucket: Bucket, crash_shop: CrashShop
) -> None:
    """kill -9 after the archive was written and before the catalog knows of it: the next start
    makes the export whole, and leaves nothing in the bucket that no export needs."""
    caller = copy("bucket", OUTHAUL_FILES=bucket.url)
    move_files(caller.server.data, bucket)
    export = meets(caller, "archive-durable", "kill", seconds=1)
    assert export["status"] == "finished", export
    assert list(caller.members(export).values()) == [crash_shop.text]
    archive = caller.download(export)
    restart(caller)
    assert caller.download(caller.get(export["id"])) == archive
    assert len([key for key in bucket.files() if key.startswith("exports/")]) == 2
    assert caller.request("DELETE", f"/exports/{export['id']}").status_code == 204
    assert [key for key in bucket.files() if export["id"] in key] == []


def test_a_download_is_led_to_the_bucket(
    copy: Copy, bucket: Bucket, crash_shop: CrashShop, tmp_path: Path
) -> None:
    """With OUTHAUL_DOWNLOADS=redirect a link gives the same file under its name, from the bucket;
    the Python client takes it as ever, and a link that was altered leads nowhere."""
    caller = copy("bucket", OUTHAUL_FILES=bucket.url, OUTHAUL_DOWNLOADS="redirect")
    move_files(caller.server.data, bucket)
    caller.server.start()
    export = caller.finished()
    led = httpx.get(export["fileUrl"])
    assert (led.status_code, led.content) == (307, b"")
    assert led.headers["location"].startswith(f"{bucket.endpoint}/{bucket.name}/outhaul/exports/")
    answer = httpx.get(export["fileUrl"], follow_redirects=True)
    assert zip_texts(answer.content) == [crash_shop.text]
    assert export["fileName"] in answer.headers["content-disposition"]
    part = httpx.get(export["fileUrl"], headers={"Range": "bytes=9-"}, follow_redirects=True)
    assert (part.status_code, part.content) == (206, answer.content[9:])
    assert httpx.get(export["fileUrl"] + "0").status_code == 403

    with Client(caller.server.url, caller.key) as client:
        file = client.download(export["id"], tmp_path / "client.zip")
    assert file.path.read_bytes() == answer.content


def test_an_outage_of_the_bucket_is_waited_out(
    copy: Copy, s3_server: BucketServer, bucket: Bucket, crash_shop: CrashShop
) -> None:
    """While the store is away nothing is lost and the server answers; it also starts without it,
    and its log, one JSON object a line, tells so and gives no key away."""
    settings = {"OUTHAUL_LOG_LEVEL": "DEBUG", "OUTHAUL_LOG_FORMAT": "json"}
    caller = copy("bucket", OUTHAUL_FILES=bucket.url, **settings)
    move_files(caller.server.data, bucket)
    s3_server.stop()
    try:
        caller.server.start()
        export = caller.create()
        log = caller.server.data.parent / "server.log"
        until = time.monotonic() + 30
        while '"cause": "storageUnavailable"' not in log.read_text():
            assert time.monotonic() < until
            time.sleep(0.05)  # The log is another process's.
        health = caller.request("GET", "/health")
        assert (health.status_code, health.json()["files"]) == (503, "failing (StorageUnavailable)")
    finally:
        s3_server.start()
    finished = caller.wait(export["id"])
    assert finished["status"] == "finished", finished
    assert list(caller.members(finished).values()) == [crash_shop.text]
    caller.server.stop()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    ours = [line for line in lines if line["logger"].startswith("outhaul")]
    assert ours[0]["event"] == "files not swept"
    [failed, *_] = [line for line in ours if line["event"] == "step failed"]
    assert (failed["export"], failed["level"]) == (export["id"], "ERROR")
    assert ours[-1]["event"] == "export finished"
    assert SECRET not in log.read_text()


def test_unsafe_places_are_refused_at_start(copy: Copy, bucket: Bucket, tmp_path: Path) -> None:
    """A bucket without the catalog's files, and another catalog's: each is refused with one line
    that says what to set. With the files copied the server starts, and the doctor is content."""
    caller = copy("bucket")
    told = refused(caller, bucket.url)
    assert "copy the old folder's `exports` there" in told
    move_files(caller.server.data, bucket)
    caller.server.settings["OUTHAUL_FILES"] = bucket.url
    caller.server.start()
    caller.server.stop()
    run("doctor", "--data", caller.server.data, settings={"OUTHAUL_FILES": bucket.url})

    shutil.rmtree(caller.server.data)
    run("accounts", "create", "Another", "--data", caller.server.data)
    assert "belong to another catalog" in refused(caller, bucket.url)


def zip_texts(archive: bytes) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return [opened.read(name) for name in opened.namelist()]


def refused(caller: Caller, files: str) -> str:
    """The one line of a server that does not start with its files there."""
    result = subprocess.run(
        [*OUTHAUL, "serve", "--port", "0", "--data", caller.server.data, "--files", files],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 1, result
    [*_, last] = result.stderr.splitlines()
    assert last.startswith("outhaul: ")
    return last
