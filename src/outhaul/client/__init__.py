"""A client for bulk-export servers of this contract. Needs httpx and nothing of the server."""

from outhaul.client.calls import Retry
from outhaul.client.clients import AsyncClient, Client
from outhaul.client.errors import (
    ClientError,
    CreateUnclear,
    DownloadBroken,
    ExportFailed,
    Forbidden,
    InvalidRequest,
    KeyRefused,
    NotFound,
    NotUnderstood,
    QueueFull,
    RateLimited,
    Refused,
    Unreachable,
    Violation,
    WaitedTooLong,
)
from outhaul.client.models import Export, Page, Progress
from outhaul.client.tables import read_arrow, read_pandas, read_polars
from outhaul.client.transfer import Downloaded
from outhaul.client.windows import Window, split_windows

__all__ = [
    "AsyncClient",
    "Client",
    "ClientError",
    "CreateUnclear",
    "DownloadBroken",
    "Downloaded",
    "Export",
    "ExportFailed",
    "Forbidden",
    "InvalidRequest",
    "KeyRefused",
    "NotFound",
    "NotUnderstood",
    "Page",
    "Progress",
    "QueueFull",
    "RateLimited",
    "Refused",
    "Retry",
    "Unreachable",
    "Violation",
    "WaitedTooLong",
    "Window",
    "read_arrow",
    "read_pandas",
    "read_polars",
    "split_windows",
]
