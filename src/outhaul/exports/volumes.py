"""How much there is to export: contacts, and activities by day and type."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from outhaul.domain.account import Account
from outhaul.store.commits import Commits
from outhaul.store.counts import Counts, DayCount

MOST_DAYS = 731
_MOST_ACCOUNTS = 50


@dataclass(frozen=True, kw_only=True)
class Volume:
    """What an account has as of one commit."""

    commit: int
    contacts: int
    days: tuple[DayCount, ...]
    """By day, then type; at most two years that lead up to the newest activity."""


class Volumes:
    """Counts anew only after a commit. Methods may be called from any thread."""

    def __init__(self, commits: Commits, counts: Counts) -> None:
        self._commits = commits
        self._counts = counts
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], Volume] = OrderedDict()

    def of(self, account: Account) -> Volume:
        """The account's volume now; days are those of its zone."""
        key = account.id, account.timezone
        newest = self._commits.snapshot(account.id).number
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and kept.commit == newest:
            return kept
        counted = Volume(
            commit=newest,
            contacts=self._counts.contacts(account.id),
            days=self._counts.activities_by_day(
                account.id, timezone=account.timezone, most_days=MOST_DAYS
            ),
        )
        with self._lock:
            self._kept[key] = counted
            self._kept.move_to_end(key)
            while len(self._kept) > _MOST_ACCOUNTS:
                self._kept.popitem(last=False)
        return counted
