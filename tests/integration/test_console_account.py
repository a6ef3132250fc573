"""The pages of the account, as the server makes them."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from outhaul.catalog.tally import Tallies
from outhaul.domain.account import Scope
from outhaul.exports.usage import Usage
from tests.acceptance.conftest import run
from tests.console_site import Site, Visitor, site, words


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("console") / "data", rate_limit=100_000) as opened:
        opened.api.done("PATCH", "/contacts/ana@x.example", 201, json={"_name": "Ana"})
        yield opened


@pytest.fixture
def visitor(here: Site) -> Visitor:
    return here.visitor()


def test_a_key_is_made_shown_once_and_revoked(here: Site, visitor: Visitor) -> None:
    """It opens just what its scopes say, until it is revoked."""
    answer = visitor.send("/keys", [("scope", "export:read"), ("scope", "segment:read")])
    found = re.search(r"\b\w{22}:\w{22}\b", words(answer.text))
    assert found
    key = found[0]
    assert key not in visitor.page("/keys")
    assert "export:read, segment:read" in words(visitor.page("/keys"))
    other = here.visitor(key)
    assert other.get("/segments").status_code == 200
    assert other.get("/fields").status_code == 403
    key_id = key.partition(":")[0]
    assert visitor.send("/keys/revoke", [("key", key_id)]).status_code == 303
    assert other.get("/segments").status_code == 303
    assert visitor.send("/keys/revoke", [("key", key_id)]).status_code == 404


def test_a_key_needs_scopes_that_exist(visitor: Visitor) -> None:
    """Without any nothing is made, and it is said."""
    before = visitor.page("/keys").count("In use")
    for fields in ([], [("scope", "everything")]):
        answer = visitor.send("/keys", fields)
        assert answer.status_code == 422
        assert "at least one scope" in words(answer.text)
    assert visitor.page("/keys").count("In use") == before


def test_only_an_admin_of_the_account_manages_its_keys(here: Site, visitor: Visitor) -> None:
    """All other scopes together are not enough, and other accounts' keys are out of reach."""
    everything = here.visitor(here.new_key(*(set(Scope) - {Scope.ADMIN})))
    assert "API keys" not in words(everything.page("/exports"))
    assert everything.get("/keys").status_code == 403
    assert everything.get("/audit").status_code == 403
    assert everything.send("/keys", [("scope", "admin")]).status_code == 403
    foreign = here.new_key(account=here.new_account("Another")).partition(":")[0]
    assert foreign not in visitor.page("/keys")
    assert visitor.send("/keys/revoke", [("key", foreign)]).status_code == 404
    assert here.registry.keys.find(foreign) is not None


def test_what_was_done_is_in_the_audit_log(here: Site, visitor: Visitor) -> None:
    """With the key it was done with and the id of what it was done to, the newest first."""
    key_id = here.address.key.partition(":")[0]
    form = [("type", "contacts"), ("version", "v6"), ("dates", "ISO"), ("delimiter", ",")]
    export_id = visitor.send("/exports/new", form).headers["location"].rpartition("/")[2]
    here.api.until(f"/exports/{export_id}", "finished")
    assert visitor.get(f"/exports/{export_id}/download").status_code == 303
    visitor.send(f"/exports/{export_id}/delete")
    visitor.send("/fields", [("id", "shoe"), ("name", "Shoe"), ("type", "integer")])
    text = words(visitor.page("/audit"))
    for earlier, later in (
        (f"Started an export {export_id} {key_id}", f"Downloaded a file {export_id} {key_id}"),
        (f"Downloaded a file {export_id}", f"Deleted or stopped an export {export_id}"),
        (f"Deleted or stopped an export {export_id}", f"Added a contact field shoe {key_id}"),
    ):
        assert text.index(later) < text.index(earlier)
    assert f"Signed in {key_id} {key_id}" in text
    assert "ana@x.example" not in text
    other = here.new_account("Quiet")
    quiet = words(here.visitor(here.new_key(account=other)).page("/audit"))
    assert export_id not in quiet


def test_keys_of_the_command_line_are_in_the_audit_log(here: Site, tmp_path: Path) -> None:
    """Made and revoked beside the running server."""
    data = here.data
    account = here.new_account("By command")
    key = run("keys", "create", account.id, "--scope", "admin", "--data", data).stdout.strip()
    made = run("keys", "create", account.id, "--scope", "admin", "--data", data).stdout.strip()
    gone = made.partition(":")[0]
    run("keys", "revoke", gone, "--data", data)
    text = words(here.visitor(key).page("/audit"))
    assert f"Revoked a key {gone} command line" in text
    assert text.count("Made a key") == 2


def test_usage_adds_up_the_exports_of_a_day(here: Site) -> None:
    """On the days of the account's zone; nothing of other accounts."""
    account = here.new_account("Busy", timezone="Pacific/Auckland")
    client_key = here.new_key(account=account)
    visitor = here.visitor(client_key)
    form = [("type", "contacts"), ("version", "v6"), ("dates", "ISO"), ("delimiter", ",")]
    page = visitor.send("/exports/new", form).headers["location"].removeprefix("/console")
    end = time.monotonic() + 30
    while "Finished" not in words(visitor.page(page)):
        assert time.monotonic() < end
        time.sleep(0.02)  # The poll of the page.
    text = words(visitor.page("/usage"))
    assert "1 exports finished" in text
    assert "Pacific/Auckland" in text
    assert visitor.send(f"{page}/delete").status_code == 303
    assert "deleted since count too" in text
    assert words(visitor.page("/usage")) == text
    noon_in_new_zealand = datetime(2026, 3, 1, 23, tzinfo=UTC)
    with here.registry.database.transaction() as connection:
        connection.exec_driver_sql(
            "UPDATE tallies SET from_ms = ?, rows = 7, bytes = 1000, took_ms = 2500"
            " WHERE account_id = ?",
            (int(noon_in_new_zealand.timestamp() * 1000), account.id),
        )
    usage = Usage(Tallies(here.registry.database))
    days = usage.by_day(account, until=datetime(2026, 3, 3, tzinfo=UTC), days=3)
    assert [(day.day.day, day.exports, day.rows, day.bytes, day.seconds) for day in days] == [
        (1, 0, 0, 0, 0.0),
        (2, 1, 7, 1000, 2.5),
        (3, 0, 0, 0, 0.0),
    ]


def test_health_says_which_part_does_not_answer(tmp_path: Path) -> None:
    """Whoever is signed in may see it."""
    with site(tmp_path / "data") as opened:
        anyone = opened.visitor(opened.new_key(Scope.EVENT_WRITE))
        assert "Every part answers." in words(anyone.page("/health"))
        assert "outhaul doctor" in words(anyone.page("/health"))
        opened.rest()
        text = words(anyone.page("/health"))
    assert "At least one part does not answer" in text
    assert "does what is due stopped" in text
