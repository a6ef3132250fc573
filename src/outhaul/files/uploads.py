"""Uploads to an S3 bucket that never ended, because their process died.

Their parts are no files, cannot be listed as such and cost money until they are aborted. obstore
neither lists nor aborts them, so these two requests are made and signed here (Signature Version 4),
with the same keys and at the same address as its own.
"""

import hashlib
import hmac
import os
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.etree import ElementTree

import httpx
import obstore
from obstore.store import S3Store

from outhaul.domain.errors import StorageUnavailable

_TIMEOUT_S = 30
_PROBE = "x"


@dataclass(frozen=True, kw_only=True)
class _Upload:
    key: str
    """In the bucket, not below the store's folder."""
    id: str
    begun: datetime


def abort_dangling(
    store: S3Store,
    *,
    before: datetime,
    at_once: Callable[[Iterable[str]], Container[str]] = lambda _keys: (),
) -> int:
    """Abort the uploads that were begun earlier below the store's folder, and those whose keys
    (below that folder) are among those that `at_once` picks; returns how many.

    Keys that the environment does not spell out (a role's) cannot sign here: then nothing is done,
    and the bucket's life-cycle rule has to do it. Raises StorageUnavailable.
    """
    secret = os.environ.get("AWS_SECRET_ACCESS_KEY")
    if not secret:
        return 0
    requests = _Requests(store, secret)
    found = {upload: requests.key(upload) for upload in requests.uploads()}
    doomed = at_once(found.values())
    aborted = 0
    for upload, key in found.items():
        if upload.begun < before or key in doomed:
            requests.abort(upload)
            aborted += 1
    return aborted


class _Requests:
    def __init__(self, store: S3Store, secret: str) -> None:
        # A URL that obstore signs tells all that its configuration comes to: address, style of
        # path, region and key id.
        probe = urlsplit(obstore.sign(store, "GET", _PROBE, timedelta(minutes=1)))
        given = parse_qs(probe.query)
        self._key_id, _, self._region, *_ = given["X-Amz-Credential"][0].split("/")
        self._folder = f"{store.prefix}/" if store.prefix else ""
        below = quote(self._folder + _PROBE, safe="/~")
        self._base = f"{probe.scheme}://{probe.netloc}{probe.path.removesuffix(below)}"
        self._secret = secret

    def key(self, upload: _Upload) -> str:
        """Its key below the store's folder."""
        return upload.key.removeprefix(self._folder)

    def uploads(self) -> Iterator[_Upload]:
        marks: dict[str, str] = {}
        while True:
            query = {"uploads": "", "prefix": self._folder} | marks
            listed = _without_namespace(self._send("GET", "", query).content)
            for upload in listed.iter("Upload"):
                yield _Upload(
                    key=upload.findtext("Key", ""),
                    id=upload.findtext("UploadId", ""),
                    begun=datetime.fromisoformat(upload.findtext("Initiated", "")),
                )
            if listed.findtext("IsTruncated") != "true":
                return
            marks = {
                "key-marker": listed.findtext("NextKeyMarker", ""),
                "upload-id-marker": listed.findtext("NextUploadIdMarker", ""),
            }

    def abort(self, upload: _Upload) -> None:
        self._send("DELETE", quote(upload.key, safe="/~"), {"uploadId": upload.id}, fine={404})

    def _send(
        self, method: str, path: str, query: dict[str, str], *, fine: set[int] | None = None
    ) -> httpx.Response:
        url = f"{self._base}{path}?" + "&".join(
            f"{quote(name, safe='')}={quote(value, safe='')}"
            for name, value in sorted(query.items())
        )
        headers = signed(
            method,
            url,
            key_id=self._key_id,
            secret=self._secret,
            session_token=os.environ.get("AWS_SESSION_TOKEN"),
            region=self._region,
            now=datetime.now(UTC),
        )
        try:
            answer = httpx.request(method, url, headers=headers, timeout=_TIMEOUT_S)
        except httpx.HTTPError as error:
            raise StorageUnavailable(unquote(path)) from error
        if not answer.is_success and answer.status_code not in (fine or ()):
            raise StorageUnavailable(unquote(path))
        return answer


def signed(
    method: str,
    url: str,
    *,
    key_id: str,
    secret: str,
    session_token: str | None,
    region: str,
    now: datetime,
) -> dict[str, str]:
    """Headers that sign a request without a body. `url` is quoted and its query sorted already."""
    parts = urlsplit(url)
    at = f"{now:%Y%m%dT%H%M%SZ}"
    empty = hashlib.sha256(b"").hexdigest()
    headers = {"host": parts.netloc, "x-amz-content-sha256": empty, "x-amz-date": at}
    if session_token:
        headers["x-amz-security-token"] = session_token
    names = ";".join(headers)
    canonical = "\n".join(
        [
            method,
            parts.path or "/",
            parts.query,
            *(f"{name}:{value}" for name, value in headers.items()),
            "",
            names,
            empty,
        ]
    )
    scope = f"{at[:8]}/{region}/s3/aws4_request"
    to_sign = "\n".join(
        ["AWS4-HMAC-SHA256", at, scope, hashlib.sha256(canonical.encode()).hexdigest()]
    )
    key = f"AWS4{secret}".encode()
    for part in (*scope.split("/"), to_sign):
        key = hmac.digest(key, part.encode(), "sha256")
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key_id}/{scope},"
        f" SignedHeaders={names}, Signature={key.hex()}"
    )
    return headers


def _without_namespace(text: bytes) -> ElementTree.Element:
    """Amazon's answers carry a namespace, those of others sometimes not."""
    root = ElementTree.fromstring(text)  # noqa: S314 -- reads what our own object store answers
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root
