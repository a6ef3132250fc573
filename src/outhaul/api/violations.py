"""Findings of pydantic, said as violations: name, JSON pointer, and what would be right."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from outhaul.domain.errors import Violation
from outhaul.domain.json_pointer import pointer

_REASONS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "missing": lambda _: "is required",
    "extra_forbidden": lambda _: "is not a known property",
    "model_type": lambda _: "must be an object",
    "model_attributes_type": lambda _: "must be an object",
    "list_type": lambda _: "must be an array",
    "int_type": lambda _: "must be a whole number",
    "bool_type": lambda _: "must be true or false",
    "string_type": lambda _: "must be a string",
    "enum": lambda facts: f"must be one of {_spoken(facts['expected'])}",
    "literal_error": lambda facts: f"must be {_spoken(facts['expected'])}",
    "too_short": lambda _: "must not be empty; leave it out to have all",
    "greater_than_equal": lambda facts: f"must be at least {facts['ge']}",
    "less_than_equal": lambda facts: f"must be at most {facts['le']}",
}


def violations_from(findings: Iterable[Mapping[str, Any]], *, skip: int = 0) -> list[Violation]:
    """One violation per finding of pydantic; `skip` leading parts of a location are left out."""
    violations = []
    for finding in findings:
        location = [str(part) for part in finding["loc"]][skip:]
        say = _REASONS.get(finding["type"])
        violations.append(
            Violation(
                name=location[-1] if location else "body",
                path=pointer(location),
                reason=say(finding.get("ctx", {})) if say else finding["msg"],
            )
        )
    return violations


def _spoken(expected: str) -> str:
    return expected.replace("'", '"')
