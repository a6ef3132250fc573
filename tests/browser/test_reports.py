"""A first report, made from a pattern and exported, by keyboard."""

import re

from playwright.sync_api import Page, expect

from tests.console_site import Site


def test_a_first_report_is_made_and_exported(here: Site, person: Page) -> None:
    """What stands in the form is what the file has; the days are refused while choosing."""
    person.goto(f"{here.url}/console/reports")
    person.get_by_role("link", name="Sales a day").press("Enter")
    rows = person.get_by_role("group", name="Rows")
    numbers = person.get_by_role("group", name="Numbers")
    expect(rows.locator("ol li")).to_have_text(["date"])
    numbers.get_by_label("Find a metric").fill("quantities")
    numbers.get_by_role("checkbox", name="totalPurchaseQuantity").press("Space")
    numbers.get_by_role("button", name="Remove: numberOfBuyers").press("Enter")
    up = numbers.get_by_role("button", name="Up: totalPurchaseQuantity")
    up.press("Enter")
    expect(person.locator("#said")).to_have_text("totalPurchaseQuantity is metric 2 of 3.")
    person.get_by_role("button", name="Make the report").press("Enter")
    expect(person.get_by_role("status").first).to_contain_text("The report is saved.")
    person.get_by_role("link", name="Export Sales a day").press("Enter")
    said = person.locator("#window")
    expect(said).to_contain_text("31 days")
    # The chart is of purchases, the only activities that this report has.
    expect(said).to_have_text(re.compile(r"^31 days, \d{3} activities\.$"))
    person.get_by_label("First day").fill("2026-09-29")
    person.get_by_label("Last day").fill("2026-10-31")
    expect(said).to_have_text("These are 33 days; an export has at most 32.")
    person.get_by_role("button", name="Start export").press("Enter")
    expect(person.get_by_label("Last day")).to_be_focused()
    person.get_by_label("First day").fill("2026-10-01")
    person.get_by_role("button", name="Start export").press("Enter")
    expect(person.get_by_text("Finished", exact=True)).to_be_visible()
    expect(person.get_by_text("Sales a day").first).to_be_visible()
    expect(person.locator(".big")).to_have_text("31")
