"""Segments as JSON: the resource and the bodies."""

from typing import Annotated, Any, Literal

from pydantic import Field, RootModel, ValidationError

from outhaul.api.violations import violations_from
from outhaul.api.wire import HexId, Links, NotNull, Wire
from outhaul.domain.contact_values import LONGEST_EMAIL
from outhaul.domain.errors import Invalid
from outhaul.domain.segments import LONGEST_SEGMENT_NAME, Segment, SegmentContact

_Member = Annotated[str, Field(min_length=1, max_length=LONGEST_EMAIL, pattern=r"^[^\x00]+$")]


class SegmentBody(Wire):
    """A segment to be made or changed."""

    name: str = Field(min_length=1, max_length=LONGEST_SEGMENT_NAME, pattern=r"^[^\x00]+$")
    rule: Annotated[dict[str, Any] | None, NotNull] = Field(
        default=None,
        description="Makes the segment dynamic; its JSON Schema is at /segments/rules/schema.",
    )


class SegmentResource(SegmentBody):
    """A segment."""

    id: HexId
    type: Literal["static", "dynamic"]


class SegmentList(Wire):
    """Every segment, by name."""

    results: list[SegmentResource]


class MemberList(RootModel[list[_Member]]):
    """Contacts, each by its email or its id."""


class SegmentMember(Wire):
    """A contact that is in a segment."""

    id: str = Field(description="The contact's id, which files call Tracker.")
    email: str | None = Field(default=None, description="Left out where it is unknown.")


class SegmentMembers(Wire):
    """A page of contacts, in the order of files; the last page has no `links.next`."""

    links: Links
    results: list[SegmentMember]


class MembersAdded(Wire):
    """What became of a list of members."""

    added: int = Field(ge=0, description="Contacts that were no members before.")


class MembersRemoved(Wire):
    """What became of a list of members."""

    removed: int = Field(ge=0, description="Contacts that were members before.")


class SegmentCount(Wire):
    """How many contacts are in a segment now."""

    count: int = Field(ge=0)


def read_segment(body: Any) -> SegmentBody:
    """The segment in a parsed body. Raises Invalid with every violation."""
    try:
        return SegmentBody.model_validate(body, by_alias=True, by_name=False)
    except ValidationError as error:
        raise _invalid(error, "The segment is not valid.") from None


def read_members(body: Any) -> list[str]:
    """The emails (in lower case) and contact ids in a parsed body. Raises Invalid."""
    try:
        members = MemberList.model_validate(body, strict=True).root
    except ValidationError as error:
        raise _invalid(error, "The members are not valid.") from None
    return [member.strip().lower() if "@" in member else member for member in members]


def segment_resource(segment: Segment) -> dict[str, Any]:
    """The JSON object."""
    resource: dict[str, Any] = {"id": segment.id, "name": segment.name}
    if segment.rule is None:
        return resource | {"type": "static"}
    return resource | {"type": "dynamic", "rule": segment.rule}


def member_resource(contact: SegmentContact) -> dict[str, Any]:
    """The JSON object."""
    member = SegmentMember(id=contact.id, email=contact.email)
    return member.model_dump(exclude_none=True)


def _invalid(error: ValidationError, detail: str) -> Invalid:
    found = error.errors(include_url=False, include_input=False)
    return Invalid(violations_from(found), detail=detail)
