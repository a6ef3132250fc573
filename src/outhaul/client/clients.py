"""The two clients. Each method is one function of steps, run by the client's own driver."""

from collections.abc import Awaitable, Callable
from functools import update_wrapper
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar, cast

import httpx

from outhaul.client import fetching, operations, transfer
from outhaul.client.calls import Retry, Session
from outhaul.client.drivers import drive, drive_async
from outhaul.client.steps import Steps

P = ParamSpec("P")
T = TypeVar("T")
M = TypeVar("M", bound=Callable[..., object])

_TIMEOUT = httpx.Timeout(30, connect=10)


def _blocking(
    steps: Callable[Concatenate[Session, P], Steps[T]],
) -> Callable[Concatenate["Client", P], T]:
    def method(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return drive(steps(self._session, *args, **kwargs), self._http)

    return _known_as(steps, method)


def _awaiting(
    steps: Callable[Concatenate[Session, P], Steps[T]],
) -> Callable[Concatenate["AsyncClient", P], Awaitable[T]]:
    async def method(self: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await drive_async(steps(self._session, *args, **kwargs), self._http)

    return _known_as(steps, method)


def _known_as(steps: Callable[..., object], method: M) -> M:
    """The method with the name, signature and docstring of its steps."""
    return cast("M", update_wrapper(method, steps))


class Client:
    """Speaks to a bulk-export server, blocking. May be shared by threads.

    A context manager; `close` lets go of its connections.
    """

    export_contacts = _blocking(operations.export_contacts)
    export_activities = _blocking(operations.export_activities)
    export_report = _blocking(operations.export_report)
    get = _blocking(operations.get)
    exports = _blocking(operations.exports)
    delete = _blocking(operations.delete)
    manifest = _blocking(operations.manifest)
    wait = _blocking(operations.wait)
    download = _blocking(transfer.download)
    fetch_contacts = _blocking(fetching.fetch_contacts)
    fetch_activities = _blocking(fetching.fetch_activities)
    fetch_report = _blocking(fetching.fetch_report)
    read = _blocking(fetching.read)

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        retry: Retry | None = None,
        timeout: httpx.Timeout = _TIMEOUT,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`base_url` such as `https://exports.example.com`; `api_key` is `keyId:keySecret`."""
        self._session = Session(base_url=base_url, api_key=api_key, retry=retry or Retry())
        self._http = httpx.Client(timeout=timeout, transport=transport)

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self._session.base_url!r})"


class AsyncClient:
    """Speaks to a bulk-export server under asyncio: the methods of Client, to be awaited.

    Progress callbacks are plain functions. An async context manager; `aclose` lets go of its
    connections.
    """

    export_contacts = _awaiting(operations.export_contacts)
    export_activities = _awaiting(operations.export_activities)
    export_report = _awaiting(operations.export_report)
    get = _awaiting(operations.get)
    exports = _awaiting(operations.exports)
    delete = _awaiting(operations.delete)
    manifest = _awaiting(operations.manifest)
    wait = _awaiting(operations.wait)
    download = _awaiting(transfer.download)
    fetch_contacts = _awaiting(fetching.fetch_contacts)
    fetch_activities = _awaiting(fetching.fetch_activities)
    fetch_report = _awaiting(fetching.fetch_report)
    read = _awaiting(fetching.read)

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        retry: Retry | None = None,
        timeout: httpx.Timeout = _TIMEOUT,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`base_url` such as `https://exports.example.com`; `api_key` is `keyId:keySecret`."""
        self._session = Session(base_url=base_url, api_key=api_key, retry=retry or Retry())
        self._http = httpx.AsyncClient(timeout=timeout, transport=transport)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"AsyncClient({self._session.base_url!r})"
