"""`outhaul accounts`: who may have data here."""

from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

import typer
from rich.console import Console
from rich.table import Table

from outhaul.cli.options import Data, registry
from outhaul.domain.account import Language
from outhaul.domain.instants import to_text

app = typer.Typer(
    help="Create, list, change, block and unblock accounts.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def _timezone(value: str | None) -> str | None:
    if value is not None and value not in available_timezones():
        raise typer.BadParameter(
            f"{value!r} is no IANA time zone; use a name such as Europe/Madrid or UTC"
        )
    return ZoneInfo(value).key if value is not None else None


Timezone = Annotated[str, typer.Option(callback=_timezone, help="IANA name; for dates and days.")]
Push = Annotated[
    bool, typer.Option(help="The mobile push channel is on: adds its columns from version v2 on.")
]


@app.command(epilog='Example: outhaul accounts create "My shop" --timezone Europe/Madrid')
def create(
    name: Annotated[str, typer.Argument(help="A name for people to read.")],
    timezone: Timezone = "UTC",
    language: Annotated[Language, typer.Option(help="Of dates and headers.")] = Language.EN,
    mobile_push: Push = False,
    data: Data = None,
) -> None:
    """Create an account and print its id."""
    with registry(data) as opened:
        account = opened.accounts.create(
            name, timezone=timezone, language=language, mobile_push=mobile_push
        )
    print(account.id)


@app.command("list", epilog="Example: outhaul accounts list")
def list_accounts(data: Data = None) -> None:
    """List all accounts."""
    table = Table("id", "name", "time zone", "language", "mobile push", "state", "created")
    with registry(data) as opened:
        for one in opened.accounts.all():
            table.add_row(
                one.id,
                one.name,
                one.timezone,
                one.language,
                "on" if one.mobile_push else "off",
                "blocked" if one.blocked else "open",
                to_text(one.created_at),
            )
    Console(width=None if Console().is_terminal else 160).print(table)


@app.command("set", epilog="Example: outhaul accounts set 665f... --timezone America/Lima")
def configure(
    account: Annotated[str, typer.Argument(help="The account's id.")],
    timezone: Annotated[str | None, typer.Option(callback=_timezone, help="IANA name.")] = None,
    language: Annotated[Language | None, typer.Option(help="Of dates and headers.")] = None,
    mobile_push: Annotated[bool | None, typer.Option(help="The mobile push channel.")] = None,
    data: Data = None,
) -> None:
    """Change an account; exports that are planned already do not notice."""
    with registry(data) as opened:
        opened.accounts.configure(
            account, timezone=timezone, language=language, mobile_push=mobile_push
        )


@app.command(epilog="Example: outhaul accounts block 665f1c0e9a3b5d7f00000001")
def block(
    account: Annotated[str, typer.Argument(help="The account's id.")], data: Data = None
) -> None:
    """Refuse all requests and file links of an account; its data stays."""
    with registry(data) as opened:
        opened.accounts.set_blocked(account, True)


@app.command(epilog="Example: outhaul accounts unblock 665f1c0e9a3b5d7f00000001")
def unblock(
    account: Annotated[str, typer.Argument(help="The account's id.")], data: Data = None
) -> None:
    """Let a blocked account in again."""
    with registry(data) as opened:
        opened.accounts.set_blocked(account, False)
