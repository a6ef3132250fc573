"""Holds a page against axe's rules of accessibility."""

from pathlib import Path

from playwright.sync_api import Page

_AXE = Path(__file__).parent / "node" / "node_modules" / "axe-core" / "axe.min.js"


def violations(page: Page) -> list[str]:
    """Each rule that the page breaks, with the elements that break it."""
    assert _AXE.exists(), "axe is missing: run tests/browser/install.sh"
    page.evaluate(_AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {node['html'][:160]} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
