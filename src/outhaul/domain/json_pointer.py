"""JSON pointers (RFC 6901), which say where in a body something is wrong."""

from collections.abc import Iterable


def pointer(parts: Iterable[str]) -> str:
    """A JSON pointer; the empty one means the whole body."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)
