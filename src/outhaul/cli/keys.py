"""`outhaul keys`: what programs identify themselves with."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from outhaul.auth.secrets import hash_secret, new_token
from outhaul.cli.options import Data, registry
from outhaul.domain.account import Scope
from outhaul.domain.audit import Action
from outhaul.domain.instants import to_text

app = typer.Typer(
    help="Create, list and revoke API keys.", no_args_is_help=True, rich_markup_mode=None
)


@app.command(
    epilog="Example: outhaul keys create 665f1c0e9a3b5d7f00000001"
    " --scope export:read --scope export:write"
)
def create(
    account: Annotated[str, typer.Argument(help="The account's id.")],
    scope: Annotated[list[Scope], typer.Option(help="What the key may do; repeat for more.")],
    data: Data = None,
) -> None:
    """Create a key and print it as keyId:keySecret. It is shown this once; only a hash is kept."""
    key_id, secret = new_token(), new_token()
    with registry(data) as opened:
        opened.keys.add(account, key_id=key_id, secret_hash=hash_secret(secret), scopes=scope)
        opened.audit.record(account, None, Action.KEY_CREATED, key_id)
    print(f"{key_id}:{secret}")


@app.command("list", epilog="Example: outhaul keys list --account 665f1c0e9a3b5d7f00000001")
def list_keys(
    account: Annotated[str | None, typer.Option(help="Only this account's.")] = None,
    data: Data = None,
) -> None:
    """List keys, without their secrets."""
    table = Table("key id", "account", "scopes", "created", "revoked")
    with registry(data) as opened:
        for key in opened.keys.all(account):
            revoked = "" if key.revoked_at is None else to_text(key.revoked_at)
            scopes = " ".join(sorted(key.scopes))
            table.add_row(key.id, key.account_id, scopes, to_text(key.created_at), revoked)
    Console(width=None if Console().is_terminal else 160).print(table)


@app.command(epilog="Example: outhaul keys revoke 5nX0aBcD...")
def revoke(
    key_id: Annotated[str, typer.Argument(help="The part of the key before the colon.")],
    data: Data = None,
) -> None:
    """Make a key useless from now on."""
    with registry(data) as opened:
        opened.keys.revoke(key_id)
        for key in opened.keys.all():
            if key.id == key_id:
                opened.audit.record(key.account_id, None, Action.KEY_REVOKED, key_id)
