"""A real chromium, and a server with something to show."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.browser.stage import Stage, stage
from tests.console_site import Site

WAIT_MS = 20_000
expect.set_options(timeout=WAIT_MS)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    program = shutil.which("chromium")
    assert program, "chromium is missing: run tests/browser/install.sh"
    # Its sandbox needs rights that a container does not give.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    browser = playwright.chromium.launch(executable_path=program, args=sandbox)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A server that the tests of a file share."""
    with stage(tmp_path_factory.mktemp("console")) as opened:
        yield opened


@pytest.fixture
def here(scene: Stage) -> Site:
    return scene.site


@pytest.fixture
def new_person(chromium: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Opens browsers of their own; whatever a page complains of fails the test."""
    opened: list[BrowserContext] = []
    complaints: list[str] = []

    def open_one(**options: Any) -> Page:
        context = chromium.new_context(**options)
        context.set_default_timeout(WAIT_MS)
        opened.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if _is_fault(said) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_one
    for context in opened:
        context.close()
    assert complaints == []


@pytest.fixture
def person(here: Site, new_person: Callable[..., Page]) -> Page:
    """Somebody signed in who sees the exports."""
    page = new_person()
    sign_in(page, here, here.address.key)
    return page


def sign_in(page: Page, here: Site, key: str) -> None:
    """As a person does it."""
    page.goto(f"{here.url}/console/")
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/console/exports")


def _is_fault(said: Any) -> bool:
    # An answer with an error status is what some tests are after; all else is ours.
    return said.type in {"error", "warning"} and "Failed to load resource" not in said.text
