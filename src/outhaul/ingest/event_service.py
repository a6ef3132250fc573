"""Custom events one by one: each becomes an activity of its contact."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from outhaul.domain.contact_fields import by_id
from outhaul.domain.errors import OuthaulError, Refused
from outhaul.domain.ids import new_id
from outhaul.ingest.contact_changes import ContactKey, defaults
from outhaul.render.values import cell
from outhaul.store.commits import Commit, Commits
from outhaul.store.contact_edits import ContactEdits
from outhaul.store.field_definitions import present_in
from outhaul.store.group_commit import GroupCommit, NothingWritten
from outhaul.store.single_activities import SingleActivity, add_activity


@dataclass(frozen=True, kw_only=True)
class CustomEvent:
    """What a contact did. Either the event's `id` or its `alias` is given."""

    key: ContactKey
    id: str | None
    alias: str | None
    data: Mapping[str, Any]
    """The event's fields as JSON."""
    create_contact: bool
    """Whether a contact that is missing is made."""


class CustomEvents:
    """The use case of custom events. Methods may be called from any thread."""

    def __init__(self, commits: Commits) -> None:
        self._line: GroupCommit[CustomEvent, str] = GroupCommit(commits, _apply)

    def create(self, account_id: str, event: CustomEvent) -> str:
        """Add the event; gives the id of its activity. Durable when this returns. Raises Refused
        (E0501) when the contact is missing and not to be made."""
        return self._line.submit(account_id, event).result()


def _apply(commit: Commit, events: Sequence[CustomEvent]) -> list[str | OuthaulError]:
    """Add events one after the other; one that makes its contact makes it for the next ones."""
    edits = ContactEdits(commit)
    edits.load(
        emails={event.key.value for event in events if event.key.column == "_email"},
        external_ids={event.key.value for event in events if event.key.column == "_externalId"},
    )
    known = by_id(present_in(commit))
    answers: list[str | OuthaulError] = []
    activities = []
    for event in events:
        contact = edits.find(event.key.column, event.key.value)
        if contact is None and event.create_contact:
            contact = edits.create(defaults(known) | {event.key.column: event.key.value})
        if contact is None:
            answers.append(Refused("E0501", "No contact has this email or external id."))
            continue
        activity = SingleActivity(
            id=new_id(),
            type="custom-event",
            created_at=commit.at.replace(tzinfo=None),
            contact_id=contact["id"],
            email=contact.get("_email"),
            values={
                "customEventId": cell(event.id),
                "customEventName": cell(event.alias),
                "eventData": cell(_json(event.data)),
            },
        )
        activities.append(activity)
        answers.append(activity.id)
    if not activities:
        raise NothingWritten(answers)
    edits.write()
    for activity in activities:
        add_activity(commit, activity)
    return answers


def _json(data: Mapping[str, Any]) -> str | None:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")) if data else None
