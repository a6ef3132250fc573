"""The `outhaul` command: its groups, and how it fails.

Exit status: 0 when done, 1 when it could not be done, 2 on wrong use (one line on standard error);
commands that speak to a server have more, see `remote`.
"""

import sys
from typing import Annotated

import typer
from pydantic import ValidationError
from typer.exceptions import TyperException

from outhaul import __version__
from outhaul.cli import (
    accounts,
    backup,
    catalog,
    doctor,
    export,
    exports,
    imports,
    keys,
    remote,
    serve,
    verify,
    warehouse,
    worker,
)
from outhaul.client import ClientError
from outhaul.domain.errors import BadRequest, NotFound, OuthaulError

app = typer.Typer(
    name="outhaul",
    help="A self-hosted bulk-export server for contacts and activities.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.add_typer(accounts.app, name="accounts")
app.add_typer(keys.app, name="keys")
app.add_typer(catalog.app, name="catalog")
app.command("import")(imports.import_file)
app.command("verify")(verify.verify_file)
app.command("doctor")(doctor.doctor)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.add_typer(export.app, name="export")
app.add_typer(exports.app, name="exports")
app.add_typer(warehouse.app, name="warehouse")


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"outhaul {__version__}")
        raise typer.Exit


@app.callback()
def outhaul(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """A self-hosted bulk-export server for contacts and activities."""


def main() -> None:
    """Run the command; every failure is one clear line."""
    try:
        status = app(standalone_mode=False)
    except typer.Abort:
        sys.exit(130)
    except TyperException as error:
        _fail(error.format_message(), 2)
    except ValidationError as error:
        first = error.errors()[0]
        name = f"OUTHAUL_{'_'.join(str(part) for part in first['loc'])}".upper()
        _fail(f"{name}: {first['msg']}", 2)
    except NotFound as error:
        _fail(f"there is no {error.kind} {error.id}", 2)
    except BadRequest as error:
        _fail(error.detail, 2)
    except ClientError as error:
        _fail(str(error), remote.exit_status(error))
    except OuthaulError as error:
        _fail(str(error), 1)
    else:
        sys.exit(status if isinstance(status, int) else 0)


def _fail(message: str, status: int) -> None:
    print(f"outhaul: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(status)
