"""The audit log over HTTP."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outhaul.domain.account import Scope
from outhaul.domain.audit import Action
from tests.acceptance.conftest import run
from tests.api_client import Client
from tests.api_server import Address
from tests.console_site import Site, site

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("audit") / "data", rate_limit=100_000) as opened:
        yield opened


def client(here: Site, key: str) -> Client:
    address = here.address
    return Client(Address(host=address.host, port=address.port, key=key))


def entries(api: Client, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.done("GET", f"/audit/{query}", 200)["results"]
    return found


def test_what_was_done_is_told_to_programs(here: Site) -> None:
    """In the console and on the command line: newest first, with the key and the id of what it was
    done to; calls of the API, this one too, make no entry."""
    account = here.new_account("Told")
    key = here.new_key(account=account)
    visitor = here.visitor(key)
    sent = [("name", "Sales"), ("metric", "numberOfPurchases")]
    assert visitor.send("/reports", sent).status_code == 303
    made = run("keys", "create", account.id, "--scope", "export:read", "--data", here.data).stdout
    api = client(here, key)
    found = entries(api)
    report = api.done("GET", "/reports/", 200)["results"][0]
    told = [(one["action"], one["subject"], one.get("keyId")) for one in found]
    key_id = key.partition(":")[0]
    assert told[0] == ("keyCreated", told[0][1], None)
    assert told[0][1] in made
    assert told[1:] == [("reportSaved", report["id"], key_id), ("signedIn", key_id, key_id)]
    assert all(INSTANT.fullmatch(one["at"]) for one in found)
    assert entries(api) == found


def test_pages_follow_their_links(here: Site) -> None:
    """Each entry is on exactly one page; links lead forth and back, to the public address."""
    account = here.new_account("Paged")
    for action in (Action.KEY_CREATED, Action.KEY_REVOKED, Action.FIELD_ADDED):
        here.registry.audit.record(account.id, None, action, action.value)
    api = client(here, here.new_key(account=account))
    first = api.done("GET", "/audit?pageSize=2", 200)
    assert [one["subject"] for one in first["results"]] == ["fieldAdded", "keyRevoked"]
    assert first["links"] == {"next": f"{here.url}/audit/?page=2&pageSize=2"}
    second = api.done("GET", first["links"]["next"].removeprefix(here.url), 200)
    assert [one["subject"] for one in second["results"]] == ["keyCreated"]
    assert second["links"] == {"prev": f"{here.url}/audit/?page=1&pageSize=2"}
    beyond = api.done("GET", "/audit/?page=3&pageSize=2", 200)
    assert beyond["results"] == []
    faults = api.faults("GET", "/audit/?page=0&pageSize=101")
    assert set(faults) == {"/page", "/pageSize"}


def test_only_an_admin_reads_it_and_only_of_its_account(here: Site) -> None:
    """All other scopes together are not enough; nobody sees what others did."""
    mine, other = here.new_account("Mine"), here.new_account("Other")
    here.registry.audit.record(other.id, None, Action.KEY_CREATED, "secret of the other")
    everything = client(here, here.new_key(*(set(Scope) - {Scope.ADMIN}), account=other))
    refused = everything.ask("GET", "/audit/")
    assert refused.status_code == 403
    assert "lacks the scope admin" in refused.json()["detail"]
    assert entries(client(here, here.new_key(Scope.ADMIN, account=mine))) == []
    assert len(entries(client(here, here.new_key(Scope.ADMIN, account=other)))) == 1
    assert client(here, "no:key").ask("GET", "/audit/").status_code == 401


def test_every_action_stands_in_the_documentation() -> None:
    """Programs compare with these words."""
    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    listed = text.partition("`action` is one of ")[2].partition(".\n")[0]
    assert listed.replace("`", "").split(", ") == [action.value for action in Action]
