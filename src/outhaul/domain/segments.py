"""A segment: a named set of an account's contacts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LONGEST_SEGMENT_NAME = 250


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A segment as it is now."""

    id: str
    name: str
    rule: Mapping[str, Any] | None = None
    """Finds the members of a dynamic segment, as JSON; None: the segment is static."""


@dataclass(frozen=True, kw_only=True)
class SegmentContact:
    """A contact that is in a segment."""

    id: str
    email: str | None
