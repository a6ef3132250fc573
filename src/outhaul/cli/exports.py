"""`outhaul exports`: the exports that an account has on a server."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from outhaul.cli.as_json import AsJson, print_json
from outhaul.cli.bars import ExportBars
from outhaul.cli.export import HERE, Output, fetch
from outhaul.cli.remote import Key, Url, connect
from outhaul.client import Downloaded
from outhaul.domain.errors import OuthaulError
from outhaul.domain.instants import to_text

app = typer.Typer(
    help="List, show, cancel and download exports.", no_args_is_help=True, rich_markup_mode=None
)

Id = Annotated[str, typer.Argument(help="The export's id.")]


@app.command("list", epilog="Example: outhaul exports list --page 2")
def list_exports(
    url: Url,
    key: Key,
    page: Annotated[int, typer.Option(min=1, help="From 1; the newest are on the first.")] = 1,
    page_size: Annotated[int, typer.Option(min=1, help="Exports on a page.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List exports, newest first."""
    with connect(url, key) as client:
        found = client.exports(page=page, page_size=page_size)
    if as_json:
        exports = [dict(one.raw) for one in found.exports]
        print_json({"exports": exports, "hasNext": found.has_next})
        return
    table = Table("id", "type", "version", "status", "rows", "created")
    for one in found.exports:
        created = "" if one.created_at is None else to_text(one.created_at)
        rows = f"{one.progress:,} of {one.total:,}"
        table.add_row(one.id, one.export_type, one.version or "", one.status, rows, created)
    Console(width=None if Console().is_terminal else 160).print(table)
    if found.has_next:
        print(f"There are more: --page {page + 1}")


@app.command(epilog="Example: outhaul exports show 665f1c0e9a3b5d7f00000001")
def show(export_id: Id, url: Url, key: Key, as_json: AsJson = False) -> None:
    """Show all that the server tells of an export, without the link to its file."""
    with connect(url, key) as client:
        export = client.get(export_id)
    if as_json:
        print_json(dict(export.raw))
        return
    for name, value in export.raw.items():
        if name != "fileUrl":
            print(f"{name}: {value}")


@app.command(epilog="Example: outhaul exports cancel 665f1c0e9a3b5d7f00000001")
def cancel(export_id: Id, url: Url, key: Key) -> None:
    """Stop an export that has not ended. One that has ended keeps its file."""
    with connect(url, key) as client:
        export = client.get(export_id)
        if export.ended:
            raise OuthaulError(f"export {export.id} has ended already ({export.status})")
        client.delete(export)
    print(f"Export {export.id} is cancelled.")


@app.command(epilog="Example: outhaul exports download 665f1c0e9a3b5d7f00000001 -o .")
def download(
    export_id: Id, url: Url, key: Key, output: Output = HERE, as_json: AsJson = False
) -> int:
    """Wait for an export if it has not ended, download its file and verify it. Goes on with a
    download that was cut."""
    with connect(url, key) as client:

        def run(bars: ExportBars) -> Downloaded:
            export = client.wait(export_id, progress=bars)
            return client.download(export, output, progress=bars)

        return fetch(client, run, as_json=as_json)
