"""`outhaul catalog`: bring its layout forward, move it to where several nodes share it."""

from contextlib import closing

import typer

from outhaul.catalog.database import Database
from outhaul.catalog.moving import move as move_rows
from outhaul.cli.options import Catalog, Data, settings
from outhaul.domain.errors import OuthaulError, UnsafeSettings
from outhaul.worker.home import home_id_of
from outhaul.worker.ownership import Ownership

app = typer.Typer(
    help="Bring the catalog forward, or move it into a shared database.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def catalog() -> None:
    """Bring the catalog forward, or move it into a shared database."""


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


@app.command(epilog="Example: outhaul catalog migrate --catalog postgresql://outhaul@db/outhaul")
def migrate(data: Data = None, catalog: Catalog = None) -> None:
    """Bring the catalog's layout to this version's, as the first start of it would.

    Nodes of the version before may go on beside it; if one could not, this is refused until all
    have been stopped (docs/operating.md).
    """
    chosen = settings(data=data, catalog=catalog)
    path = chosen.data.resolve() / "catalog.db"
    if chosen.catalog is None and not path.is_file():
        raise OuthaulError(f"there is no {path}: is --data right?")
    with closing(Database(chosen.catalog or f"sqlite:///{path}")) as database:
        before = database.migrate()
    if before.revision == before.newest:
        print(f"nothing to do: layout {before.newest}")
    elif before.is_newer:
        print(f"nothing to do: layout {before.revision} is of a newer version")
    else:
        print(f"layout {before.revision or 'none'} -> {before.newest}")
