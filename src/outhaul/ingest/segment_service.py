"""Segments: list, make, change, delete, and say who is in a static one."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from outhaul.domain.account import Account
from outhaul.domain.contact_fields import ContactFieldDefinition, by_id
from outhaul.domain.errors import Conflict, Invalid, NotFound, Violation
from outhaul.domain.ids import new_id
from outhaul.domain.instants import now
from outhaul.domain.rule_reading import read_rule
from outhaul.domain.segments import Segment, SegmentContact
from outhaul.store import segment_edits
from outhaul.store.commits import Commit, Commits
from outhaul.store.field_definitions import present
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

    def count(self, account: Account, segment_id: str) -> int:
        """How many contacts are in it now. Raises NotFound."""
        count = self._reads.count(account.id, segment_id, timezone=account.timezone)
        if count is None:
            raise NotFound("segment", segment_id)
        return count

    def sizes(self, account: Account) -> Mapping[str, int]:
        """How many contacts are in each segment now, by its id."""
        return self._reads.sizes(account.id, timezone=account.timezone)

    def members(
        self, account: Account, segment_id: str, *, page: int, page_size: int
    ) -> tuple[Sequence[SegmentContact], bool]:
        """Page number `page` (from 1) of the contacts that are in it now, and whether there is
        another. Raises NotFound."""
        found = self._reads.contacts(
            account.id,
            segment_id,
            timezone=account.timezone,
            skip=(page - 1) * page_size,
            most=page_size + 1,
        )
        if found is None:
            raise NotFound("segment", segment_id)
        return found[:page_size], len(found) > page_size

    def count_rule(self, account: Account, rule: Mapping[str, Any]) -> int:
        """How many contacts the rule would find now. Raises Invalid with all that is wrong."""
        _judge(rule, by_id(self._reads.fields(account.id)), now(), account)
        return self._reads.count_rule(account.id, rule, timezone=account.timezone)

    def create(self, account: Account, name: str, rule: Mapping[str, Any] | None) -> Segment:
        """A new segment: with a rule a dynamic one, else a static one without members. Raises
        Invalid with all that is wrong with the rule."""
        segment = Segment(id=new_id(), name=name, rule=rule)
        with self._commits.open(account.id, source="api") as commit:
            if rule is not None:
                _check(commit, account, rule)
            segment_edits.put(commit, segment)
        return segment

    def replace(
        self, account: Account, segment_id: str, name: str, rule: Mapping[str, Any] | None
    ) -> Segment:
        """Give the segment this name and, when it is dynamic, this rule; the members of a static
        one stay. Raises NotFound, Invalid."""
        segment = Segment(id=segment_id, name=name, rule=rule)
        with self._changing(account.id, segment_id) as (commit, held):
            if held.rule is None and rule is not None:
                raise _rule_refused("is only for dynamic segments")
            if held.rule is not None and rule is None:
                raise _rule_refused("is required for a dynamic segment")
            if rule is not None:
                _check(commit, account, rule)
            segment_edits.put(commit, segment)
        return segment

    def delete(self, account_id: str, segment_id: str) -> None:
        """End the segment; exports of earlier snapshots still have it. Raises NotFound."""
        with self._changing(account_id, segment_id) as (commit, _):
            segment_edits.delete(commit, segment_id)

    def add(self, account_id: str, segment_id: str, members: Sequence[str]) -> int:
        """Let contacts, named by email or contact id, be members; returns how many were not yet.
        Raises NotFound, Conflict for a dynamic segment, and Invalid, which changes
        nothing, with every unknown contact."""
        with self._changing(account_id, segment_id) as (commit, held):
            return segment_edits.add(commit, segment_id, _listed(commit, held, members))

    def remove(self, account_id: str, segment_id: str, members: Sequence[str]) -> int:
        """Let contacts be members no longer; returns how many were. Raises as `add` does."""
        with self._changing(account_id, segment_id) as (commit, held):
            return segment_edits.remove(commit, segment_id, _listed(commit, held, members))

    @contextmanager
    def _changing(self, account_id: str, segment_id: str) -> Iterator[tuple[Commit, Segment]]:
        with self._commits.open(account_id, source="api") as commit:
            held = find(commit.connection, segment_id)
            if held is None:
                raise NotFound("segment", segment_id)
            yield commit, held


def _check(commit: Commit, account: Account, rule: Mapping[str, Any]) -> None:
    _judge(rule, by_id(present(commit.connection)), commit.at, account)


def _judge(
    rule: Mapping[str, Any],
    fields: Mapping[str, ContactFieldDefinition],
    at: datetime,
    account: Account,
) -> None:
    _, faults = read_rule(rule, fields, now=at, timezone=account.timezone)
    if faults:
        raise Invalid(
            [replace(fault, path=f"/rule{fault.path}") for fault in faults],
            detail="The segment is not valid.",
        )


def _rule_refused(reason: str) -> Invalid:
    fault = Violation(name="rule", path="/rule", reason=reason)
    return Invalid([fault], detail="The segment is not valid.")


def _listed(commit: Commit, segment: Segment, members: Sequence[str]) -> list[str]:
    if segment.rule is not None:
        raise Conflict("A rule finds the members of this segment; change the rule instead.")
    found = segment_edits.contact_ids(commit, members)
    faults = [
        Violation(name=str(index), path=f"/{index}", reason="must be the email or id of a contact")
        for index, contact_id in enumerate(found)
        if contact_id is None
    ]
    if faults:
        raise Invalid(faults, detail="The members are not valid.")
    return [contact_id for contact_id in found if contact_id is not None]
