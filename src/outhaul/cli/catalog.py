"""`outhaul catalog`: from a data directory's own catalog to one that several nodes share."""

import typer

from outhaul.catalog.database import Database
from outhaul.catalog.moving import move as move_rows
from outhaul.cli.options import Catalog, Data, settings
from outhaul.domain.errors import OuthaulError, UnsafeSettings
from outhaul.worker.home import home_id_of
from outhaul.worker.ownership import Ownership

app = typer.Typer(
    help="Move the catalog into a shared database.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def catalog() -> None:
    """Move the catalog into a shared database."""


@app.command(epilog="Example: outhaul catalog move --data /var/lib/outhaul")
def move(data: Data = None, catalog: Catalog = None) -> None:
    """Move DATA/catalog.db into the empty database at OUTHAUL_CATALOG, while the server is stopped.

    Accounts, keys, exports and links stay what they are. The file is kept as catalog.db.moved.
    """
    chosen = settings(data=data, catalog=catalog)
    if chosen.catalog is None:
        raise UnsafeSettings("set OUTHAUL_CATALOG to the database, postgresql://...")
    folder = chosen.data.resolve()
    path = folder / "catalog.db"
    if not path.is_file():
        raise OuthaulError(f"there is no {path}: is --data right?")
    ownership = Ownership(folder)
    if not ownership.take("catalog move"):
        raise OuthaulError(f"a process ({ownership.holder()}) owns {folder}: stop it first")
    source, target = Database(f"sqlite:///{path}"), Database(chosen.catalog)
    try:
        source.migrate()
        target.migrate()
        accounts = move_rows(source, target, home_id=home_id_of(folder))
    finally:
        source.close()
        target.close()
        ownership.give_up()
    path.rename(path.with_name("catalog.db.moved"))
    print(f"{accounts:,} accounts moved; from now on start with OUTHAUL_CATALOG and OUTHAUL_FILES")
    if chosen.files is None:
        print(f"Archives lie in {folder / 'files'}: set OUTHAUL_FILES to where all nodes see them")
