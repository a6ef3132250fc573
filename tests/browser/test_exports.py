"""Exports in a real browser: what moves without reloading, and what can be done."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from outhaul.domain.account import Scope
from outhaul.domain.errors import FailureCause
from tests.browser.conftest import sign_in
from tests.browser.stage import OtherNode, Stage, stage


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One finished export; all later ones are worked on elsewhere."""
    with stage(tmp_path_factory.mktemp("console")) as opened:
        opened.site.api.export(version="v6")
        opened.site.rest()
        yield opened


def test_the_list_moves_without_reloading(scene: Stage, person: Page) -> None:
    """A new export appears, its rows, rate and time left change, and its end is told."""
    person.evaluate("window.still_here = true")
    node = OtherNode(scene.site, slices=4, slice_rows=10_000).begin()
    row = person.locator(f"#row-{node.export_id}")
    expect(row).to_contain_text("0 of 40,000")
    node.show(5000)
    expect(row).to_contain_text("5,000 of 40,000")
    node.write(1)
    expect(row).to_contain_text("10,000 of 40,000")
    expect(row).to_contain_text(re.compile(r"rows/s, .* left"))
    expect(row.get_by_role("progressbar")).to_have_attribute("value", "25")
    node.fail(FailureCause.STORAGE_FULL)
    expect(row).to_contain_text("No room for the file")
    expect(person.locator("#said")).to_have_text("Activities export: Failed")
    assert person.evaluate("window.still_here")


def test_focus_stays_while_the_list_moves(scene: Stage, person: Page) -> None:
    """Whoever walks through it by keyboard is not thrown out by a change."""
    node = OtherNode(scene.site, slices=4, slice_rows=10_000).begin()
    button = person.locator(f"#end-{node.export_id}")
    button.focus()
    node.write(2)
    expect(person.locator(f"#row-{node.export_id}")).to_contain_text("20,000 of 40,000")
    expect(button).to_be_focused()
    node.fail(FailureCause.INTERNAL)


def test_the_picture_of_the_slices_fills(scene: Stage, person: Page) -> None:
    """Each slice is a cell: waiting, being written, written; a screen reader gets the numbers."""
    node = OtherNode(scene.site, slices=6, slice_rows=10_000).begin()
    person.locator(f"#row-{node.export_id}").get_by_role(
        "link", name="Activities", exact=True
    ).click()
    cells = person.locator(".strip rect")
    expect(cells).to_have_count(6)
    expect(person.locator(".strip rect.running")).to_have_count(2)
    node.write(3)
    expect(person.locator(".strip rect.done")).to_have_count(3)
    expect(person.locator(".strip rect.running")).to_have_count(2)
    expect(person.get_by_role("img", name="Activities: 3 of 6 slices are written")).to_be_visible()
    node.fail(FailureCause.WORKER_LOST)
    expect(person.get_by_role("alert")).to_contain_text("The work stopped without a word")


def test_stopping_asks_first(scene: Stage, person: Page) -> None:
    """No keeps it, yes stops it; both by keyboard."""
    node = OtherNode(scene.site, slices=4).begin()
    row = person.locator(f"#row-{node.export_id}")
    row.get_by_role("button", name="Stop").press("Enter")
    expect(person.get_by_role("dialog")).to_contain_text("Stop this export?")
    expect(person.get_by_role("button", name="Keep it")).to_be_focused()
    person.keyboard.press("Escape")
    expect(person.get_by_role("dialog")).to_be_hidden()
    expect(row).to_be_visible()
    row.get_by_role("button", name="Stop").press("Enter")
    person.get_by_role("dialog").get_by_role("button", name="Stop").press("Enter")
    expect(person.get_by_text("The export is stopped.")).to_be_visible()
    expect(row).to_have_count(0)


def test_a_file_is_downloaded_by_clicking(person: Page, tmp_path: Path) -> None:
    """What arrives is a ZIP with every row; the manifest beside it names its digest."""
    row = person.get_by_role("row", name="Contacts").first
    with person.expect_download() as waiting:
        row.get_by_role("link", name="Download").click()
    assert waiting.value.suggested_filename.startswith("export-contacts-")
    with zipfile.ZipFile(waiting.value.path()) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    assert len(list(csv.DictReader(io.StringIO(text, newline="")))) == 4000
    row.get_by_role("link", name="Contacts", exact=True).click()
    with person.expect_download() as waiting:
        person.get_by_role("link", name="Manifest as JSON").click()
    proof = json.loads(Path(waiting.value.path()).read_text())
    expect(person.get_by_text(proof["archive"]["sha256"])).to_be_visible()


def test_copying_as_curl_fills_the_clipboard(scene: Stage, person: Page) -> None:
    """And says that it did."""
    person.context.grant_permissions(["clipboard-read", "clipboard-write"])
    row = person.get_by_role("row", name="Contacts").first
    row.get_by_role("button", name="Copy as curl").click()
    expect(person.locator("#said")).to_have_text("Copied.")
    copied = person.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"curl {scene.site.url}/exports/ ")
    assert '"exportType": "contacts"' in copied


def test_two_accounts_side_by_side(scene: Stage, new_person: Callable[..., Page]) -> None:
    """Each sees its own name and exports, at the same time, from the same server."""
    site = scene.site
    account = site.new_account("Second shop")
    first, second = new_person(), new_person()
    sign_in(first, site, site.address.key)
    sign_in(second, site, site.new_key(account=account))
    expect(first.get_by_role("navigation", name="Console")).to_contain_text("A shop")
    expect(second.get_by_role("navigation", name="Console")).to_contain_text("Second shop")
    expect(second.get_by_role("heading", name="No exports yet")).to_be_visible()
    expect(first.get_by_role("row", name="Contacts").first).to_be_visible()
    link = first.get_by_role("row", name="Contacts").first.get_by_role(
        "link", name="Contacts", exact=True
    )
    second.goto(f"{site.url}{link.get_attribute('href')}")
    expect(second.get_by_role("heading", name="There is no such export")).to_be_visible()


def test_a_session_that_expires_leads_to_the_sign_in_and_back(
    scene: Stage, new_person: Callable[..., Page]
) -> None:
    """The open page notices by itself; signing in again leads back to it."""
    site = scene.site
    key = site.new_key()
    page = new_person()
    sign_in(page, site, key)
    page.get_by_role("link", name=re.compile("^Finished")).click()
    expect(page.get_by_role("row", name="Contacts").first).to_be_visible()
    site.registry.keys.revoke(key.partition(":")[0])
    expect(page.get_by_text("Your session is over")).to_be_visible()
    page.get_by_label("API key").fill(site.address.key)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/console/exports?status=finished")
    expect(page.get_by_role("row", name="Contacts").first).to_be_visible()


def test_a_key_that_may_only_read_sees_no_buttons_that_change(
    scene: Stage, new_person: Callable[..., Page]
) -> None:
    """Download and copy stay."""
    page = new_person()
    sign_in(page, scene.site, scene.site.new_key(Scope.EXPORT_READ))
    row = page.get_by_role("row", name="Contacts").first
    expect(row.get_by_role("link", name="Download")).to_be_visible()
    expect(page.get_by_role("button", name="Delete")).to_have_count(0)
