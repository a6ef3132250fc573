"""A segment: a named set of an account's contacts."""

from dataclasses import dataclass

LONGEST_SEGMENT_NAME = 250


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A segment as it is now."""

    id: str
    name: str
