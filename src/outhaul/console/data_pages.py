"""Contacts and activities, looked up."""

import json
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from outhaul.console.services import ConsoleServices
from outhaul.console.visit import Door, Visit
from outhaul.domain.account import Scope
from outhaul.domain.activity_types import ACTIVITY_FIELDS, ACTIVITY_TYPES
from outhaul.domain.audit import Action
from outhaul.ingest.contact_changes import ContactKey

_MOST_CONTACTS = 50
_MOST_ACTIVITIES = 100
_MOST_OF_CONTACT = 25


class DataPages:
    """Handlers."""

    def __init__(self, services: ConsoleServices) -> None:
        self._browse = services.browse
        self._contacts = services.intake.contacts
        self._volumes = services.volumes

    def contacts(self, visit: Visit) -> Response:
        """The newest contacts, or those that were looked for."""
        text = visit.request.query_params.get("text", "").strip()
        return visit.page(
            "contacts_table.html" if visit.is_partial else "contacts.html",
            text=text,
            found=self._browse.contacts(visit.account.id, text, most=_MOST_CONTACTS),
            most=_MOST_CONTACTS,
            total=self._volumes.contacts(visit.account.id),
            told="The contact is erased, with all that was known of it."
            if visit.request.query_params.get("note") == "erased"
            else None,
        )

    def contact(self, visit: Visit) -> Response:
        """All that is known of one contact."""
        contact = self._browse.contact(visit.account.id, visit.request.path_params["id"])
        return visit.page(
            "contact.html",
            contact=contact,
            shown=shown,
            activities=self._browse.activities(
                visit.account.id, contact_id=contact.id, most=_MOST_OF_CONTACT
            ),
            fields=ACTIVITY_FIELDS,
        )

    def erase(self, visit: Visit) -> Response:
        """Erase the contact."""
        key = ContactKey(column="id", value=visit.request.path_params["id"])
        self._contacts.delete(visit.account.id, key)
        visit.record(Action.CONTACT_ERASED, key.value)
        return visit.go("/contacts", note="erased")

    def activities(self, visit: Visit) -> Response:
        """The newest activities, of one type if asked."""
        asked = visit.request.query_params.get("type", "")
        type_ = asked if asked in ACTIVITY_TYPES else None
        return visit.page(
            "activities.html",
            type=type_ or "",
            types=list(ACTIVITY_TYPES),
            activities=self._browse.activities(
                visit.account.id, type_=type_, most=_MOST_ACTIVITIES
            ),
            most=_MOST_ACTIVITIES,
            fields=ACTIVITY_FIELDS,
            shown=shown,
        )


def data_routes(services: ConsoleServices, door: Door) -> list[Route]:
    """Where the pages are."""
    pages = DataPages(services)
    read, write = Scope.CONTACT_READ, Scope.CONTACT_WRITE
    return [
        Route("/contacts", door.page(pages.contacts, read)),
        Route("/contacts/{id}", door.page(pages.contact, read)),
        Route("/contacts/{id}/erase", door.page(pages.erase, write), methods=["POST"]),
        Route("/activities", door.page(pages.activities, read)),
    ]


def shown(value: Any) -> str:
    """A value as text."""
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(str(one) for one in value)
        case dict():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)
