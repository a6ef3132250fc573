"""A new export, made by clicking and by keyboard."""

import re

from playwright.sync_api import Page, expect

from tests.console_site import Site


def the_form(here: Site, person: Page) -> None:
    person.goto(f"{here.url}/console/exports")
    person.get_by_role("link", name="New export").first.click()
    person.get_by_role("radio", name="Activities").check()
    expect(person.locator("#window")).to_contain_text("31 days")


def test_fields_of_activities_show_only_for_activities(here: Site, person: Page) -> None:
    """Contacts have neither days nor types."""
    the_form(here, person)
    expect(person.get_by_label("First day")).to_be_visible()
    person.get_by_role("radio", name=re.compile("^Contacts")).check()
    expect(person.get_by_label("First day")).to_be_hidden()


def test_more_than_31_days_are_refused_while_choosing(here: Site, person: Page) -> None:
    """In the fields it is said and not sent; on the chart drawing stops at 31 days."""
    the_form(here, person)
    person.get_by_label("First day").fill("2026-09-20")
    person.get_by_label("Last day").fill("2026-10-21")
    said = person.locator("#window")
    expect(said).to_have_text("These are 32 days; an export has at most 31.")
    person.get_by_role("button", name="Start export").click()
    expect(person.get_by_label("Last day")).to_be_focused()
    expect(person.get_by_role("heading", name="New export")).to_be_visible()
    chart = person.locator("#days .u-over")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    person.mouse.move(box["x"] + 10, box["y"] + 40)
    person.mouse.down()
    person.mouse.move(box["x"] + box["width"] - 5, box["y"] + 40, steps=5)
    expect(said).to_have_text(re.compile(r"31 days, .* at most 31 days\."))
    person.mouse.up()
    person.get_by_role("button", name="Last 7 days").click()
    expect(said).to_have_text(re.compile(r"^7 days, [\d,]+ activities\.$"))


def test_types_show_what_the_chosen_days_hold(here: Site, person: Page) -> None:
    """The sum of the chosen types is what the estimate counts and the export has."""
    the_form(here, person)
    person.get_by_role("button", name="Last 7 days").click()
    counts = []
    for type_ in ("web-page-visited", "email-opened"):
        box = person.get_by_label(type_)
        box.press("Space")
        expect(box).to_be_checked()
        shown = person.locator(f"[data-count-of={type_}]").inner_text()
        counts.append(int(shown.replace(",", "")))
    assert all(counts)
    expect(person.locator("#window")).to_contain_text(f"{sum(counts):,} activities")
    person.get_by_role("button", name="Estimate").press("Enter")
    estimate = person.locator("#estimate")
    expect(estimate).to_contain_text(f"{sum(counts):,}")
    expect(estimate).to_contain_text("about")
    sample = person.get_by_role("region", name="First rows of activities")
    expect(sample.get_by_role("row")).to_have_count(11)
    person.get_by_role("button", name="Start export").press("Enter")
    expect(person.get_by_text("Finished", exact=True)).to_be_visible()
    expect(person.locator(".big")).to_have_text(f"{sum(counts):,}")


def test_segments_come_with_their_sizes(here: Site, person: Page) -> None:
    """And the one that is chosen stays chosen, and narrows the export."""
    the_form(here, person)
    person.get_by_role("radio", name=re.compile("^Contacts")).check()
    choice = person.get_by_label("Of whom")
    expect(choice).to_contain_text("All contacts, 4,")
    option = choice.locator("option", has_text="Returning customers").first
    name = option.inner_text()
    choice.select_option(label=name)
    person.get_by_role("button", name="Start export").click()
    expect(person.get_by_text("segment Returning customers")).to_be_visible()
    expect(person.get_by_text("Finished", exact=True)).to_be_visible()
    expect(person.locator(".big")).to_have_text(name.rpartition(", ")[2])


def the_columns(person: Page) -> list[str]:
    """Those that are to stand in the file, in their order."""
    group = person.get_by_role("group", name="Columns of contacts")
    names: list[str] = group.locator("ol li").all_inner_texts()
    return names


def test_columns_are_chosen_and_ordered_by_keyboard(here: Site, person: Page) -> None:
    """The estimate shows just them; the curl of the export names them in that order."""
    person.goto(f"{here.url}/console/exports/new")
    opener = person.get_by_text("Choose columns and their order")
    opener.focus()
    opener.press("Enter")
    group = person.get_by_role("group", name="Columns of contacts")
    find = group.get_by_label("Find a column")
    find.fill("email")
    expect(group.get_by_label("Birthdate", exact=True)).to_be_hidden()
    find.press("Enter")
    group.get_by_label("Email", exact=True).press("Space")
    find.fill("")
    for name in ("Name", "Surname"):
        group.get_by_label(name, exact=True).press("Space")
    assert the_columns(person) == ["Email", "Name", "Surname"]
    up = group.get_by_role("button", name="Up: Surname")
    up.press("Enter")
    expect(up).to_be_focused()
    expect(person.locator("#said")).to_have_text("Surname is column 2 of 3.")
    up.press("Enter")
    group.get_by_role("button", name="Remove: Email").press("Enter")
    assert the_columns(person) == ["Surname", "Name"]
    person.get_by_role("button", name="Estimate").press("Enter")
    heads = person.get_by_role("region", name="First rows of contacts").get_by_role("columnheader")
    expect(heads).to_have_text(["Surname", "Name"])
    # Another version has other headers and the same ids.
    person.get_by_label("Columns of version").select_option("v1")
    expect(group.get_by_label("Name", exact=True)).to_be_checked()
    assert the_columns(person) == ["Surname", "Name"]
    person.get_by_role("button", name="Start export").press("Enter")
    expect(person.get_by_text("Finished", exact=True)).to_be_visible()
    expect(person.locator("#curl-title ~ *, [aria-labelledby=curl-title] pre")).to_contain_text(
        re.compile(r'"columns": \[\s*"_surname",\s*"_name"\s*\]')
    )


def test_columns_are_dragged_into_their_order(here: Site, person: Page) -> None:
    """With all chosen, one is taken out and another put first."""
    person.goto(f"{here.url}/console/exports/new")
    person.get_by_text("Choose columns and their order").click()
    group = person.get_by_role("group", name="Columns of contacts")
    group.get_by_role("button", name="All", exact=True).click()
    before = the_columns(person)
    assert len(before) > 20
    rows = group.locator("ol li")
    rows.nth(2).drag_to(rows.nth(0), target_position={"x": 30, "y": 3})
    assert the_columns(person) == [before[2], before[0], before[1], *before[3:]]
    group.get_by_role("button", name="None", exact=True).click()
    assert the_columns(person) == []


def test_only_csv_has_a_delimiter(here: Site, person: Page) -> None:
    """What another format does not know is hidden, and it is said why."""
    person.goto(f"{here.url}/console/exports/new")
    expect(person.get_by_label("Delimiter")).to_be_visible()
    person.get_by_label("byte order mark").check()
    person.get_by_label("Format").select_option("JSON Lines")
    expect(person.get_by_label("Delimiter")).to_be_hidden()
    expect(person.get_by_text("are only for CSV")).to_be_visible()
    person.get_by_label("Packed in").select_option("Zstandard")
    person.get_by_role("button", name="Estimate").click()
    expect(person.get_by_role("region", name="First rows of contacts")).to_be_visible()
    person.get_by_role("button", name="Start export").click()
    expect(person.get_by_text("Finished", exact=True)).to_be_visible()
    expect(person.get_by_text(".jsonl", exact=False).first).to_be_visible()
    person.get_by_role("link", name="Export what has changed since").click()
    expect(person.get_by_label("Only what has changed since commit")).to_have_value(
        re.compile(r"^\d+$")
    )
