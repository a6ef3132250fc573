"""The `outhaul` command: its groups, and how it fails.

Exit status: 0 when done, 1 when it could not be done, 2 on wrong use (one line on standard error);
commands that speak to a server have more, see `remote`.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer
from pydantic import ValidationError
from typer.exceptions import TyperException

from outhaul import __version__
from outhaul.domain.errors import BadRequest, NotFound, OuthaulError

_COMMANDS = {
    "serve": "serve:serve",
    "worker": "worker:worker",
    "accounts": "accounts:app",
    "keys": "keys:app",
    "catalog": "catalog:app",
    "import": "imports:import_file",
    "verify": "verify:verify_file",
    "doctor": "doctor:doctor",
    "backup": "backup:backup",
    "restore": "backup:restore",
    "export": "export:app",
    "exports": "exports:app",
    "warehouse": "warehouse:app",
}
"""By name: the module of this folder, and what of it is the command or the group of commands."""


def _command_line(asked: Sequence[str]) -> typer.Typer:
    """All commands, or the one whose name is `asked` for first: to load what the server needs
    takes a second that whoever checks a file should not wait."""
    app = typer.Typer(
        name="outhaul",
        help="A self-hosted bulk-export server for contacts and activities.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_outhaul)
    named = next(iter(asked), "")
    alone = {"--version": ()} | {name: (name,) for name in _COMMANDS}
    for name in alone.get(named, _COMMANDS):
        module, _, attribute = _COMMANDS[name].partition(":")
        command = getattr(import_module(f"outhaul.cli.{module}"), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"outhaul {__version__}")
        raise typer.Exit


def _outhaul(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """A self-hosted bulk-export server for contacts and activities."""


def main() -> None:
    """Run the command; every failure is one clear line."""
    try:
        status = _command_line(sys.argv[1:])(standalone_mode=False)
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
    except OuthaulError as error:
        _fail(str(error), 1)
    except Exception as error:
        # Only now, because most commands speak to no server and need not wait for the client.
        from outhaul.cli.remote import exit_status
        from outhaul.client import ClientError

        if not isinstance(error, ClientError):
            raise
        _fail(str(error), exit_status(error))
    else:
        sys.exit(status if isinstance(status, int) else 0)


def _fail(message: str, status: int) -> None:
    print(f"outhaul: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(status)
