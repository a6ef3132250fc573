"""Buckets of S3 (and what speaks like it), Google Cloud Storage and Azure, by URL.

Keys, endpoints and regions come from the variables that these services have for them; a URL names
the bucket and a folder in it, nothing secret.
"""

import os
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import obstore.store
from obstore.exceptions import BaseError

from outhaul.domain.errors import UnsafeSettings

if TYPE_CHECKING:
    from obstore.store import ObjectStore, RetryConfig  # exist for the type checker only

SCHEMES = ("s3", "gs", "az")
# A fault that outlasts half a minute is for the worker to retry, with its backoff.
_MOST_RETRIES = 5
_RETRYING_FOR = timedelta(seconds=30)


def open_bucket(url: str, *, endpoint: str | None = None) -> "ObjectStore":
    """The bucket (or a folder in it) that `url` names; nothing is sent to it yet. `endpoint` takes
    the place of the variable's, for S3 only.

    Raises UnsafeSettings where the URL or the variables cannot be right.
    """
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise UnsafeSettings(
            "OUTHAUL_FILES has to be a directory or a URL such as s3://bucket/folder,"
            " gs://bucket/folder or az://container/folder"
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise UnsafeSettings(
            "OUTHAUL_FILES has to name a bucket and a folder only: keys and endpoints belong in the"
            " service's own variables, such as AWS_ACCESS_KEY_ID and AWS_ENDPOINT_URL"
        )
    if parts.scheme != "s3" and endpoint is not None:
        raise UnsafeSettings(
            "OUTHAUL_FILES_PUBLIC_ENDPOINT is for s3:// only: set OUTHAUL_FILES to such a URL, or"
            " leave the endpoint away"
        )
    if parts.scheme == "s3":
        _check_endpoint()
    if endpoint is not None and os.environ.get("AWS_ENDPOINT_URL_S3"):
        # obstore would take the variable before any other.
        raise UnsafeSettings(
            "OUTHAUL_FILES_PUBLIC_ENDPOINT does not work with AWS_ENDPOINT_URL_S3: set"
            " AWS_ENDPOINT_URL instead of that"
        )
    retries: RetryConfig = {"max_retries": _MOST_RETRIES, "retry_timeout": _RETRYING_FOR}
    try:
        if endpoint is not None:
            return obstore.store.from_url(
                url,
                config={"endpoint": endpoint},
                retry_config=retries,
            )
        return obstore.store.from_url(url, retry_config=retries)
    except BaseError as error:
        raise UnsafeSettings(
            f"OUTHAUL_FILES cannot be opened ({_first_line(error)}); set the service's own"
            " variables, docs/operating.md names them"
        ) from error


def _check_endpoint() -> None:
    """Without this, every call would fail with words that do not say why."""
    named = {
        name: value
        for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
        if (value := os.environ.get(name))
    }
    allowed = os.environ.get("AWS_ALLOW_HTTP", "").lower() in {"1", "true", "yes", "on", "y"}
    for name, value in named.items():
        if value.startswith("http://") and not allowed:
            raise UnsafeSettings(
                f"{name} is an http:// address, over which files would travel in the clear: set an"
                " https:// one, or AWS_ALLOW_HTTP=true where the way to it is private"
            )


def _first_line(error: BaseError) -> str:
    return str(error).partition("\n")[0]
