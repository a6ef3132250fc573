"""The console's door: who gets in, for how long, and what other sites cannot do."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from outhaul.auth.sessions import sign_session
from outhaul.catalog.keys import LinkKeys
from outhaul.console.shield import POLICY
from outhaul.domain.account import Scope
from tests.console_site import Site, Visitor, site, words

FOREIGN = {"sec-fetch-site": "cross-site"}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("console") / "data", rate_limit=1) as opened:
        yield opened


@pytest.fixture(scope="module")
def export_id(here: Site) -> str:
    """A finished export of the first account."""
    visitor = here.visitor()
    asked = {"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"}
    made = here.api.done("POST", "/exports/", 201, json=asked)
    end = time.monotonic() + 30
    while "Finished" not in words(visitor.page(f"/exports/{made['id']}")):
        assert time.monotonic() < end
        time.sleep(0.02)  # The poll of the page.
    return str(made["id"])


def test_without_a_session_every_page_leads_to_the_sign_in(here: Site) -> None:
    """And back to where one wanted to go."""
    stranger = Visitor(here.url)
    assert stranger.ask("GET", "/console").headers["location"] == f"{here.url}/console/"
    assert stranger.get("/").headers["location"] == "/console/exports"
    answer = stranger.get("/exports", params={"status": "failed"})
    assert answer.status_code == 303
    wanted = "%2Fconsole%2Fexports%3Fstatus%3Dfailed"
    assert answer.headers["location"] == f"/console/sign-in?next={wanted}"
    back = stranger.sign_in(here.address.key, next="/console/exports?status=failed")
    assert (back.status_code, back.headers["location"]) == (303, "/console/exports?status=failed")
    assert "No exports yet" in words(stranger.page("/exports?status=failed"))


@pytest.mark.parametrize("wrong", ["", "nokey", "unknown:secret", "ö:ü", "a" * 5000])
def test_a_wrong_key_is_told_so_and_nothing_more(here: Site, wrong: str) -> None:
    """An unknown key and a wrong secret look the same, and no cookie is set."""
    known = here.address.key.partition(":")[0] + ":wrong"
    answers = [Visitor(here.url).sign_in(key) for key in (wrong, known)]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].text == answers[1].text
    assert "no key of this server" in answers[0].text
    assert "set-cookie" not in answers[0].headers


def test_the_cookie_is_for_the_console_only_and_out_of_reach_of_scripts(here: Site) -> None:
    """And it does not hold the secret."""
    answer = Visitor(here.url).sign_in(here.address.key)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/console/" in cookie
    assert "Secure" not in cookie
    assert here.address.key.partition(":")[2] not in cookie


def test_behind_https_the_cookie_is_secure_and_links_keep_the_prefix(tmp_path: Path) -> None:
    """The public address decides, whatever the request says."""
    with site(tmp_path / "data", public_url="https://shop.example/outhaul") as opened:
        answer = Visitor(opened.url).sign_in(opened.address.key)
    assert "Secure" in answer.headers["set-cookie"]
    assert "Path=/outhaul/console/" in answer.headers["set-cookie"]
    assert answer.headers["location"] == "/outhaul/console/exports"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/console/",
        "/console/\\evil",
        "javascript:alert(1)",
        "/docs",
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in(here: Site, elsewhere: str) -> None:
    """An address that is no page of the console leads to the first page."""
    answer = Visitor(here.url).sign_in(here.address.key, next=elsewhere)
    assert answer.headers["location"] == "/console/exports"


def test_pages_do_not_count_against_the_limit_of_the_key(here: Site) -> None:
    """With one request a minute allowed, a person may still look around."""
    visitor = here.visitor()
    for _ in range(5):
        answer = visitor.get("/exports")
        assert answer.status_code == 200
        assert not [name for name in answer.headers if "ratelimit" in name.lower()]


def test_every_answer_forbids_what_is_not_in_the_package(here: Site, export_id: str) -> None:
    """Pages, errors, files of the package and redirects alike; and nothing is written inline."""
    visitor = here.visitor()
    for path in ("/", "/sign-in", "/exports", f"/exports/{export_id}", "/nothing", "/assets/no"):
        answer = visitor.get(path)
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", answer.text) == []
    assert "unsafe" not in POLICY
    for path in re.findall(r'(?:src|href)="(/console/assets/[^"]+)"', visitor.page("/exports")):
        asset = visitor.ask("GET", path)
        assert asset.status_code == 200
        assert "immutable" in asset.headers["cache-control"]
        assert asset.headers["content-security-policy"] == POLICY


def test_a_form_without_the_token_changes_nothing(here: Site, export_id: str) -> None:
    """No token, a token of another session, one that is no token."""
    visitor, other = here.visitor(), here.visitor()
    for token in ("", other.token(), "é"):
        answer = visitor.post(f"/exports/{export_id}/delete", data={"token": token})
        assert answer.status_code == 403
        assert "not of your session" in answer.text
    assert visitor.get(f"/exports/{export_id}").status_code == 200


def test_what_another_site_sends_is_refused(here: Site, export_id: str) -> None:
    """Told by the browser's own words, on old browsers by the origin; for signing in too."""
    visitor = here.visitor()
    fields = {"token": visitor.token(), "key": here.address.key}
    for headers in (FOREIGN, {"origin": "https://evil.example"}):
        for path in (f"/exports/{export_id}/delete", "/sign-in", "/sign-out"):
            answer = visitor.post(path, data=fields, headers=headers)
            assert answer.status_code == 403, path
            assert "another site" in answer.text
    assert visitor.get(f"/exports/{export_id}").status_code == 200


def test_a_form_that_is_none_or_endless_is_refused(here: Site) -> None:
    """415 and 413, as a page that says so."""
    visitor = here.visitor()
    assert visitor.post("/sign-out", json={}).status_code == 415
    headers = {"content-type": "application/x-www-form-urlencoded"}
    long = visitor.post("/sign-in", content=b"a" * 1_000_001, headers=headers)
    assert long.status_code == 413
    many = visitor.post("/sign-in", content=b"a=b&" * 3000, headers=headers)
    assert many.status_code == 400


def test_a_key_sees_and_does_what_its_scopes_say(here: Site, export_id: str) -> None:
    """Without the scope a page says which one is missing; without write there is no button."""
    reader = here.visitor(here.new_key(Scope.EXPORT_READ))
    page = reader.page(f"/exports/{export_id}")
    assert "Download" in words(page)
    assert "/delete" not in page
    assert "/delete" in here.visitor().page(f"/exports/{export_id}")
    refused = reader.send(f"/exports/{export_id}/delete")
    assert refused.status_code == 403
    assert "lacks the scope export:write" in words(refused.text)
    stranger = here.visitor(here.new_key(Scope.EVENT_WRITE))
    refused = stranger.get("/exports")
    assert refused.status_code == 403
    assert "outhaul keys create ACCOUNT --scope export:read" in words(refused.text)
    assert reader.get(f"/exports/{export_id}").status_code == 200


def test_signing_out_forgets_the_session(here: Site) -> None:
    """The next page is the sign-in."""
    visitor = here.visitor()
    answer = visitor.send("/sign-out")
    assert answer.headers["location"] == "/console/sign-in?note=out"
    assert "You are signed out." in words(visitor.page("/sign-in?note=out"))
    assert visitor.get("/exports").status_code == 303


def test_revoking_the_key_ends_its_sessions_at_once(here: Site) -> None:
    """And blocking the account shows why."""
    account = here.new_account("Another shop")
    key = here.new_key(account=account)
    visitor = here.visitor(key)
    here.registry.accounts.set_blocked(account.id, True)
    assert visitor.get("/exports").status_code == 403
    assert "blocked" in visitor.get("/exports").text
    assert Visitor(here.url).sign_in(key).status_code == 403
    here.registry.accounts.set_blocked(account.id, False)
    assert visitor.get("/exports").status_code == 200
    here.registry.keys.revoke(key.partition(":")[0])
    assert visitor.get("/exports").status_code == 303


def test_a_session_ends_at_its_time(here: Site) -> None:
    """A page is led to the sign-in; a part of an open page makes the whole page go there."""
    key = list(LinkKeys(here.registry.database).ring().values())[-1]
    key_id = here.address.key.partition(":")[0]
    visitor = Visitor(here.url)
    now = int(time.time())
    for expires, status in ((now + 60, 200), (now - 1, 303)):
        signed = sign_session(key_id, key=key, expires=expires)
        visitor.cookies.set("outhaul_session", signed)
        assert visitor.get("/exports").status_code == status
    assert "note=ended" in visitor.get("/exports").headers["location"]
    headers = {"hx-request": "true", "hx-current-url": f"{here.url}/console/exports?page=2"}
    part = visitor.get("/exports", headers=headers)
    assert part.status_code == 401
    assert part.headers["hx-redirect"] == (
        "/console/sign-in?note=ended&next=%2Fconsole%2Fexports%3Fpage%3D2"
    )


def test_an_altered_session_is_none(here: Site) -> None:
    """Every character of it counts."""
    visitor = here.visitor()
    signed = visitor.cookies["outhaul_session"]
    for place in (0, len(signed) // 3, len(signed) // 2, len(signed) - 1):
        other = "1" if signed[place] != "1" else "2"
        altered = signed[:place] + other + signed[place + 1 :]
        answer = httpx.get(
            f"{here.url}/console/exports", headers={"cookie": f"outhaul_session={altered}"}
        )
        assert answer.status_code == 303, altered


def test_another_accounts_export_is_not_there(here: Site, export_id: str) -> None:
    """Two accounts side by side see nothing of each other."""
    key = here.new_key(account=here.new_account("A third shop"))
    other = here.visitor(key)
    assert "No exports yet" in words(other.page("/exports"))
    for path in ("", "/download", "/manifest"):
        assert other.get(f"/exports/{export_id}{path}").status_code == 404
    assert other.send(f"/exports/{export_id}/delete").status_code == 404
    assert here.visitor().get(f"/exports/{export_id}").status_code == 200
