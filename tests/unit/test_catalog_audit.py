"""The audit log in the catalog."""

from itertools import pairwise

from outhaul.catalog.accounts import Accounts
from outhaul.catalog.audit import Audit
from outhaul.catalog.database import Database
from outhaul.domain.account import Account, Language
from outhaul.domain.audit import Action


def test_entries_are_listed_newest_first_page_by_page(database: Database, account: Account) -> None:
    """Those of one account, each on exactly one page, with whoever did it."""
    other = Accounts(database).create(
        "Another", timezone="UTC", language=Language.EN, mobile_push=False
    )
    audit = Audit(database)
    actions = list(Action)
    for number, action in enumerate(actions):
        audit.record(account.id, None if number % 2 else "key", action, f"subject{number}")
    audit.record(other.id, "its key", Action.SIGNED_IN, "its key")
    seen = []
    has_next, page = True, 0
    while has_next:
        page += 1
        entries, has_next = audit.page(account.id, page=page, page_size=5)
        assert 1 <= len(entries) <= 5
        seen += entries
    assert [entry.action for entry in seen] == list(reversed(actions))
    assert [entry.key_id for entry in reversed(seen)][:3] == ["key", None, "key"]
    assert [entry.subject for entry in reversed(seen)][:2] == ["subject0", "subject1"]
    assert all(earlier.at >= later.at for earlier, later in pairwise(seen))
    assert audit.page(account.id, page=page + 1, page_size=5) == ([], False)
