"""The catalog as every command opens it, without what only owners of data and workers need."""

from outhaul.catalog.accounts import Accounts
from outhaul.catalog.audit import Audit
from outhaul.catalog.database import Database
from outhaul.catalog.homes import EVERYTHING, Reach
from outhaul.catalog.imports import Imports
from outhaul.catalog.keys import Keys
from outhaul.settings import Settings


class Registry:
    """The catalog, of a data directory or shared; any number of processes may open it side by
    side. Raises CatalogUnavailable."""

    def __init__(self, settings: Settings) -> None:
        self.data = settings.data.resolve()
        if settings.catalog is None:
            self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.database = Database(settings.catalog or f"sqlite:///{self.data / 'catalog.db'}")
        self.database.migrate()
        self.accounts = Accounts(self.database)
        self.keys = Keys(self.database)
        self.imports = imports_of(self.database, settings, EVERYTHING)
        self.audit = Audit(self.database)

    def close(self) -> None:
        self.database.close()


def imports_of(database: Database, settings: Settings, reach: Reach) -> Imports:
    """The imports of the accounts within `reach`."""
    return Imports(
        database, lease_s=settings.lease_seconds, fault_limit=settings.fault_limit, reach=reach
    )
