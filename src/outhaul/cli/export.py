"""`outhaul export`: from the wish to the verified file, on any server of the contract."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Unpack

import typer

from outhaul.archive.manifest import read_manifest
from outhaul.archive.verify import Verdict, verify
from outhaul.cli.as_json import AsJson, print_json
from outhaul.cli.bars import ExportBars
from outhaul.cli.file_options import Separator, with_file_options
from outhaul.cli.remote import NOT_WHOLE, Key, Url, connect
from outhaul.client import Client, Downloaded
from outhaul.client.operations import FileOptions

app = typer.Typer(
    help="Export contacts, activities or a report into a file.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Output = Annotated[
    Path, typer.Option("--output", "-o", help="File, or folder for the server's name of it.")
]
HERE = Path()


@app.command(epilog="Example: outhaul export contacts --url https://exports.example.com -o c.zip")
@with_file_options
def contacts(
    url: Url,
    key: Key,
    output: Output = HERE,
    changed_since: Annotated[
        int | None,
        typer.Option(help="Only what has changed since this commit of an earlier manifest."),
    ] = None,
    as_json: AsJson = False,
    **options: Unpack[FileOptions],
) -> int:
    """Export contacts: create, wait, download and verify."""
    with connect(url, key) as client:
        return fetch(
            client,
            lambda bars: client.fetch_contacts(
                output, changed_since=changed_since, progress=bars, **options
            ),
            as_json=as_json,
        )


@app.command(
    epilog="Example: outhaul export activities --url https://exports.example.com"
    " --from 2026-01-01 --to 2026-03-31T23:59:59.999Z --type purchase -o a.zip"
)
@with_file_options
def activities(
    url: Url,
    key: Key,
    from_date: Annotated[str, typer.Option("--from", help="ISO 8601, included.")],
    to_date: Annotated[str, typer.Option("--to", help="ISO 8601, included.")],
    output: Output = HERE,
    types: Annotated[
        list[str] | None, typer.Option("--type", help="Activity type; repeat for more.")
    ] = None,
    product_columns: Annotated[
        list[str] | None,
        typer.Option("--product-column", help="As --column, of the file of product lines."),
    ] = None,
    allow_long_window: Annotated[
        bool, typer.Option("--allow-long-window", help="More than 31 days in one export.")
    ] = False,
    as_json: AsJson = False,
    **options: Unpack[FileOptions],
) -> int:
    """Export activities: create, wait, download and verify. Over 31 days it takes several exports
    and joins them, unless a long window is allowed."""
    with connect(url, key) as client:
        return fetch(
            client,
            lambda bars: client.fetch_activities(
                output,
                from_date=from_date,
                to_date=to_date,
                activity_types=types,
                product_columns=product_columns,
                allow_long_window=allow_long_window,
                progress=bars,
                **options,
            ),
            as_json=as_json,
        )


@app.command(
    epilog="Example: outhaul export report 6a393bd445d5668a52fcf7fb"
    " --url https://exports.example.com --from 2026-03-01 --to 2026-03-31 -o r.zip"
)
def report(
    report_id: Annotated[str, typer.Argument(help="The report's id.")],
    url: Url,
    key: Key,
    from_day: Annotated[str, typer.Option("--from", help="Such as 2026-03-01, included.")],
    to_day: Annotated[str, typer.Option("--to", help="At most 31 days later, included.")],
    output: Output = HERE,
    delimiter: Separator = ",",
    as_json: AsJson = False,
) -> int:
    """Export a report over days of the account's time zone: create, wait, download and verify."""
    with connect(url, key) as client:
        return fetch(
            client,
            lambda bars: client.fetch_report(
                output,
                report_id,
                from_day=from_day,
                to_day=to_day,
                delimiter=delimiter,
                progress=bars,
            ),
            as_json=as_json,
        )


def fetch(client: Client, run: Callable[[ExportBars], Downloaded], *, as_json: bool) -> int:
    """Run it under bars, verify the file and print a summary; the exit status."""
    started = time.monotonic()
    bars = ExportBars(quiet=as_json)
    try:
        with bars:
            done = run(bars)
    except KeyboardInterrupt:
        _interrupted(client, bars)
        raise typer.Abort from None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    proof, snapshot, verdict = _verified(client, done)
    seconds = time.monotonic() - started
    if verdict.differences:
        for difference in verdict.differences:
            print(f"{done.path}: {difference}", file=sys.stderr)
        print("outhaul: the file is NOT WHOLE; do not use it", file=sys.stderr)
    _summary(done, verdict, proof, snapshot, seconds, as_json=as_json)
    return NOT_WHOLE if verdict.differences else 0


def _verified(client: Client, done: Downloaded) -> tuple[str, int | None, Verdict]:
    """What it was compared with, the commit as of which it was read, and the outcome. A joined
    file has no manifest; its parts were checked when they were downloaded."""
    text = client.manifest(done.exports[0]) if len(done.exports) == 1 else None
    if text is None:
        return done.checked_against, None, verify(done.path, None)
    manifest = read_manifest(text)
    return "manifest", manifest.snapshot.number, verify(done.path, manifest)


def _summary(
    done: Downloaded,
    verdict: Verdict,
    proof: str,
    snapshot: int | None,
    seconds: float,
    *,
    as_json: bool,
) -> None:
    if as_json:
        print_json(
            {
                "file": str(done.path),
                "bytes": verdict.bytes,
                "sha256": verdict.sha256,
                "members": [{"name": name, "rows": rows} for name, rows in verdict.members],
                "exportIds": [export.id for export in done.exports],
                "checkedAgainst": proof,
                **({} if snapshot is None else {"snapshot": snapshot}),
                "whole": not verdict.differences,
                "differences": list(verdict.differences),
                "seconds": round(seconds, 3),
            }
        )
        return
    for line in verdict.rows:
        print(line)
    print(f"{done.path}: {verdict.bytes:,} bytes, SHA-256 {verdict.sha256}")
    if not verdict.differences:
        against = {"manifest": "its manifest", "digest": "the server's digest"}
        print(f"Checked against {against.get(proof, 'itself')}. Took {seconds:.1f} s.")


def _interrupted(client: Client, bars: ExportBars) -> None:
    """Leave it running, unless somebody at the terminal says otherwise."""
    export = bars.export
    if export is None:
        return
    asked = sys.stdin.isatty() and sys.stderr.isatty() and not export.ended
    if asked and typer.confirm("\nCancel the export? Otherwise it goes on", err=True):
        client.delete(export)
        print(f"Export {export.id} is cancelled.", file=sys.stderr)
        return
    print(
        f"Export {export.id} goes on or is finished; fetch it with:"
        f" outhaul exports download {export.id}",
        file=sys.stderr,
    )
