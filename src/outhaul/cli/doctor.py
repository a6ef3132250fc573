"""`outhaul doctor`: is this deployment well, and what is to be done if not?"""

from typing import Annotated

import typer
from pydantic import ValidationError

from outhaul.cli.as_json import AsJson
from outhaul.cli.checks import examine
from outhaul.cli.findings import tell
from outhaul.cli.options import Data, settings
from outhaul.domain.errors import UnsafeSettings
from outhaul.domain.finding import Finding


def doctor(
    url: Annotated[
        str | None, typer.Option(help="Where the server is, if not at its own settings' address.")
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> int:
    """Check a deployment, running or stopped, and say what to do. Changes nothing.

    Example: outhaul doctor --data /var/lib/outhaul

    Exit status 0: nothing is wrong; 1: something is. Run it as the server's user and with the
    server's settings.
    """
    try:
        findings = list(examine(settings(data=data), url))
    except ValidationError as error:
        findings = [
            Finding(
                part="settings",
                state="wrong",
                text=f"OUTHAUL_{str(one['loc'][0]).upper()}: {one['msg']}",
                advice="mend the variable or its line in .env; docs/operating.md has them all",
            )
            for one in error.errors()
        ]
    except UnsafeSettings as error:
        findings = [
            Finding(part="settings", state="wrong", text=str(error), advice="docs/operating.md")
        ]
    return tell(findings, as_json=as_json)
