"""Keys and charts in a real browser."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.console_site import Site


def test_a_key_is_made_by_clicking_and_opens_what_it_says(here: Site, person: Page) -> None:
    """It is shown once with a button that copies it; revoking asks first."""
    person.context.grant_permissions(["clipboard-read", "clipboard-write"])
    person.goto(f"{here.url}/console/keys")
    person.get_by_role("checkbox", name=re.compile("^export:read")).check()
    person.get_by_role("button", name="Make the key").click()
    made = person.locator(".made")
    expect(made).to_contain_text("It is shown this once")
    made.get_by_role("button", name="Copy").click()
    expect(person.locator("#said")).to_have_text("Copied.")
    key = person.evaluate("navigator.clipboard.readText()")
    person.goto(f"{here.url}/console/keys")
    row = person.get_by_role("row", name=key.partition(":")[0])
    row.get_by_role("button", name="Revoke").click()
    person.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(person.get_by_text("The key opens nothing from now on.")).to_be_visible()
    expect(row).to_contain_text("Revoked")
    person.get_by_role("button", name="Sign out").click()
    person.get_by_label("API key").fill(key)
    person.get_by_role("button", name="Sign in").click()
    expect(person.get_by_role("alert")).to_contain_text("no key of this server")
    sign_in(person, here, here.address.key)


def test_charts_of_usage_are_drawn_and_told_in_a_table(here: Site, person: Page) -> None:
    """A chart each for rows, bytes and time; the table says the same to a screen reader."""
    export = here.api.export()
    person.goto(f"{here.url}/console/usage")
    expect(person.locator(".chart canvas")).to_have_count(3)
    row = person.locator("tbody tr").first
    expect(row).to_contain_text(f"{export['total']:,}")
    expect(person.get_by_role("img", name="Rows a day, as in the table below")).to_be_visible()
