"""The whole job by clicking: from files dropped on the page to an opened ZIP."""

import base64
import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.console_site import Site, site

CONTACTS = """_email,_name,tier
ana@example.com,"Ana ""la"" jefa",gold
no email here,Bob,silver
zoe@example.com,Zoé,gold
eve@example.com,Eve,
"""
ACTIVITIES = """type,createdAt,email,searchText
search,2026-10-05T09:00:00Z,ana@example.com,tents
search,2026-10-06T09:00:00Z,zoe@example.com,"rope, 10 m"
login,2026-10-07T09:00:00Z,eve@example.com,
login,2026-09-01T09:00:00Z,ana@example.com,
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An account that has nothing yet."""
    with site(tmp_path_factory.mktemp("console") / "data", rate_limit=100_000) as opened:
        yield opened


def drop(page: Page, name: str, text: str) -> None:
    """What the mouse does with a file from another window."""
    content = base64.b64encode(text.encode()).decode()
    transfer = page.evaluate_handle(
        """([name, content]) => {
            const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], name));
            return transfer;
        }""",
        [name, content],
    )
    for event in ("dragenter", "dragover", "drop"):
        page.locator("#drop").dispatch_event(event, {"dataTransfer": transfer})


def test_from_dropped_files_to_an_opened_archive(
    here: Site, new_person: Callable[..., Page]
) -> None:
    """Contacts with a refused row, activities, a segment by a rule, an export of it, its file."""
    page = new_person()
    sign_in(page, here, here.address.key)
    frame = page.get_by_role("navigation", name="Console")

    frame.get_by_role("link", name="Imports").click()
    expect(page.get_by_role("heading", name="No imports yet")).to_be_visible()
    drop(page, "contacts.csv", CONTACTS)
    expect(page.get_by_role("heading", name="Import of contacts")).to_be_visible()
    expect(page.get_by_text("Finished", exact=True)).to_be_visible()
    expect(page.get_by_role("row", name="3 _email must be an email address")).to_be_visible()

    frame.get_by_role("link", name="Imports").click()
    page.get_by_label("What the file holds").select_option("activities")
    drop(page, "activities.csv", ACTIVITIES)
    expect(page.get_by_role("heading", name="Import of activities")).to_be_visible()
    expect(page.get_by_text("Finished", exact=True)).to_be_visible()
    expect(page.locator(".big").first).to_have_text("4")

    frame.get_by_role("link", name="Segments").click()
    page.get_by_role("link", name="Make the first one").click()
    page.get_by_label("Name").fill("Gold")
    page.get_by_label("Condition 1", exact=True).select_option("tier")
    page.get_by_label("Comparison").select_option("equals")
    page.get_by_label("Value").fill("gold")
    page.get_by_role("button", name="Count").click()
    expect(page.locator("#found")).to_have_text("2 contacts now")
    page.get_by_role("button", name="Make the segment").click()
    expect(page.get_by_role("row", name="Gold dynamic 2")).to_be_visible()
    page.get_by_role("link", name="Export Gold").click()

    page.get_by_role("radio", name="Activities").check()
    expect(page.get_by_label("Of whom")).to_contain_text("Gold, 2")
    page.get_by_label("First day").fill("2026-10-01")
    page.get_by_label("Last day").fill("2026-10-31")
    expect(page.locator("#window")).to_have_text("31 days, 3 activities.")
    page.get_by_role("button", name="Estimate").click()
    expect(page.locator("#estimate .big")).to_have_text("2")
    expect(page.get_by_role("cell", name="rope, 10 m")).to_be_visible()
    page.get_by_role("button", name="Start export").click()

    expect(page.get_by_text("Finished", exact=True)).to_be_visible()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download").first.click()
    with zipfile.ZipFile(Path(waiting.value.path())) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        text = archive.read(names[0]).decode()
    assert [name.endswith(".csv") for name in names] == [True, True]
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [(row["Email"], row["Search text"]) for row in rows] == [
        ("ana@example.com", "tents"),
        ("zoe@example.com", "rope, 10 m"),
    ]


def test_a_file_that_cannot_be_taken_says_so_where_it_was_dropped(
    here: Site, new_person: Callable[..., Page]
) -> None:
    """The page stays, and the next file is taken."""
    page = new_person()
    sign_in(page, here, here.address.key)
    page.goto(f"{here.url}/console/imports")
    drop(page, "contacts.docx", "nothing")
    expect(page.get_by_role("alert")).to_contain_text("must end in .csv")
    page.locator("#file").set_input_files(
        {"name": "more.csv", "mimeType": "text/csv", "buffer": b"_email\nmax@example.com\n"}
    )
    expect(page.get_by_role("heading", name="Import of contacts")).to_be_visible()
    expect(page.get_by_text("Finished", exact=True)).to_be_visible()


def test_a_rule_that_rows_cannot_show_is_edited_as_json(
    here: Site, new_person: Callable[..., Page]
) -> None:
    """What rows can show they show; the JSON is what counts."""
    page = new_person()
    sign_in(page, here, here.address.key)
    page.goto(f"{here.url}/console/segments/new")
    page.get_by_text("As JSON", exact=True).click()
    text = page.get_by_label("Rule as JSON")
    text.fill('{"any": [{"not": {"activity": "login", "lastDays": 9}}]}')
    text.blur()
    expect(page.get_by_label("Holds or not")).to_have_value("not")
    expect(page.get_by_label("Condition 1", exact=True)).to_have_value("did:login")
    text.fill('{"all": [{"any": [{"field": "_email", "is": "exists", "value": true}]}]}')
    text.blur()
    expect(page.locator("#editor")).to_be_hidden()
    page.get_by_role("button", name="Count").click()
    expect(page.locator("#found")).to_contain_text("contacts now")


def test_contacts_are_found_while_typing(here: Site, new_person: Callable[..., Page]) -> None:
    """Without a reload; the contact's page shows its activities."""
    page = new_person()
    sign_in(page, here, here.address.key)
    page.goto(f"{here.url}/console/contacts")
    search = page.get_by_role("searchbox")
    search.press_sequentially("zoe@")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(search).to_be_focused()
    page.get_by_role("link", name="zoe@example.com").click()
    expect(page.get_by_text("Search text: rope, 10 m")).to_be_visible()
