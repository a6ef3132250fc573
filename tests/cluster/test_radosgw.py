"""Files in Ceph's object store, whose gateway checks every signature."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import boto3
import httpx
import pytest

from outhaul.domain.errors import StorageRefused, UnsafeSettings
from outhaul.files.claim import claim
from outhaul.files.object_store import Files, open_files
from tests.cluster.ceph import KEY, SECRET, radosgw

MIB = 1 << 20


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with radosgw(tmp_path_factory.mktemp("ceph")) as url:
        yield url


@pytest.fixture
def files(gateway: str, monkeypatch: pytest.MonkeyPatch) -> Files:
    """The files of a bucket of their own, reached by this process's environment."""
    for name, value in {
        "AWS_ENDPOINT_URL": gateway,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    client(gateway).create_bucket(Bucket="exports")
    return open_files("s3://exports/outhaul")


def client(gateway: str):
    return boto3.client(
        "s3",
        endpoint_url=gateway,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        region_name="us-east-1",
    )


def altered(link: str, **changes: str) -> str:
    parts = urlsplit(link)
    return urlunsplit(parts._replace(query=urlencode(dict(parse_qsl(parts.query)) | changes)))


def test_a_link_is_good_as_it_was_signed_and_no_other(files: Files) -> None:
    """The file under its name; with another key, a longer life or a bent signature nothing."""
    files.write("exports/1/a.zip", [b"0123456789"], save_as="a.zip")
    files.write("exports/2/b.zip", [b"another's"], save_as="b.zip")
    link = files.link("exports/1/a.zip", timedelta(minutes=5))
    good = httpx.get(link)
    assert (good.status_code, good.content) == (200, b"0123456789")
    assert 'filename="a.zip"' in good.headers["content-disposition"]
    assert httpx.get(link, headers={"Range": "bytes=3-4"}).content == b"34"
    signature = dict(parse_qsl(urlsplit(link).query))["X-Amz-Signature"]
    bent = signature[:-1] + ("0" if signature[-1] != "0" else "1")
    for other in (
        link.replace("/1/a.zip", "/2/b.zip"),
        altered(link, **{"X-Amz-Expires": "86400"}),
        altered(link, **{"X-Amz-Signature": bent}),
        link.partition("?")[0],
    ):
        refused = httpx.get(other)
        assert refused.status_code == 403, other
        assert b"0123456789" not in refused.content
        assert b"another's" not in refused.content


def test_a_link_ends(files: Files) -> None:
    """It is refused when its time is over."""
    files.write("exports/1/a.zip", [b"x"])
    link = files.link("exports/1/a.zip", timedelta(seconds=2))
    assert httpx.get(link).status_code == 200
    time.sleep(3)  # It is the passing of time that is tested.
    assert httpx.get(link).status_code == 403


def test_big_files_pass_and_dangling_uploads_are_aborted(files: Files, gateway: str) -> None:
    """Our own signed requests are as good as those of obstore, for strange keys too."""
    blocks = [bytes([number]) * MIB for number in range(40)]
    files.write("exports/1/archive-1.zip", blocks, save_as="archive.zip")
    assert b"".join(files.read("exports/1/archive-1.zip", MIB - 1)) == b"".join(blocks)[MIB - 1 :]
    s3 = client(gateway)
    for key in ("outhaul/exports/2/archive-1.zip", "outhaul/exports/x y/ü+&=%2F", "other"):
        s3.create_multipart_upload(Bucket="exports", Key=key)
    assert files.sweep(before=datetime.now(UTC) - timedelta(days=1)) == 0
    assert files.sweep() == 2
    left = s3.list_multipart_uploads(Bucket="exports")["Uploads"]
    assert [one["Key"] for one in left] == ["other"]


def test_wrong_keys_are_told_from_an_outage(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start with them is refused, and says what to look at."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret")
    wrong = open_files("s3://exports/outhaul")
    with pytest.raises(StorageRefused):
        wrong.check()
    with pytest.raises(UnsafeSettings, match="are the keys right"):
        claim(wrong, "catalog-1", newest_archive=None)
