"""Accounts in the catalog."""

from sqlalchemy import Row, insert, select, update

from outhaul.catalog.database import Database, now_ms
from outhaul.catalog.tables import accounts
from outhaul.domain.account import Account, Language
from outhaul.domain.errors import NotFound
from outhaul.domain.ids import new_id
from outhaul.domain.instants import from_epoch_ms


class Accounts:
    """Creates, lists, changes and finds accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, *, timezone: str, language: Language, mobile_push: bool) -> Account:
        """A new account. `timezone` is an IANA name, checked by the caller."""
        id_ = new_id()
        with self._database.transaction() as connection:
            connection.execute(
                insert(accounts).values(
                    id=id_,
                    name=name,
                    timezone=timezone,
                    language=language.value,
                    mobile_push=mobile_push,
                    blocked=False,
                    created_ms=now_ms(),
                )
            )
        return self.get(id_)

    def get(self, account_id: str) -> Account:
        """Raises NotFound."""
        with self._database.reading() as connection:
            row = connection.execute(select(accounts).where(accounts.c.id == account_id)).first()
        if row is None:
            raise NotFound("account", account_id)
        return account_of(row)

    def all(self) -> tuple[Account, ...]:
        """Every account, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(accounts).order_by(accounts.c.created_ms)).all()
        return tuple(account_of(row) for row in rows)

    def set_blocked(self, account_id: str, blocked: bool) -> None:
        """Block the account's keys, or let them in again. Raises NotFound."""
        self._change(account_id, blocked=blocked)

    def configure(
        self,
        account_id: str,
        *,
        timezone: str | None = None,
        language: Language | None = None,
        mobile_push: bool | None = None,
    ) -> None:
        """Change what is given; exports planned already keep what they froze. Raises NotFound."""
        given = {"timezone": timezone, "language": language, "mobile_push": mobile_push}
        self._change(
            account_id, **{name: value for name, value in given.items() if value is not None}
        )

    def _change(self, account_id: str, **values: object) -> None:
        self.get(account_id)
        if values:
            with self._database.transaction() as connection:
                connection.execute(
                    update(accounts).where(accounts.c.id == account_id).values(**values)
                )


def account_of(row: "Row[tuple[object, ...]]") -> Account:
    """An account from a row that has the columns of `accounts`, among others perhaps."""
    values = row._mapping  # noqa: SLF001 -- SQLAlchemy's public accessor, despite its name
    return Account(
        id=values[accounts.c.id],
        name=values[accounts.c.name],
        timezone=values[accounts.c.timezone],
        language=Language(values[accounts.c.language]),
        mobile_push=values[accounts.c.mobile_push],
        blocked=values[accounts.c.blocked],
        created_at=from_epoch_ms(values[accounts.c.created_ms]),
    )
