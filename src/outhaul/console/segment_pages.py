"""Segments: their sizes, their rules, and who is in one."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from outhaul.console.paging import page_number
from outhaul.console.services import ConsoleServices
from outhaul.console.visit import Door, Form, Visit
from outhaul.domain.account import Scope
from outhaul.domain.activity_types import ACTIVITY_TYPES
from outhaul.domain.audit import Action
from outhaul.domain.contact_fields import ContactFieldDefinition
from outhaul.domain.errors import Conflict, Invalid, Violation
from outhaul.domain.rule_reading import operators
from outhaul.domain.segments import LONGEST_SEGMENT_NAME, Segment

_NOTES = {"saved": "The segment is saved.", "ended": "The segment is ended."}
_MOST_MEMBERS_A_FORM = 10_000
_MEMBERS_PAGE = 50


class SegmentPages:
    """Handlers."""

    def __init__(self, services: ConsoleServices) -> None:
        self._segments = services.intake.segments
        self._fields = services.intake.fields

    def list_(self, visit: Visit) -> Response:
        """Every segment."""
        return visit.page(
            "segments.html",
            segments=self._segments.all(visit.account.id),
            told=_NOTES.get(visit.request.query_params.get("note", "")),
        )

    def sizes(self, visit: Visit) -> Response:
        """How many are in each; asked for by the list, because rules may take their time."""
        return visit.page("segment_sizes.html", sizes=self._segments.sizes(visit.account))

    def new(self, visit: Visit) -> Response:
        """The form of a new segment."""
        return self._page(visit, None, {"name": "", "kind": "dynamic", "rule": ""}, {})

    def one(self, visit: Visit) -> Response:
        """The form of a segment that is there."""
        segment = self._asked(visit)
        return self._page(visit, segment, _given(segment), {})

    def create(self, visit: Visit) -> Response:
        """Make it, or show the form again with what is wrong."""
        return self._saved(visit, None)

    def change(self, visit: Visit) -> Response:
        """Change it, or show the form again with what is wrong."""
        return self._saved(visit, self._asked(visit))

    def count(self, visit: Visit) -> Response:
        """How many contacts the rule in the form would find."""
        try:
            count = self._segments.count_rule(visit.account, _rule(visit.form))
        except Invalid as invalid:
            return visit.page("segment_count.html", count=None, faults=_said(invalid))
        return visit.page("segment_count.html", count=count, faults=[])

    def members(self, visit: Visit) -> Response:
        """Let the contacts that are listed be members, or members no longer."""
        segment = self._asked(visit)
        listed = [line.strip() for line in visit.form.get("members").splitlines() if line.strip()]
        listed = [one.lower() if "@" in one else one for one in listed[:_MOST_MEMBERS_A_FORM]]
        change = self._segments.remove if visit.form.get("do") == "remove" else self._segments.add
        try:
            changed = change(visit.account.id, segment.id, listed)
        except (Invalid, Conflict) as refused:
            given = _given(segment) | {"members": visit.form.get("members")}
            return self._page(visit, segment, given, {"members": _unknown(refused, listed)}, 422)
        visit.record(Action.MEMBERS_CHANGED, segment.id)
        verb = "removed" if visit.form.get("do") == "remove" else "added"
        return self._page(visit, segment, _given(segment), {}, told=f"{changed} {verb}.")

    def end(self, visit: Visit) -> Response:
        """End the segment."""
        segment = self._asked(visit)
        self._segments.delete(visit.account.id, segment.id)
        visit.record(Action.SEGMENT_ENDED, segment.id)
        return visit.go("/segments", note="ended")

    def _saved(self, visit: Visit, held: Segment | None) -> Response:
        form, account = visit.form, visit.account
        name, kind = form.get("name"), form.get("kind")
        if held is not None:
            kind = "static" if held.rule is None else "dynamic"
        faults: dict[str, Any] = {}
        if not name or len(name) > LONGEST_SEGMENT_NAME or "\0" in name:
            faults["name"] = f"A name has 1 to {LONGEST_SEGMENT_NAME} characters."
        try:
            rule = None if kind == "static" else _rule(form)
            if not faults and held is None:
                held = self._segments.create(account, name, rule)
            elif not faults and held is not None:
                self._segments.replace(account, held.id, name, rule)
        except Invalid as invalid:
            faults["rule"] = _said(invalid)
        if faults or held is None:
            given = {"name": name, "kind": kind, "rule": form.get("rule")}
            return self._page(visit, held, given, faults, 422)
        visit.record(Action.SEGMENT_SAVED, held.id)
        return visit.go("/segments", note="saved")

    def _page(
        self,
        visit: Visit,
        segment: Segment | None,
        given: Mapping[str, str],
        faults: Mapping[str, Any],
        status: int = 200,
        told: str = "",
    ) -> Response:
        size, found, has_next = None, None, False
        number = page_number(visit.request.query_params.get("page", "1"))
        if segment is not None:
            size = self._segments.count(visit.account, segment.id)
            if visit.may(Scope.CONTACT_READ):
                found, has_next = self._segments.members(
                    visit.account, segment.id, page=number, page_size=_MEMBERS_PAGE
                )
        return visit.page(
            "segment.html",
            status=status,
            segment=segment,
            size=size,
            given={"members": "", **given},
            faults=faults,
            told=told,
            found=found,
            page=number,
            has_next=has_next,
            fields=json.dumps([_choice(one) for one in self._fields.all(visit.account.id)]),
            types=json.dumps(list(ACTIVITY_TYPES)),
        )

    def _asked(self, visit: Visit) -> Segment:
        return self._segments.get(visit.account.id, visit.asked_id("segment"))


def segment_routes(services: ConsoleServices, door: Door) -> list[Route]:
    """Where the pages are."""
    pages = SegmentPages(services)
    read, write = Scope.SEGMENT_READ, Scope.SEGMENT_WRITE
    return [
        Route("/segments", door.page(pages.list_, read)),
        Route("/segments", door.page(pages.create, write), methods=["POST"]),
        Route("/segments/sizes", door.page(pages.sizes, read)),
        Route("/segments/new", door.page(pages.new, write)),
        Route("/segments/count", door.page(pages.count, read), methods=["POST"]),
        Route("/segments/{id}", door.page(pages.one, read)),
        Route("/segments/{id}", door.page(pages.change, write), methods=["POST"]),
        Route("/segments/{id}/members", door.page(pages.members, write), methods=["POST"]),
        Route("/segments/{id}/end", door.page(pages.end, write), methods=["POST"]),
    ]


def _given(segment: Segment) -> dict[str, str]:
    rule = "" if segment.rule is None else json.dumps(segment.rule, indent=2, ensure_ascii=False)
    kind = "static" if segment.rule is None else "dynamic"
    return {"name": segment.name, "kind": kind, "rule": rule}


def _rule(form: Form) -> dict[str, Any]:
    """The rule in the form. Raises Invalid when it is not JSON."""
    try:
        rule = json.loads(form.get("rule"))
    except (ValueError, RecursionError):
        rule = None
    if not isinstance(rule, dict):
        fault = Violation(name="rule", path="/rule", reason="must be one JSON object")
        raise Invalid([fault], detail="The segment is not valid.")
    return rule


def _said(invalid: Invalid) -> list[str]:
    return [f"{fault.path}: {fault.reason}" for fault in invalid.violations]


def _unknown(refused: Invalid | Conflict, listed: list[str]) -> str:
    if isinstance(refused, Conflict):
        return refused.detail
    unknown = [listed[int(fault.name)] for fault in refused.violations]
    more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
    return f"Nothing was changed: no contact is {', '.join(unknown[:5])}{more}."


def _choice(field: ContactFieldDefinition) -> dict[str, Any]:
    """What the editor has to know of a field."""
    return {
        "id": field.id,
        "name": field.name,
        "type": field.type.value,
        "is": [operator.value for operator in operators(field.type)],
        "options": [option.id for option in field.limits.options],
    }
