"""Examples for the document: put together from those that fields and models carry, else the plainest value there is."""

from typing import Any

from core.api.schemas import requests

Json = dict[str, Any]

ID = "0197a3c2-5e1b-7c40-8f21-3b9f6d2a7e10"
MOMENT = "2026-03-14T09:26:53Z"


def example(schema: Json, parts: Json) -> Any:
    """A value of a schema; `parts` are the document's components."""
    if "$ref" in schema:
        return example(parts[schema["$ref"].rpartition("/")[2]], parts)
    if schema.get("examples"):
        return schema["examples"][0]
    for found in ("const", "default"):
        if found in schema:
            return schema[found]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example(schema["anyOf"][0], parts)
    return _of_type(schema, parts)


def _of_type(schema: Json, parts: Json) -> Any:
    match schema.get("type"):
        case "object":
            return {key: example(part, parts) for key, part in schema.get("properties", {}).items()}
        case "array":
            return [example(schema["items"], parts)] if "items" in schema else []
        case "integer" | "number":
            return schema.get("minimum", 0)
        case "boolean":
            return False
        case "string" if schema.get("format") == "date-time":
            return MOMENT
        case "string" if schema.get("format") == "date":
            return MOMENT[:10]
        case "string" if schema.get("pattern") == requests.ID_PATTERN:
            return ID
        case "string":
            return "…"
        case _:
            return None
