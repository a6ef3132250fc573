"""Segments: list, make, change, delete, and say who is in a static one."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from outhaul.domain.errors import Invalid, NotFound, Violation
from outhaul.domain.ids import new_id
from outhaul.domain.segments import Segment
from outhaul.store import segment_edits
from outhaul.store.commits import Commit, Commits
from outhaul.store.segment_reads import SegmentReads, find


class Segments:
    """The use cases of segments. Methods may be called from any thread."""

    def __init__(self, commits: Commits, reads: SegmentReads) -> None:
        self._commits = commits
        self._reads = reads

    def all(self, account_id: str) -> tuple[Segment, ...]:
        """Every segment, by name, then id."""
        return self._reads.all(account_id)

    def get(self, account_id: str, segment_id: str) -> Segment:
        """Raises NotFound."""
        segment = self._reads.get(account_id, segment_id)
        if segment is None:
            raise NotFound("segment", segment_id)
        return segment

    def count(self, account_id: str, segment_id: str) -> int:
        """How many contacts are in it now. Raises NotFound."""
        count = self._reads.count(account_id, segment_id)
        if count is None:
            raise NotFound("segment", segment_id)
        return count

    def create(self, account_id: str, name: str) -> Segment:
        """A new segment without members."""
        segment = Segment(id=new_id(), name=name)
        with self._commits.open(account_id, source="api") as commit:
            segment_edits.put(commit, segment)
        return segment

    def replace(self, account_id: str, segment_id: str, name: str) -> Segment:
        """Give the segment this name; its members stay. Raises NotFound."""
        segment = Segment(id=segment_id, name=name)
        with self._changing(account_id, segment_id) as commit:
            segment_edits.put(commit, segment)
        return segment

    def delete(self, account_id: str, segment_id: str) -> None:
        """End the segment; exports of earlier snapshots still have it. Raises NotFound."""
        with self._changing(account_id, segment_id) as commit:
            segment_edits.delete(commit, segment_id)

    def add(self, account_id: str, segment_id: str, members: Sequence[str]) -> int:
        """Let contacts, named by email or contact id, be members; returns how many were not yet.
        Raises NotFound, and Invalid, which changes nothing, for every unknown contact."""
        with self._changing(account_id, segment_id) as commit:
            return segment_edits.add(commit, segment_id, _known(commit, members))

    def remove(self, account_id: str, segment_id: str, members: Sequence[str]) -> int:
        """Let contacts be members no longer; returns how many were. Raises as `add` does."""
        with self._changing(account_id, segment_id) as commit:
            return segment_edits.remove(commit, segment_id, _known(commit, members))

    @contextmanager
    def _changing(self, account_id: str, segment_id: str) -> Iterator[Commit]:
        with self._commits.open(account_id, source="api") as commit:
            if find(commit.connection, segment_id) is None:
                raise NotFound("segment", segment_id)
            yield commit


def _known(commit: Commit, members: Sequence[str]) -> list[str]:
    found = segment_edits.contact_ids(commit, members)
    faults = [
        Violation(name=str(index), path=f"/{index}", reason="must be the email or id of a contact")
        for index, contact_id in enumerate(found)
        if contact_id is None
    ]
    if faults:
        raise Invalid(faults, detail="The members are not valid.")
    return [contact_id for contact_id in found if contact_id is not None]
