"""Examples for the document: a plausible value for every shape, told from its name and its schema."""

from typing import Any

from core.api.schemas import requests
from core.catalog import price_list

Json = dict[str, Any]

ID = "0197a3c2-5e1b-7c40-8f21-3b9f6d2a7e10"
MOMENT = "2026-03-14T09:26:53Z"

EXAMPLES_BY_NAME: Json = {
    "id": ID,
    "projectId": ID,
    "generationId": ID,
    "name": "Spring campaign",
    "description": "Clips for the spring campaign.",
    "modelId": "veo3",
    "model": "Google Veo 3",
    "modelName": "Google Veo 3",
    "provider": "modelslab",
    "displayName": "ModelsLab",
    "prompt": "A lake at dusk, mist rising",
    "negativePrompt": "blurry",
    "resolution": "1080p",
    "resolutions": ["720p", "1080p"],
    "aspectRatio": "16:9",
    "aspectRatios": ["16:9", "9:16", "1:1"],
    "duration": 8,
    "durations": [8],
    "defaultDuration": 8,
    "maxDuration": 8,
    "total": 3250,
    "totalIdr": 162_500,
    "creditUsed": 3250,
    "baseCredits": 2500,
    "breakdown": {"base": 2500, "resolution": 750},
    "feasible": True,
    "reasons": [],
    "configured": True,
    "priceVersion": price_list.VERSION,
    "progress": 40,
    "startImagePath": None,
    "endImagePath": None,
    "videoUrl": None,
    "thumbnailUrl": None,
    "previewUrl": None,
    "errorCode": None,
    "errorMessage": None,
    "retryOf": None,
    "completedAt": None,
    "archivedAt": None,
    "file": None,
    "nextCursor": None,
    "filePath": "uploads/0197a3c2-5e1b-7c40-8f21-3b9f6d2a7e10/5f2c.png",
    "fileName": "start.png",
    "fileSize": 184_220,
    "width": 1280,
    "height": 720,
    "available": 96_750,
    "held": 3250,
    "idrPerCredit": 50,
    "prefix": "avg_3vQx9LmT",
    "secret": "avg_3vQx9LmT…",
    "message": "3250 credits are reserved.",
    "success": True,
}


def example(schema: Json, parts: Json, name: str = "") -> Any:
    """A value of a schema; `parts` are the document's components, `name` the property it is for."""
    if "$ref" in schema:
        return example(parts[schema["$ref"].rpartition("/")[2]], parts, name)
    if schema.get("examples"):
        return schema["examples"][0]
    if name in EXAMPLES_BY_NAME and _fits(EXAMPLES_BY_NAME[name], schema):
        return EXAMPLES_BY_NAME[name]
    for found in ("const", "default"):
        if found in schema:
            return schema[found]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example(schema["anyOf"][0], parts, name)
    return _of_type(schema, parts)


def _fits(value: Any, schema: Json) -> bool:
    """Whether a value is of one of the types that a schema allows; shapes of our own are put together instead."""
    if "anyOf" in schema:
        return any(_fits(value, part) for part in schema["anyOf"])
    allowed = _TYPES.get(schema.get("type", ""))
    return allowed is not None and type(value) in allowed and "properties" not in schema


_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def _of_type(schema: Json, parts: Json) -> Any:
    match schema.get("type"):
        case "object":
            return {key: example(part, parts, key) for key, part in schema.get("properties", {}).items()}
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
