"""What only a bucket has; what holds for every kind of files is in test_files."""

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from outhaul.domain.errors import StorageRefused, StorageUnavailable, UnsafeSettings
from outhaul.files.claim import claim
from outhaul.files.object_store import Files, open_files
from outhaul.files.uploads import signed
from outhaul.settings import Settings
from tests.s3 import SECRET, Bucket
from tests.unit.test_files import WRITER

MIB = 1 << 20


def test_a_file_that_is_saved_carries_its_name_and_type(bucket: Bucket) -> None:
    """Whoever fetches it from the bucket itself gets it under its name, short or long."""
    files = open_files(bucket.url)
    for key, size in (("exports/1/short", 1), ("exports/1/long", 20)):
        files.write(key, (bytes(MIB) for _ in range(size)), save_as="año.zip")
        head = bucket.client.head_object(Bucket=bucket.name, Key=f"outhaul/{key}")
        assert head["ContentType"] == "application/zip"
        assert head["ContentDisposition"] == (
            "attachment; filename=\"a_o.zip\"; filename*=UTF-8''a%C3%B1o.zip"
        )


def test_a_killed_upload_is_aborted_by_the_next_sweep(bucket: Bucket) -> None:
    """kill -9 in the middle leaves no file, but an upload that costs money until it is swept; one
    that may still go on is left alone."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, bucket.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"written\n"
        writer.send_signal(signal.SIGKILL)
    assert bucket.uploads() == {"outhaul/exports/1/a"}
    files = open_files(bucket.url)
    assert list(files.keys("")) == []
    # moto says of every upload that it was begun in November 2010.
    assert files.sweep(before=datetime(2010, 1, 1, tzinfo=UTC)) == 0
    assert bucket.uploads() == {"outhaul/exports/1/a"}
    assert files.sweep() == 1
    assert bucket.uploads() == set()


def test_uploads_of_others_are_not_aborted(bucket: Bucket) -> None:
    """A sweep stays in its own folder, whatever strange keys there are, and takes every page."""
    begin = bucket.client.create_multipart_upload
    for key in ("outhauler/a", "other", "outhaul/exports/x y/ü+&=%2F"):
        begin(Bucket=bucket.name, Key=key)
    assert open_files(bucket.url).sweep() == 1
    assert bucket.uploads() == {"outhauler/a", "other"}
    assert open_files(f"s3://{bucket.name}").sweep() == 2
    assert bucket.uploads() == set()


def test_without_spelt_out_keys_the_life_cycle_rule_has_to_do_it(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A role's keys cannot be used here: nothing is aborted, and nothing fails."""
    bucket.client.create_multipart_upload(Bucket=bucket.name, Key="outhaul/exports/a")
    files = open_files(bucket.url)
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert files.sweep() == 0


_NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20)


@settings(max_examples=40)
@given(_NAMES, st.none() | st.just("a session's token"))
def test_requests_are_signed_as_amazons_own_library_does(key: str, token: str | None) -> None:
    """The same request at the same second gets the same signature."""
    now = datetime.now(UTC)
    url = f"https://bucket.example/{quote(key, safe='/~')}?prefix={quote(key, safe='')}&uploads="
    request = AWSRequest(method="GET", url=url)
    request.context["timestamp"] = f"{now:%Y%m%dT%H%M%SZ}"
    request.headers["X-Amz-Content-SHA256"] = "not looked at"
    S3SigV4Auth(Credentials("key", SECRET, token), "s3", "eu-west-1").add_auth(request)
    stamp = datetime.strptime(request.context["timestamp"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    headers = signed(
        "GET", url, key_id="key", secret=SECRET, session_token=token, region="eu-west-1", now=stamp
    )
    theirs = request.headers["Authorization"].rpartition("=")[2]
    assert headers["authorization"].rpartition("=")[2] == theirs


def test_a_bucket_that_is_not_there_refuses(bucket: Bucket) -> None:
    """It is told from an outage, which another try may end."""
    files = open_files("s3://no-such-bucket/outhaul")
    with pytest.raises(StorageRefused):
        files.check()
    with pytest.raises(UnsafeSettings, match="is there such a bucket"):
        claim(files, "catalog-1", newest_archive=None)


def test_an_outage_is_told_after_a_bounded_time(bucket: Bucket, monkeypatch) -> None:
    """Nobody listens: a few retries, then StorageUnavailable."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StorageUnavailable) as caught:
        open_files(bucket.url).size("exports/1/a")
    assert not isinstance(caught.value, StorageRefused)


@pytest.mark.parametrize(
    ("url", "variables", "told"),
    [
        ("s3://key:secret@bucket/x", {}, "keys and endpoints belong in the service's own"),
        ("s3://bucket/x?endpoint=y", {}, "has to name a bucket and a folder only"),
        ("s3://", {}, "such as s3://bucket/folder"),
        ("https://bucket.example/x", {}, "such as s3://bucket/folder"),
        ("az://container/x", {}, "Account must be specified"),
        (
            "s3://bucket/x",
            {"AWS_ENDPOINT_URL": "http://minio:9000", "AWS_ALLOW_HTTP": "false"},
            "set an https:// one, or AWS_ALLOW_HTTP=true",
        ),
    ],
)
def test_settings_that_cannot_work_are_refused(url, variables, told, monkeypatch) -> None:
    """One sentence says what to set, and repeats no secret."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UnsafeSettings, match=told) as caught:
        open_files(url)
    assert "secret" not in str(caught.value)


def test_a_link_gives_the_file_to_whoever_has_it(bucket: Bucket) -> None:
    """The file itself, in full or in part, under its name; and no other."""
    files = open_files(bucket.url)
    files.write("exports/1/a b.zip", [b"0123456789"], save_as="a b.zip")
    link = files.link("exports/1/a b.zip", timedelta(minutes=5))
    whole = httpx.get(link)
    assert (whole.status_code, whole.content) == (200, b"0123456789")
    assert 'filename="a_b.zip"' in whole.headers["content-disposition"]
    assert httpx.get(link, headers={"Range": "bytes=3-4"}).content == b"34"
    assert SECRET not in link


def test_a_link_leads_to_where_others_reach_the_bucket(bucket: Bucket) -> None:
    """The address within is not always that of the world; files are read and written there."""
    files = open_files(bucket.url, public_endpoint="https://files.example.com")
    files.write("a", [b"x"])
    link = files.link("a", timedelta(minutes=5))
    assert link.startswith(f"https://files.example.com/{bucket.name}/outhaul/a?")
    assert b"".join(files.read("a")) == b"x"


def test_only_buckets_have_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A redirect that could not work is refused by the settings, before any caller sees it."""
    with pytest.raises(UnsafeSettings):
        open_files(str(tmp_path)).link("a", timedelta(minutes=5))
    for files in (None, str(tmp_path)):
        with pytest.raises(UnsafeSettings, match="needs files in a bucket"):
            Settings.model_validate({"files": files, "downloads": "redirect"})
    with pytest.raises(UnsafeSettings, match="is for s3:// only"):
        open_files("gs://bucket/x", public_endpoint="https://files.example.com")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://s3.internal")
    with pytest.raises(UnsafeSettings, match="set AWS_ENDPOINT_URL instead"):
        open_files("s3://bucket/x", public_endpoint="https://files.example.com")


def test_a_memory_that_would_forget_is_refused() -> None:
    """A catalog that outlives the process needs files that do so too."""
    with pytest.raises(UnsafeSettings, match="would be gone with the process"):
        Settings.model_validate({"files": "memory://"})


def test_secrets_do_not_show(bucket: Bucket) -> None:
    """Neither the files nor an error of theirs give the keys away."""
    files = open_files("s3://no-such-bucket/outhaul")
    with pytest.raises(StorageUnavailable) as caught:
        files.check()
    shown = [repr(files), repr(vars(files)), repr(caught.value), repr(caught.value.__cause__)]
    assert [text for text in shown if SECRET in text] == []


@pytest.fixture
def place() -> Files:
    return open_files("memory://")


def test_a_place_belongs_to_the_first_catalog_that_comes(place: Files) -> None:
    """It may come again; another one is refused with what to do, and changes nothing."""
    claim(place, "catalog-1", newest_archive=None)
    with pytest.raises(UnsafeSettings, match="belong to another catalog"):
        claim(place, "catalog-2", newest_archive=None)
    claim(place, "catalog-1", newest_archive="exports/1/gone-since")


def test_a_place_without_the_catalogs_files_is_refused(place: Files) -> None:
    """A catalog that has files elsewhere does not begin at a new place as if they were not; with
    the files copied there it does."""
    with pytest.raises(UnsafeSettings, match="set it back to where"):
        claim(place, "catalog-1", newest_archive="exports/1/0/archive-1.zip")
    assert list(place.keys("")) == []
    place.write("exports/1/0/archive-1.zip", [b"x"])
    claim(place, "catalog-1", newest_archive="exports/1/0/archive-1.zip")
