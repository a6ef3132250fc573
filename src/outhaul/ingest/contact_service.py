"""Contacts one by one: change or make, read, erase."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from outhaul.domain.contact_fields import ContactFieldDefinition, by_id
from outhaul.domain.errors import Invalid, NotFound, OuthaulError, Violation
from outhaul.ingest.contact_changes import (
    ContactKey,
    contact_resource,
    defaults,
    stored_changes,
)
from outhaul.ingest.erasure import Eraser
from outhaul.store.commits import Commit, Commits
from outhaul.store.contact_edits import KEYS, Contact, ContactEdits, Taken
from outhaul.store.contact_reads import ContactReads
from outhaul.store.field_definitions import FieldDefinitions, present_in
from outhaul.store.group_commit import GroupCommit, NothingWritten


@dataclass(frozen=True, kw_only=True)
class _Upsert:
    key: ContactKey
    body: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Upserted:
    """A contact after a change: its resource as JSON."""

    resource: dict[str, Any]
    created: bool


class Contacts:
    """The use cases of single contacts. Methods may be called from any thread."""

    def __init__(
        self,
        commits: Commits,
        reads: ContactReads,
        definitions: FieldDefinitions,
        eraser: Eraser,
    ) -> None:
        self._reads = reads
        self._definitions = definitions
        self._eraser = eraser
        self._line: GroupCommit[_Upsert, Upserted] = GroupCommit(commits, _apply)

    def upsert(self, account_id: str, key: ContactKey, body: Mapping[str, Any]) -> Upserted:
        """Set the fields in `body` of the contact, which is made when missing. Durable when this
        returns. Raises Invalid."""
        return self.submit(account_id, key, body).result()

    def submit(
        self, account_id: str, key: ContactKey, body: Mapping[str, Any]
    ) -> "Future[Upserted]":
        """As `upsert`, for callers that must not wait: the future raises and is durable."""
        return self._line.submit(account_id, _Upsert(key=key, body=body))

    def get(self, account_id: str, key: ContactKey) -> dict[str, Any]:
        """The contact's resource as JSON. Raises NotFound."""
        contact = self._found(account_id, key)
        return contact_resource(contact, self._definitions.all(account_id))

    def delete(self, account_id: str, key: ContactKey) -> None:
        """Erase the contact and all that is known of it. Raises NotFound."""
        self._eraser.erase(account_id, self._found(account_id, key)["id"])

    def _found(self, account_id: str, key: ContactKey) -> Contact:
        contact = self._reads.find(account_id, key.column, key.value)
        if contact is None:
            raise NotFound("contact", key.column)
        return contact


def _apply(commit: Commit, upserts: Sequence[_Upsert]) -> list[Upserted | OuthaulError]:
    """Apply changes one after the other, with one read and one write of the store."""
    custom = present_in(commit)
    known = by_id(custom)
    judged: list[dict[str, Any] | Invalid] = []
    wanted: dict[str, set[str]] = {key: set() for key in KEYS}
    for upsert in upserts:
        wanted[upsert.key.column].add(upsert.key.value)
        try:
            changes = stored_changes(upsert.key, upsert.body, known)
        except Invalid as invalid:
            judged.append(invalid)
            continue
        judged.append(changes)
        for key in KEYS:
            if changes.get(key) is not None:
                wanted[key].add(changes[key])
    edits = ContactEdits(commit)
    edits.load(emails=wanted["_email"], external_ids=wanted["_externalId"])
    answers = [
        _apply_one(edits, upsert.key, changes, custom, known)
        if isinstance(changes, dict)
        else changes
        for upsert, changes in zip(upserts, judged, strict=True)
    ]
    if not edits.write():
        raise NothingWritten(answers)
    return answers


def _apply_one(
    edits: ContactEdits,
    key: ContactKey,
    changes: Mapping[str, Any],
    custom: tuple[ContactFieldDefinition, ...],
    known: Mapping[str, ContactFieldDefinition],
) -> Upserted | OuthaulError:
    held = edits.find(key.column, key.value)
    try:
        if held is None:
            after = edits.create({**defaults(known), key.column: key.value, **changes})
        else:
            after = edits.edit(held["id"], changes)
    except Taken as taken:
        column = taken.column
        reason = "belongs to another contact"
        return Invalid(
            [Violation(name=column, path=f"/{column}", reason=reason)],
            detail="The contact is not valid.",
        )
    return Upserted(resource=contact_resource(after, custom), created=held is None)
