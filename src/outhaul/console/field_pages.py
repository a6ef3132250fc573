"""Contact fields: what there is, and the account's own added or ended."""

from collections.abc import Mapping

from starlette.responses import Response
from starlette.routing import Route

from outhaul.console.services import ConsoleServices
from outhaul.console.visit import Door, Form, Visit
from outhaul.domain.account import Scope
from outhaul.domain.audit import Action
from outhaul.domain.contact_fields import (
    CUSTOM_TYPES,
    MOST_OPTIONS,
    ContactFieldDefinition,
    Limits,
    Option,
    is_field_id,
)
from outhaul.domain.errors import Conflict, Invalid
from outhaul.domain.export import FieldType

_LONGEST_NAME = 250
_LONGEST_OPTION_ID = 150
_WITH_OPTIONS = {FieldType.RADIO, FieldType.CHECKBOX}
_NOTES = {
    "added": "The field is added; contacts can have it from now on.",
    "ended": "The field is ended. Exports of earlier snapshots still have it.",
}


class FieldPages:
    """Handlers."""

    def __init__(self, services: ConsoleServices) -> None:
        self._fields = services.intake.fields

    def list_(self, visit: Visit) -> Response:
        """Every field, and the form of a new one."""
        return self._page(visit, {}, {})

    def add(self, visit: Visit) -> Response:
        """Add the field; or show the form again with what is wrong."""
        form = visit.form
        given = {name: form.get(name) for name in ("id", "name", "type", "options")}
        faults = _faults(form)
        if not faults:
            try:
                self._fields.create(visit.account.id, _definition(form))
            except Conflict as conflict:
                faults = {"id": conflict.detail}
            except Invalid as invalid:
                faults = {"id": f"This {invalid.violations[0].reason}."}
        if faults:
            return self._page(visit, given, faults, status=422)
        visit.record(Action.FIELD_ADDED, given["id"])
        return visit.go("/fields", note="added")

    def end(self, visit: Visit) -> Response:
        """End a field of the account's own."""
        self._fields.delete(visit.account.id, visit.form.get("id"))
        visit.record(Action.FIELD_ENDED, visit.form.get("id"))
        return visit.go("/fields", note="ended")

    def _page(
        self, visit: Visit, given: Mapping[str, str], faults: Mapping[str, str], status: int = 200
    ) -> Response:
        fields = self._fields.all(visit.account.id)
        return visit.page(
            "fields.html",
            status=status,
            own=[field for field in fields if field.custom],
            system=[field for field in fields if not field.custom],
            types=CUSTOM_TYPES,
            given={"id": "", "name": "", "type": "text", "options": "", **given},
            faults=faults,
            told=_NOTES.get(visit.request.query_params.get("note", "")),
        )


def field_routes(services: ConsoleServices, door: Door) -> list[Route]:
    """Where the pages are."""
    pages = FieldPages(services)
    write = Scope.FIELD_WRITE
    return [
        Route("/fields", door.page(pages.list_, Scope.FIELD_READ)),
        Route("/fields", door.page(pages.add, write), methods=["POST"]),
        Route("/fields/end", door.page(pages.end, write), methods=["POST"]),
    ]


def _faults(form: Form) -> dict[str, str]:
    """What is wrong, by name of the form's field."""
    faults = {}
    if not is_field_id(form.get("id")):
        faults["id"] = "An id begins with a letter; letters, digits, - and _ follow. It is not id."
    name = form.get("name")
    if not name or len(name) > _LONGEST_NAME or "\0" in name:
        faults["name"] = f"A name has 1 to {_LONGEST_NAME} characters."
    types = {type_.value: type_ for type_ in CUSTOM_TYPES}
    type_ = types.get(form.get("type"))
    if type_ is None:
        faults["type"] = "Choose one of those that are offered."
    options = _options(form)
    ids = [option.id for option in options]
    if type_ in _WITH_OPTIONS and not options:
        faults["options"] = "This type needs options, one a line."
    elif type_ not in _WITH_OPTIONS and options:
        faults["options"] = "Only radio and checkbox have options."
    elif len(set(ids)) != len(ids) or len(ids) > MOST_OPTIONS:
        faults["options"] = f"At most {MOST_OPTIONS} options, each with an id of its own."
    elif any("|" in id_ or not 0 < len(id_) <= _LONGEST_OPTION_ID for id_ in ids):
        faults["options"] = "An option's id has 1 to 150 characters, none a vertical bar."
    elif any(len(option.label) > _LONGEST_NAME for option in options):
        faults["options"] = f"An option's label has at most {_LONGEST_NAME} characters."
    return faults


def _definition(form: Form) -> ContactFieldDefinition:
    return ContactFieldDefinition(
        id=form.get("id"),
        name=form.get("name"),
        type=FieldType(form.get("type")),
        column="",
        custom=True,
        read_only=False,
        limits=Limits(options=tuple(_options(form))),
    )


def _options(form: Form) -> list[Option]:
    """One a line: an id, and after a colon its label."""
    made = []
    for line in form.get("options").splitlines():
        if line.strip():
            id_, _, label = line.partition(":")
            made.append(Option(id=id_.strip(), label=label.strip() or id_.strip()))
    return made
