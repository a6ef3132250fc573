"""Erasing a contact from the store and from every file; a crash anywhere only delays it."""

from collections.abc import Callable

from outhaul.catalog.erasures import Erasure, Erasures
from outhaul.domain.errors import NotFound
from outhaul.files.object_store import Files
from outhaul.store.commits import Commits
from outhaul.store.erasure import Footprints, erase


class Eraser:
    """The use case of erasure. Methods may be called from any thread."""

    def __init__(
        self,
        erasures: Erasures,
        footprints: Footprints,
        commits: Commits,
        files: Files,
        *,
        wake: Callable[[], None],
    ) -> None:
        """`wake` is called when there are files to delete and exports to plan again."""
        self._erasures = erasures
        self._footprints = footprints
        self._commits = commits
        self._files = files
        self._wake = wake

    def erase(self, account_id: str, contact_id: str) -> Erasure:
        """When this returns, neither a read nor a new or running export nor a link to a file
        shows the contact. The bytes of files follow with `complete`. Raises NotFound.
        """
        footprint = self._footprints.of(account_id, contact_id)
        if footprint is None:
            raise NotFound("contact", contact_id)
        erasure = self._erasures.begin(account_id, contact_id, footprint.may_be_in)
        self._erase_from_store(erasure)
        self._wake()
        return erasure

    def complete(self) -> bool:
        """Finish the erasures that have begun, also those of a process that died. False when
        there were none."""
        unfinished = self._erasures.unfinished()
        for erasure in unfinished:
            if erasure.erased_at is None:
                self._erase_from_store(erasure)
            for files in self._erasures.files(erasure.id):
                self._files.delete_prefix(files.prefix)
                self._erasures.deleted(erasure.id, files)
            self._erasures.finished(erasure.id)
        return bool(unfinished)

    def _erase_from_store(self, erasure: Erasure) -> None:
        with self._commits.open(erasure.account_id, source=f"erasure {erasure.id}") as commit:
            erase(commit, erasure.contact_id)
        self._erasures.erased(erasure.id, commit.number)
