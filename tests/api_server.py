"""A real server on a free port, over a real data directory, in this process."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from outhaul.api.app import create_app
from outhaul.auth.secrets import hash_secret, new_token
from outhaul.console.app import create_console
from outhaul.domain.account import Language, Scope
from outhaul.edges import Edges
from outhaul.registry import Registry
from outhaul.settings import Settings
from outhaul.wiring import Outhaul
from tests.empty_catalog import new_data


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where the server is and a key with every scope."""

    host: str
    port: int
    key: str

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


@contextmanager
def listening(app: ASGIApp) -> Iterator[tuple[str, int]]:
    """The application on a free port, served as `outhaul serve` does it."""
    config = uvicorn.Config(
        app, port=0, http="h11", access_log=False, log_config=None, server_header=False
    )
    server = uvicorn.Server(config)
    # asyncio lets answers of two parts wait for the client's acknowledgement of the first (40 ms)
    # unless the socket says, as those of `outhaul serve` do, that it is TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    # From here on connections wait in line, so nobody has to wait for the server's start.
    listener.listen()
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield listener.getsockname()
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def new_account(registry: Registry, name: str, *, timezone: str) -> tuple[str, str]:
    """An account's id, and a key of it that may do everything."""
    account = registry.accounts.create(
        name, timezone=timezone, language=Language.EN, mobile_push=False
    )
    key_id, secret = new_token(), new_token()
    registry.keys.add(account.id, key_id=key_id, secret_hash=hash_secret(secret), scopes=Scope)
    return account.id, f"{key_id}:{secret}"


@contextmanager
def idle_outhaul(data: Path, **settings: object) -> Iterator[tuple[Outhaul, str]]:
    """Everything of one empty account, and a key; the worker is not started."""
    chosen = Settings.model_validate({"data": data, "workers": 1} | settings)
    new_data(data)
    registry = Registry(chosen)
    _, key = new_account(registry, "A shop", timezone="Europe/Madrid")
    try:
        yield Outhaul(registry, chosen), key
    finally:
        registry.close()


@contextmanager
def serving(data: Path, **settings: object) -> Iterator[Address]:
    """The server of one empty account; stopped, with its worker, at the end."""
    with idle_outhaul(data, **settings) as (outhaul, key):
        edges = Edges(outhaul)
        outhaul.start()
        try:
            app = create_app(edges.services, create_console(edges.console))
            with listening(app) as (host, port):
                yield Address(host=host, port=port, key=key)
        finally:
            outhaul.stop()
