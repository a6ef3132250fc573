"""API keys and link keys in the catalog. Of an API key's secret only a hash is kept."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from outhaul.catalog.accounts import account_of
from outhaul.catalog.database import Database, now_ms, one_at_a_time
from outhaul.catalog.tables import accounts, api_keys, link_keys
from outhaul.domain.account import Account, ApiKey, Scope
from outhaul.domain.errors import NotFound
from outhaul.domain.ids import new_id
from outhaul.domain.instants import from_epoch_ms

# Every request asks this: one statement, made once.
_WITH_ACCOUNT = (
    select(api_keys, accounts)
    .join_from(api_keys, accounts)
    .where(api_keys.c.id == bindparam("key_id"), api_keys.c.revoked_ms.is_(None))
)


@dataclass(frozen=True, kw_only=True)
class _Remembered:
    """Keys found while the catalog was in this state."""

    state: int | None
    found: dict[str, tuple[ApiKey, Account]] = field(default_factory=dict)


class Keys:
    """Stores, finds, lists and revokes API keys."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._remembered = _Remembered(state=None)

    def add(
        self, account_id: str, *, key_id: str, secret_hash: str, scopes: Iterable[Scope]
    ) -> None:
        """Store a key that the caller has made. Raises NotFound without the account."""
        with self._database.transaction() as connection:
            known = connection.execute(select(accounts.c.id).where(accounts.c.id == account_id))
            if known.first() is None:
                raise NotFound("account", account_id)
            connection.execute(
                insert(api_keys).values(
                    id=key_id,
                    account_id=account_id,
                    secret_hash=secret_hash,
                    scopes=" ".join(sorted(scope.value for scope in scopes)),
                    created_ms=now_ms(),
                )
            )

    def find(self, key_id: str) -> tuple[ApiKey, Account] | None:
        """The key with its account; None when unknown or revoked."""
        # Asked before the question: what changes meanwhile makes the memory useless.
        state = self._database.state()
        with self._database.reading() as connection:
            row = connection.execute(_WITH_ACCOUNT, {"key_id": key_id}).first()
        if row is None:
            return None
        found = _key(row), account_of(row)
        if state is not None:
            self._remember(state, key_id, found)
        return found

    def remembered(self, key_id: str) -> tuple[ApiKey, Account] | None:
        """What `find` found, unless anything has changed in the catalog since; None when it has to
        be asked. Never waits."""
        remembered = self._remembered
        found = remembered.found.get(key_id)
        return found if found is not None and self._database.state() == remembered.state else None

    def _remember(self, state: int, key_id: str, found: tuple[ApiKey, Account]) -> None:
        if self._remembered.state != state:
            self._remembered = _Remembered(state=state)
        self._remembered.found[key_id] = found

    def all(self, account_id: str | None = None) -> tuple[ApiKey, ...]:
        """Every key (of one account), oldest first, revoked ones included."""
        statement = select(api_keys).order_by(api_keys.c.created_ms)
        if account_id is not None:
            statement = statement.where(api_keys.c.account_id == account_id)
        with self._database.reading() as connection:
            return tuple(_key(row) for row in connection.execute(statement))

    def revoke(self, key_id: str) -> None:
        """The key opens nothing from now on. Raises NotFound."""
        with self._database.transaction() as connection:
            changed = connection.execute(
                update(api_keys)
                .where(api_keys.c.id == key_id, api_keys.c.revoked_ms.is_(None))
                .values(revoked_ms=now_ms())
            )
        if changed.rowcount == 0:
            raise NotFound("key", key_id)


class LinkKeys:
    """The ring of keys that sign file links; every node that shares the catalog can check them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ring(self) -> dict[str, bytes]:
        """Key by key id, the newest last; the first call ever makes the first key."""
        with self._database.reading() as connection:
            ring = _ring(connection)
        if not ring:
            with self._database.transaction() as connection:
                one_at_a_time(connection, "link_keys")
                ring = _ring(connection)
                if not ring:
                    made = {"id": new_id(), "key": secrets.token_bytes(32), "created_ms": now_ms()}
                    connection.execute(insert(link_keys).values(made))
                    ring = _ring(connection)
        return ring


def _ring(connection: Connection) -> dict[str, bytes]:
    found = select(link_keys).order_by(link_keys.c.created_ms, link_keys.c.id)
    return {row.id: row.key for row in connection.execute(found)}


def _key(row: "Row[tuple[object, ...]]") -> ApiKey:
    values = row._mapping  # noqa: SLF001 -- SQLAlchemy's public accessor, despite its name
    revoked_ms = values[api_keys.c.revoked_ms]
    return ApiKey(
        id=values[api_keys.c.id],
        account_id=values[api_keys.c.account_id],
        scopes=frozenset(Scope(scope) for scope in values[api_keys.c.scopes].split()),
        secret_hash=values[api_keys.c.secret_hash],
        created_at=from_epoch_ms(values[api_keys.c.created_ms]),
        revoked_at=None if revoked_ms is None else from_epoch_ms(revoked_ms),
    )
