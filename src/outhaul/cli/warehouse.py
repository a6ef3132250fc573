"""`outhaul warehouse`: the mapping of an engine's tables, drafted and checked."""

from pathlib import Path
from typing import Annotated

import typer

from outhaul.cli.as_json import AsJson
from outhaul.cli.findings import tell
from outhaul.cli.options import Data, settings
from outhaul.domain.errors import OuthaulError
from outhaul.wiring import files_of, warehouse_engine, warehouse_mapping

app = typer.Typer(no_args_is_help=True, help="The tables of a warehouse; see docs/warehouse.md.")

Url = Annotated[
    str | None,
    typer.Option(
        "--warehouse", help="URL of the engine, such as sc://host:15002 [OUTHAUL_WAREHOUSE]."
    ),
]
MappingFile = Annotated[
    Path | None,
    typer.Option(
        help="The mapping [OUTHAUL_WAREHOUSE_FILE; else warehouse.toml in the data directory]."
    ),
]


@app.command("check")
def check(
    warehouse: Url = None,
    warehouse_file: MappingFile = None,
    data: Data = None,
    as_json: AsJson = False,
) -> int:
    """Hold the mapping against the engine's tables, and say what is missing. Changes nothing but
    for a tiny file, which the engine writes and Outhaul deletes.

    Example: outhaul warehouse check --warehouse sc://spark:15002

    Exit status 0: nothing is wrong; 1: something is.
    """
    chosen = settings(warehouse=warehouse, warehouse_file=warehouse_file, data=data)
    engine, mapping = warehouse_engine(chosen), warehouse_mapping(chosen)
    # It stands on packages of extras, which have been found by now.
    from outhaul.warehouse.check import check as findings

    return tell(list(findings(engine, mapping, files_of(chosen))), as_json=as_json)


@app.command("init")
def init(
    account: Annotated[str, typer.Option(help="Id of the account whose data it is.")],
    contacts: Annotated[
        str | None, typer.Option(help="Table, or path of Parquet files, with the contacts.")
    ] = None,
    activities: Annotated[str | None, typer.Option(help="The same for the activities.")] = None,
    products: Annotated[str | None, typer.Option(help="The same for lines of purchases.")] = None,
    members: Annotated[str | None, typer.Option(help="The same for members of segments.")] = None,
    warehouse: Url = None,
    warehouse_file: MappingFile = None,
    data: Data = None,
) -> None:
    """Write the first draft of a mapping from the names in the engine's catalog.

    Example: outhaul warehouse init --account 6a037e9d4be1d07c8a000001 --contacts shop.customers

    What is not given is looked for. A file that is there is left alone.
    """
    chosen = settings(warehouse=warehouse, warehouse_file=warehouse_file, data=data)
    engine = warehouse_engine(chosen)
    from outhaul.warehouse.guess import draft, find_tables

    path = chosen.mapping_file
    named = {
        "contacts": contacts,
        "activities": activities,
        "products": products,
        "members": members,
    }
    tables = find_tables(engine, named)
    for role, place in named.items():
        if place is not None and tables[role] is None:
            raise OuthaulError(f"the engine has no {place} (--{role})")
    folder = chosen.files or f"file://{chosen.data.resolve() / 'files'}"
    text = draft(account, folder, tables)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x") as file:
            file.write(text)
    except FileExistsError:
        raise OuthaulError(f"{path} is there already; move it away first") from None
    except OSError as error:
        raise OuthaulError(f"{path}: {error.strerror}") from error
    print(path)
