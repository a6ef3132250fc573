"""`outhaul doctor`: is this deployment well, and what is to be done if not?"""

from dataclasses import asdict
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from outhaul.cli.checks import Finding, examine
from outhaul.cli.options import Data, settings
from outhaul.cli.remote import AsJson, print_json
from outhaul.domain.errors import UnsafeSettings

_MARKS = {"ok": ("✓", "green"), "note": ("!", "yellow"), "wrong": ("✗", "red")}


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
    wrong = sum(one.state == "wrong" for one in findings)
    if as_json:
        print_json({"wrong": wrong, "findings": [asdict(one) for one in findings]})
    else:
        _show(findings)
        print("Something is wrong: see ✗ above." if wrong else "Nothing is wrong.")
    return 1 if wrong else 0


def _show(findings: list[Finding]) -> None:
    console = Console(soft_wrap=True, highlight=False)
    for one in findings:
        mark, colour = _MARKS[one.state]
        console.print(Text(f"{mark} ", style=colour) + Text(f"{one.part}: {one.text}"))
        if one.advice:
            console.print(Text(f"  → {one.advice}"))
