"""Findings for people and for scripts."""

from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.text import Text

from outhaul.cli.as_json import print_json
from outhaul.domain.finding import Finding

_MARKS = {"ok": ("✓", "green"), "note": ("!", "yellow"), "wrong": ("✗", "red")}


def tell(findings: Sequence[Finding], *, as_json: bool) -> int:
    """Print the findings; the exit status: 1 when something is wrong, else 0."""
    wrong = sum(one.state == "wrong" for one in findings)
    if as_json:
        print_json({"wrong": wrong, "findings": [asdict(one) for one in findings]})
        return 1 if wrong else 0
    console = Console(soft_wrap=True, highlight=False)
    for one in findings:
        mark, colour = _MARKS[one.state]
        console.print(Text(f"{mark} ", style=colour) + Text(f"{one.part}: {one.text}"))
        if one.advice:
            console.print(Text(f"  → {one.advice}"))
    print("Something is wrong: see ✗ above." if wrong else "Nothing is wrong.")
    return 1 if wrong else 0
