"""How much there is to export: contacts, and activities by day and type."""

import threading
from collections import OrderedDict

from outhaul.domain.account import Account
from outhaul.store.commits import Commits
from outhaul.store.counts import Counts, DayCount

MOST_DAYS = 731
_MOST_ACCOUNTS = 50


class Volumes:
    """Counts activities anew only after a commit. Methods may be called from any thread."""

    def __init__(self, commits: Commits, counts: Counts) -> None:
        self._commits = commits
        self._counts = counts
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], tuple[int, tuple[DayCount, ...]]] = OrderedDict()
        """By account and zone: the commit that was counted, and the counts."""

    def contacts(self, account_id: str) -> int:
        """Contacts now, anonymous ones included."""
        return self._counts.contacts(account_id)

    def days(self, account: Account) -> tuple[DayCount, ...]:
        """Activities by day of the account's zone, then type, for at most two years that lead up
        to the newest activity."""
        key = account.id, account.timezone
        newest = self._commits.snapshot(account.id).number
        with self._lock:
            commit, kept = self._kept.get(key, (-1, ()))
        if commit == newest:
            return kept
        counted = self._counts.activities_by_day(
            account.id, timezone=account.timezone, most_days=MOST_DAYS
        )
        with self._lock:
            self._kept[key] = newest, counted
            self._kept.move_to_end(key)
            while len(self._kept) > _MOST_ACCOUNTS:
                self._kept.popitem(last=False)
        return counted
