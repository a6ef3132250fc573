"""The account: its keys, who did what, what exports amounted to, and how the server is."""

import json
import platform

from starlette.responses import Response
from starlette.routing import Route

from outhaul import __version__
from outhaul.auth.secrets import hash_secret, new_token
from outhaul.console.paging import page_number
from outhaul.console.services import ConsoleServices
from outhaul.console.visit import Door, Visit
from outhaul.console.words import ACTIONS, SCOPES
from outhaul.domain.account import ApiKey, Scope
from outhaul.domain.audit import Action
from outhaul.domain.errors import NotFound
from outhaul.domain.instants import now

_AUDIT_PAGE = 50
_DAYS = 60
_PARTS = {
    "catalog": ("Catalog", "accounts, keys, exports and their work"),
    "store": ("Store", "contacts, activities and segments"),
    "files": ("Files", "slices and archives"),
    "worker": ("Worker", "does what is due"),
}


class AccountPages:
    """Handlers."""

    def __init__(self, services: ConsoleServices) -> None:
        self._keys = services.keys
        self._audit = services.audit
        self._usage = services.usage
        self._health = services.health

    def keys(self, visit: Visit) -> Response:
        """Every key, without its secret."""
        return self._keys_page(visit)

    def create(self, visit: Visit) -> Response:
        """Make a key and show its secret, this once."""
        wanted = {scope.value: scope for scope in Scope}
        scopes = [wanted[name] for name in visit.form.all("scope") if name in wanted]
        if not scopes:
            return self._keys_page(visit, fault="Choose at least one scope.", status=422)
        key_id, secret = new_token(), new_token()
        self._keys.add(
            visit.account.id, key_id=key_id, secret_hash=hash_secret(secret), scopes=scopes
        )
        visit.record(Action.KEY_CREATED, key_id)
        return self._keys_page(visit, made=f"{key_id}:{secret}")

    def revoke(self, visit: Visit) -> Response:
        """Make a key of this account useless from now on."""
        key_id = visit.form.get("key")
        if all(key.id != key_id for key in self._keys.all(visit.account.id)):
            raise NotFound("key", key_id)
        self._keys.revoke(key_id)
        visit.record(Action.KEY_REVOKED, key_id)
        return visit.go("/keys", note="revoked")

    def audit(self, visit: Visit) -> Response:
        """Who did what, newest first."""
        number = page_number(visit.request.query_params.get("page", "1"))
        entries, has_next = self._audit.page(visit.account.id, page=number, page_size=_AUDIT_PAGE)
        return visit.page(
            "audit.html", entries=entries, words=ACTIONS, page=number, has_next=has_next
        )

    def usage(self, visit: Visit) -> Response:
        """Charts of the last days."""
        days = self._usage.by_day(visit.account, until=now(), days=_DAYS)
        values: dict[str, tuple[str, list[float]]] = {
            "rows": ("Rows", [day.rows for day in days]),
            "bytes": ("Bytes", [day.bytes for day in days]),
            "seconds": ("Time", [day.seconds for day in days]),
        }
        return visit.page(
            "usage.html",
            days=[day for day in reversed(days) if day.exports],
            first=days[0].day.isoformat(),
            length=_DAYS,
            charts=[
                (unit, title, json.dumps(numbers), sum(numbers))
                for unit, (title, numbers) in values.items()
            ],
            exports=sum(day.exports for day in days),
        )

    def health(self, visit: Visit) -> Response:
        """Whether the parts that the server stands on answer."""
        report = self._health()
        return visit.page(
            "health.html",
            parts=[(*_PARTS.get(name, (name, "")), state) for name, state in report.items()],
            well=all(state == "ok" for state in report.values()),
            versions={"Outhaul": __version__, "Python": platform.python_version()},
        )

    def _keys_page(
        self, visit: Visit, *, made: str = "", fault: str = "", status: int = 200
    ) -> Response:
        revoked = visit.request.query_params.get("note") == "revoked"
        return visit.page(
            "keys.html",
            status=status,
            keys=sorted(self._keys.all(visit.account.id), key=_newest_first),
            scopes=SCOPES,
            made=made,
            fault=fault,
            told="The key opens nothing from now on." if revoked else None,
        )


def account_routes(services: ConsoleServices, door: Door) -> list[Route]:
    """Where the pages are."""
    pages = AccountPages(services)
    return [
        Route("/keys", door.page(pages.keys, Scope.ADMIN)),
        Route("/keys", door.page(pages.create, Scope.ADMIN), methods=["POST"]),
        Route("/keys/revoke", door.page(pages.revoke, Scope.ADMIN), methods=["POST"]),
        Route("/audit", door.page(pages.audit, Scope.ADMIN)),
        Route("/usage", door.page(pages.usage, Scope.EXPORT_READ)),
        Route("/health", door.page(pages.health)),
    ]


def _newest_first(key: ApiKey) -> tuple[bool, float]:
    return key.revoked_at is not None, -key.created_at.timestamp()
