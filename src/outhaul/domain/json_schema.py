"""How our JSON objects are documented: absent properties are left out, never null."""

from typing import Any


def tidy(schema: dict[str, Any]) -> None:
    """For pydantic's `json_schema_extra`: drop what a reader of the schema need not see."""
    for property_schema in schema.get("properties", {}).values():
        # A title would only repeat the property's name, in worse casing.
        property_schema.pop("title", None)
        choices = property_schema.get("anyOf", [])
        kept = [choice for choice in choices if choice.get("type") != "null"]
        if len(kept) == 1 and len(choices) > 1:
            del property_schema["anyOf"]
            property_schema.update(kept[0])
        if property_schema.get("default", ...) is None:
            del property_schema["default"]
