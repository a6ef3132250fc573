"""What commands that speak to a server share: where it is, the key, and how their failures exit."""

from typing import Annotated

import typer

from outhaul.client import (
    Client,
    ClientError,
    DownloadBroken,
    Forbidden,
    InvalidRequest,
    KeyRefused,
    NotUnderstood,
    Unreachable,
)

Url = Annotated[
    str, typer.Option("--url", envvar="OUTHAUL_URL", help="Such as https://exports.example.com.")
]
Key = Annotated[
    str,
    typer.Option(
        "--key",
        envvar="OUTHAUL_KEY",
        help="keyId:keySecret. Better given by the variable: options stand in the process list.",
    ),
]
NOT_WHOLE = 5
_STATUS: list[tuple[type[ClientError], int]] = [
    (InvalidRequest, 2),
    (Unreachable, 3),
    (NotUnderstood, 3),
    (KeyRefused, 4),
    (Forbidden, 4),
    (DownloadBroken, NOT_WHOLE),
]


def connect(url: str, key: str) -> Client:
    """A client. Raises BadParameter for an address that is none."""
    if not url.startswith(("http://", "https://")):
        raise typer.BadParameter(f"--url: {url!r} has to begin with http:// or https://")
    return Client(url, key)


def exit_status(error: ClientError) -> int:
    """The status that docs/command-line.md promises for this failure."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 1)
