"""A console to visit: a server, keys of every kind, and a browser that shows nothing."""

import re
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from outhaul.api.app import create_app
from outhaul.auth.secrets import hash_secret, new_token
from outhaul.console.app import create_console
from outhaul.domain.account import Account, Language, Scope
from outhaul.domain.imports import ImportKind, ImportOptions
from outhaul.edges import Edges
from outhaul.registry import Registry
from outhaul.settings import Settings
from outhaul.wiring import Outhaul
from tests.api_client import Client
from tests.api_server import Address, idle_outhaul, listening


@dataclass(frozen=True, kw_only=True)
class Site:
    """The server and what its operator can do."""

    address: Address
    data: Path
    registry: Registry
    outhaul: Outhaul
    resting: threading.Event

    def rest(self) -> None:
        """Let no work be done here any more; pages take it that another node does it."""
        self.outhaul.worker.stop()
        self.resting.set()

    @property
    def api(self) -> Client:
        """The first account's program, whose key has every scope."""
        return Client(self.address)

    @property
    def url(self) -> str:
        return self.address.url

    @property
    def account(self) -> Account:
        """The first account."""
        return self.registry.accounts.all()[0]

    def new_account(self, name: str, timezone: str = "UTC") -> Account:
        return self.registry.accounts.create(
            name, timezone=timezone, language=Language.EN, mobile_push=False
        )

    def new_key(self, *scopes: Scope, account: Account | None = None) -> str:
        """A key with just these scopes; none: with all."""
        key_id, secret = new_token(), new_token()
        self.registry.keys.add(
            (account or self.account).id,
            key_id=key_id,
            secret_hash=hash_secret(secret),
            scopes=scopes or Scope,
        )
        return f"{key_id}:{secret}"

    def take(self, kind: ImportKind, path: Path, account: Account | None = None) -> None:
        """Import a file, as the command line does it beside a running server."""
        imports = self.registry.imports
        id_ = imports.create(
            (account or self.account).id,
            kind=kind,
            path=str(path),
            options=ImportOptions(create_fields=True),
        )
        end = time.monotonic() + 60
        while imports.get(id_).ended_at is None:
            assert time.monotonic() < end, imports.get(id_)
            time.sleep(0.02)  # The poll of the command line; the importer is another thread.
        assert imports.get(id_).taken, imports.get(id_).detail

    def visitor(self, key: str | None = None) -> "Visitor":
        """Somebody signed in, with the first account's key unless told otherwise."""
        visitor = Visitor(self.url)
        answer = visitor.sign_in(key or self.address.key)
        assert answer.status_code == 303, answer.text
        return visitor


class Visitor:
    """A browser that keeps cookies, follows nothing and shows nothing."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies = httpx.Cookies()

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any request to the server."""
        with httpx.Client(base_url=self.url, timeout=30, cookies=self.cookies) as client:
            answer = client.request(method, path, **options)
            self.cookies = client.cookies
        return answer

    def sign_in(self, key: str, **fields: str) -> httpx.Response:
        return self.post("/sign-in", data={"key": key, **fields})

    def get(self, path: str, **options: Any) -> httpx.Response:
        """A page of the console."""
        return self.ask("GET", f"/console{path}", **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.ask("POST", f"/console{path}", **options)

    def page(self, path: str) -> str:
        """The text of a page that is there."""
        answer = self.get(path)
        assert answer.status_code == 200, (answer.status_code, answer.text[-3000:])
        return answer.text

    def token(self) -> str:
        """What the forms of this session carry."""
        found = re.search(r'name="token" value="(\w+)"', self.page("/exports"))
        assert found
        return found[1]

    def send(self, path: str, fields: Iterable[tuple[str, str]] = ()) -> httpx.Response:
        """A form sent with its token."""
        pairs = [("token", self.token()), *fields]
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return self.post(path, content=urlencode(pairs), headers=headers)


def words(page: str) -> str:
    """What somebody reads on a page."""
    body = re.sub(r"<(head|svg)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))


@contextmanager
def site(data: Path, **settings: object) -> Iterator[Site]:
    """The server of one account that has no data yet."""
    with idle_outhaul(data, **settings) as (outhaul, key):
        resting = threading.Event()
        edges = Edges(outhaul)
        worker_alive = edges.console.worker_alive
        console = replace(edges.console, worker_alive=lambda: resting.is_set() or worker_alive())
        outhaul.start()
        registry = Registry(Settings.model_validate({"data": data}))
        try:
            app = create_app(edges.services, create_console(console))
            with listening(app) as (host, port):
                address = Address(host=host, port=port, key=key)
                yield Site(
                    address=address, data=data, registry=registry, outhaul=outhaul, resting=resting
                )
        finally:
            registry.close()
            outhaul.stop()
