"""Every page, light, dark and on a phone: accessible, whole, without a complaint."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from outhaul.domain.errors import FailureCause
from tests.browser.axe import violations
from tests.browser.conftest import sign_in
from tests.browser.pictures import take_picture
from tests.browser.stage import OCTOBER, OtherNode, Stage, remember

MOST_MS = 200
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "color_scheme": "light",
        "has_touch": True,
    },
}
PAGES = {
    "exports": "/exports",
    "new-export": "/exports/new?type=activities",
    "new-export-columns": "/exports/new",
    "export-running": "/exports/{running}",
    "export-finished": "/exports/{finished}",
    "export-failed": "/exports/{failed}",
    "reports": "/reports",
    "report": "/reports/{report}",
    "report-export": "/reports/{report}/export",
    "contacts": "/contacts",
    "contact": "/contacts/{contact}",
    "activities": "/activities",
    "segments": "/segments",
    "segment": "/segments/{segment}",
    "segment-static": "/segments/{static}",
    "fields": "/fields",
    "imports": "/imports",
    "import": "/imports/{import}",
    "keys": "/keys",
    "audit": "/audit",
    "usage": "/usage",
    "health": "/health",
}


@dataclass
class Shown:
    """Exports in every state; one of them gets on while it is looked at."""

    ids: dict[str, str]
    running: OtherNode
    rows: int = 100_000


@pytest.fixture(scope="module")
def shown(scene: Stage) -> Shown:
    """Exports in every state."""
    api, shop = scene.site.api, scene.shop
    filters = OCTOBER | {"segmentId": shop.large_segment_id}
    api.export(version="v6", dateFormat="L")
    types = ["purchase", "web-page-visited", "email-opened", "cart-abandoned"]
    api.export(exportType="activities", filters=OCTOBER | {"activityTypes": types})
    finished = api.export(exportType="activities", version="v6", filters=filters)
    rule = {
        "all": [
            {"field": "tier", "is": "equals", "value": "gold"},
            {"activity": "purchase", "atLeast": 1, "lastDays": 90},
        ]
    }
    segment = api.done("POST", "/segments/", 201, json={"name": "Gold, bought", "rule": rule})
    sales = {
        "name": "Daily sales",
        "dimensions": ["date"],
        "metrics": ["numberOfPurchases", "totalPurchaseAmount", "numberOfBuyers"],
    }
    report = api.done("POST", "/reports/", 201, json=sales)
    emails = {
        "dimensions": ["emailName"],
        "metrics": ["numberOfEmailsSent", "numberOfEmailsOpened"],
    }
    api.done("POST", "/reports/", 201, json=emails | {"name": "Emails by content"})
    file = {"file": ("c.csv", b"_email,_name\nana@example.com,Ana\nno email,Bob\n", "text/csv")}
    taken = api.done("POST", "/imports/", 201, data={"type": "contacts"}, files=file)
    api.until(f"/imports/{taken['id']}", "finished")
    remember(scene.site, 58)
    scene.site.rest()
    failed = OtherNode(scene.site).begin()
    failed.write(3)
    failed.fail(FailureCause.STORAGE_FULL)
    running = OtherNode(scene.site).begin()
    running.write(12)
    ids = {"running": running.export_id, "finished": finished["id"], "failed": failed.export_id}
    ids |= {"static": shop.large_segment_id, "segment": segment["id"], "import": taken["id"]}
    ids["report"] = report["id"]
    ids["contact"] = api.done("GET", "/contacts/ana@example.com", 200)["id"]
    return Shown(ids=ids, running=running)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_and_whole(
    name: str, look: str, scene: Stage, shown: Shown, new_person: Callable[..., Page]
) -> None:
    """No rule of axe is broken, nothing sticks out at the side, every control has a name."""
    page = new_person(**LOOKS[look])
    sign_in(page, scene.site, scene.site.address.key)
    page.goto(f"{scene.site.url}/console{PAGES[name].format(**shown.ids)}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    if name in {"exports", "export-running"}:
        shown.rows += 9000
        shown.running.show(shown.rows)
        expect(page.get_by_text("rows/s")).to_be_visible()
    if name == "new-export":
        expect(page.locator("#window")).to_contain_text("31 days")
        expect(page.get_by_label("Of whom")).to_contain_text("4,0")
    if name == "report-export":
        expect(page.locator("#window")).to_contain_text("31 days")
    if name == "new-export-columns":
        page.get_by_text("Choose columns and their order").click()
        for column in ("Email", "Surname", "Name"):
            page.get_by_label(column, exact=True).check()
        page.get_by_role("button", name="Estimate").click()
        expect(page.get_by_role("region", name="First rows of contacts")).to_be_visible()
        page.get_by_label("Format").evaluate("element => element.scrollIntoView()")
    if name == "segments":
        expect(page.locator("main").get_by_text("…")).to_have_count(0)
    take_picture(page, f"{name}-{look}")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("look", LOOKS)
def test_signing_in_is_accessible(look: str, scene: Stage, new_person: Callable[..., Page]) -> None:
    """Also with a wrong key, which is told to screen readers."""
    page = new_person(**LOOKS[look])
    page.goto(f"{scene.site.url}/console/")
    take_picture(page, f"sign-in-{look}")
    assert violations(page) == []
    page.get_by_label("API key").fill("no:key")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("no key of this server")
    assert violations(page) == []


@pytest.mark.parametrize("look", ["light", "dark"])
def test_an_empty_list_and_an_error_are_accessible(
    look: str, scene: Stage, new_person: Callable[..., Page]
) -> None:
    """Both say what to do next."""
    site = scene.site
    page = new_person(**LOOKS[look])
    sign_in(page, site, site.new_key(account=site.new_account("New here")))
    expect(page.get_by_role("heading", name="No exports yet")).to_be_visible()
    take_picture(page, f"empty-{look}")
    assert violations(page) == []
    page.goto(f"{site.url}/console/reports")
    expect(page.get_by_role("heading", name="No reports yet")).to_be_visible()
    take_picture(page, f"empty-reports-{look}")
    assert violations(page) == []
    page.goto(f"{site.url}/console/exports/{'0' * 24}")
    expect(page.get_by_role("link", name="Go to the exports")).to_be_visible()
    take_picture(page, f"error-{look}")
    assert violations(page) == []


def test_the_first_page_is_small_and_quick(scene: Stage, new_person: Callable[..., Page]) -> None:
    """All that a browser fetches is less than 100 kB, and there within 200 ms on loopback."""
    page = new_person()
    timing = "performance.getEntriesByType('navigation')[0].loadEventEnd"
    sizes = "performance.getEntries().map((one) => one.decodedBodySize || 0)"
    for path in ("/sign-in", "/exports"):
        if path == "/exports":
            sign_in(page, scene.site, scene.site.address.key)
        took = [MOST_MS]
        # One quick load shows that it can be: a busy machine makes others slow.
        while min(took) >= MOST_MS and len(took) <= 10:
            page.goto(f"{scene.site.url}/console{path}", wait_until="load")
            page.wait_for_function(f"{timing} > 0")
            took.append(page.evaluate(timing))
            fetched = page.evaluate(sizes)
            assert len([size for size in fetched if size]) >= 3
            assert sum(fetched) < 100_000, fetched
        assert min(took) < MOST_MS, took
