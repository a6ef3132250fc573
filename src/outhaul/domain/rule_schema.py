"""The published JSON Schema of the rule of a dynamic segment.

Which operator and value fit a field depends on the account's fields; `rule_reading` judges that.
"""

from typing import Any

from outhaul.domain.rule_reading import MOST_DAYS, MOST_TIMES
from outhaul.domain.rules import Operator

_RULE = {"$ref": "#/$defs/rule"}
_RULES = {"type": "array", "minItems": 1, "items": _RULE}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


RULE_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Rule of a dynamic segment",
    "$ref": "#/$defs/rule",
    "$defs": {
        "rule": {
            "oneOf": [
                _object(["all"], all=_RULES),
                _object(["any"], any=_RULES),
                _object(["not"], **{"not": _RULE}),
                _object(
                    ["field", "is", "value"],
                    field={"type": "string", "description": "The id of a contact field."},
                    **{"is": {"enum": [operator.value for operator in Operator]}},
                    value={
                        "oneOf": [
                            {"type": ["string", "number", "boolean"]},
                            _object(
                                ["daysAgo"],
                                daysAgo={
                                    "type": "integer",
                                    "minimum": -MOST_DAYS,
                                    "maximum": MOST_DAYS,
                                },
                            ),
                        ]
                    },
                ),
                _object(
                    ["activity"],
                    activity={"type": "string", "description": "An activity type."},
                    atLeast={
                        "type": "integer",
                        "minimum": 1,
                        "maximum": MOST_TIMES,
                        "default": 1,
                    },
                    lastDays={
                        "type": "integer",
                        "minimum": 1,
                        "maximum": MOST_DAYS,
                        "description": "Left out: ever.",
                    },
                ),
            ]
        }
    },
}
