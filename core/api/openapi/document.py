"""The OpenAPI document of the API: what FastAPI derives from the routes, and what it cannot know beside it.

Who needs which scope, which refusals can come, what follows from what (links), and an example of everything.
"""

import json
from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import Response

from core import errors
from core.api.http import routing
from core.api.http.permissions import RouteTable
from core.api.openapi import examples as openapi_examples
from core.api.schemas import responses as schema_responses
from core.db.enums import Scope

router = routing.router("document")

Json = dict[str, Any]

TITLE = "AI Video Generator"
DESCRIPTION = """Make video from text and images with several AI providers, at a price that is known before.

Send `Authorization: Bearer <token>` with every call. Tokens are made on the account page, with `POST /tokens` or with
`python -m core.cli token EMAIL`. A token of scope `read` looks, one of `generate` also orders and changes, one of
`admin` also manages tokens and webhooks.

Prices are whole credits. Times are UTC. A refusal has the shape
`{"success": false, "error": {"code", "message", "fields"?}}`: `code` is stable, `message` is for people, `fields` says
what to change. Every answer to a token carries `RateLimit-Policy` and `RateLimit`; a 429 or 503 says in `Retry-After`
how many seconds to wait. Reads of JSON carry an `ETag`: send it back as `If-None-Match`; what has not changed answers
304.
"""

TAGS = {
    "projects": "Folders of generations.",
    "models": "What can be made, by whom, at what price.",
    "credits": "Prices, balance and movements.",
    "uploads": "Images that a clip starts or ends with.",
    "generations": "Order, watch, cancel, repeat and delete clips.",
    "presets": "Settings of an order under a name.",
    "media": "The files.",
    "usage": "What was spent.",
    "tokens": "Tokens for scripts.",
    "webhooks": "Addresses that are told when a clip ends.",
    "health": "Whether this installation works.",
    "hooks": "Calls of vendors.",
}

NAMES = {
    "cancel": "cancelGeneration",
    "retry": "retryGeneration",
    "delete": "deleteGeneration",
    "generate": "generate",
    "get_status": "getGenerationStatus",
    "download": "downloadGeneration",
    "estimate": "estimateCredits",
    "health": "getHealth",
    "metrics": "getMetrics",
    "get_month": "getUsageMonth",
    "put_budget": "setBudget",
    "serve_media": "getMedia",
    "serve_archive": "getArchive",
    "listen": "listenToGenerations",
    "last_frame": "takeLastFrame",
    "take_hook": "takeHook",
}
"""Function name -> operation id, where the name alone says too little outside its module."""

REFUSALS: dict[int, tuple[str, tuple[type[errors.AppError], ...]]] = {
    401: ("No valid token was sent.", (errors.Unauthorized,)),
    402: ("The balance does not cover the price.", (errors.InsufficientCredits,)),
    403: ("Known caller, but not allowed to do this.", (errors.Forbidden,)),
    404: ("It does not exist, or it is not yours.", (errors.NotFound,)),
    409: ("What is there now does not allow this.", (errors.Conflict, errors.IdempotencyConflict)),
    413: ("Too large a body, or the storage is full.", (errors.TooLarge, errors.StorageFull)),
    422: ("Fields that need a change.", (errors.InvalidRequest, errors.MediaRejected)),
    429: ("Too many requests with this token; see Retry-After.", (errors.RateLimited,)),
    500: ("Something went wrong on our side; the message has a reference for the log.", (errors.AppError,)),
    503: ("Something this needs is away or busy; see Retry-After.", (errors.ProviderNotConfigured,)),
}

MORE: dict[str, tuple[int, ...]] = {
    "generate": (402, 404, 409),
    "generateBatch": (402, 404, 409),
    "createPreset": (409,),
    "createWebhook": (409,),
    "retryGeneration": (402, 413, 422),
    "createToken": (409,),
    "listProjects": (404,),
    "listGenerations": (404,),
    "getUsage": (403, 404),
    "getUsageMonth": (403, 404),
    "getWhatIf": (403, 404),
    "setBudget": (404,),
    "getMetrics": (403,),
    "getMedia": (403, 404),
    "takeHook": (404,),
    "takeLastFrame": (413, 422),
    "getArchive": (403, 404),
    "downloadSeveral": (404,),
    "downloadGeneration": (409,),
}
"""Refusals of single operations that no rule of `_refusals` gives."""

_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}
_NOT_MODIFIED = {"description": "Nothing has changed since the ETag that was sent as If-None-Match."}
_FILE = {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}
_PART = {
    "206": {"description": "The part that was asked for with Range.", "content": {"*/*": _FILE}},
    "304": _NOT_MODIFIED,
    "416": {"description": "The part that was asked for lies outside the file."},
}
ANSWERS: dict[str, Json] = {
    "downloadGeneration": {"200": {"content": {"video/mp4": _FILE}}} | _PART,
    "getMedia": {"200": {"content": {"*/*": _FILE}}} | _PART,
    "getArchive": {"200": {"content": {"application/zip": _FILE}}},
    "downloadSeveral": {"200": {"content": {"application/zip": _FILE}}},
    "getUsage": {"200": {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    "getGenerationStatus": {"200": {"headers": _RETRY_AFTER}, "304": _NOT_MODIFIED | {"headers": _RETRY_AFTER}},
}
"""Answers that are not JSON, or that carry more than FastAPI knows."""

LINKS: dict[tuple[str, str], dict[str, Json]] = {
    ("createProject", "201"): {
        name: {"operationId": name, "parameters": {"id": "$response.body#/project/id"}}
        for name in ("getProject", "changeProject", "deleteProject")
    }
    | {"generate": {"operationId": "generate", "requestBody": {"projectId": "$response.body#/project/id"}}},
    ("generate", "202"): {
        name: {"operationId": name, "parameters": {"id": "$response.body#/generation/id"}}
        for name in (
            "getGeneration",
            "getGenerationStatus",
            "downloadGeneration",
            "cancelGeneration",
            "retryGeneration",
            "deleteGeneration",
        )
    },
    ("retryGeneration", "202"): {
        "getGenerationStatus": {
            "operationId": "getGenerationStatus",
            "parameters": {"id": "$response.body#/generation/id"},
        }
    },
    ("uploadImage", "200"): {
        "generate": {"operationId": "generate", "requestBody": {"startImagePath": "$response.body#/filePath"}}
    },
    ("createPreset", "201"): {
        name: {"operationId": name, "parameters": {"id": "$response.body#/preset/id"}}
        for name in ("changePreset", "deletePreset")
    },
    ("createWebhook", "201"): {
        name: {"operationId": name, "parameters": {"id": "$response.body#/webhook/id"}}
        for name in ("getWebhook", "changeWebhook", "rotateSecret", "sendTest", "listDeliveries", "deleteWebhook")
    },
    ("createToken", "201"): {
        "revokeToken": {"operationId": "revokeToken", "parameters": {"id": "$response.body#/token/id"}}
    },
    ("listGenerations", "200"): {
        "nextPage": {"operationId": "listGenerations", "parameters": {"cursor": "$response.body#/nextCursor"}}
    },
}


def operation_id(route: APIRoute) -> str:
    """How clients call an operation."""
    return NAMES.get(route.name) or to_camel(route.name)


@router.get("/openapi.json", include_in_schema=False)
async def openapi_json(request: Request) -> Response:
    """The document, for the address by which it was asked for."""
    return Response(json.dumps(of(request.app, base=request.scope.get("root_path", ""))), media_type="application/json")


def of(api: FastAPI, *, base: str) -> Json:
    """The document of the API at an address; made once."""
    made: dict[str, Json] = api.state.documents
    if base not in made:
        made[base] = _build(api, base)
    return made[base]


def operations(document: Json) -> Iterable[tuple[str, str, Json]]:
    """Method, path and operation of everything in a document."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _build(api: FastAPI, base: str) -> Json:
    document = get_openapi(
        title=TITLE,
        version="1",
        openapi_version="3.1.0",
        description=DESCRIPTION,
        routes=api.routes,
        webhooks=api.webhooks.routes,
        servers=[{"url": base or "/"}],
        tags=[{"name": name, "description": text} for name, text in TAGS.items()],
    )
    parts = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        parts.pop(unused, None)
    refusal = schema_responses.Refusal.model_json_schema(ref_template="#/components/schemas/{model}")
    parts.update(refusal.pop("$defs"))
    parts["Refusal"] = refusal
    document["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "A token of the account page."}
    }
    table: RouteTable = api.state.table
    for method, path, operation in operations(document):
        _complete(operation, method, path, table.required_scope(method, path.replace("{", "").replace("}", "")), parts)
    return document


def _complete(operation: Json, method: str, path: str, need: Scope | None, parts: Json) -> None:
    """Add to an operation what FastAPI does not know."""
    said = operation.pop("description", "").strip()
    operation["summary"], _, more = said.partition("\n\n")
    operation["summary"] = " ".join(operation["summary"].split()).rstrip(".")
    scope = f"Needs a token of scope `{need}`." if need else "Needs no token."
    operation["description"] = f"{' '.join(more.split())}\n\n{scope}".strip()
    operation["security"] = [{"token": [str(need)]}] if need else []
    responses = operation["responses"]
    for status, response in ANSWERS.get(operation["operationId"], {}).items():
        known = responses.setdefault(status, {"content": {}})
        more_content = response.get("content", {})
        responses[status] = {**known, **response, "content": known.get("content", {}) | more_content}
    for refused in sorted(_refusals(operation, method, path, need)):
        responses[str(refused)] = _refusal(refused)
    if method == "GET" and "application/json" in responses.get("200", {}).get("content", {}):
        responses.setdefault("304", _NOT_MODIFIED)
    for content in (operation.get("requestBody", {}), *responses.values()):
        for media_type, media in content.get("content", {}).items():
            if media_type == "application/json" and "example" not in media and media.get("schema"):
                media["example"] = openapi_examples.example(media["schema"], parts)
    for (producer, status_of), links in LINKS.items():
        if producer == operation["operationId"]:
            responses[status_of]["links"] = links


def _refusals(operation: Json, method: str, path: str, need: Scope | None) -> set[int]:
    """The statuses with which an operation can refuse: by rule, and those of `MORE`."""
    found = {500, 503, *MORE.get(operation["operationId"], ())}
    if need is not None:
        found |= {401, 429}
    if need not in (None, Scope.READ):
        found.add(403)
    if "{id}" in path:
        found.add(404)
        if method != "GET":
            found.add(409)
    if "requestBody" in operation:
        found |= {400, 413, 422}
    if any(parameter["in"] == "query" for parameter in operation.get("parameters", ())):
        found.add(422)
    if "422" in operation["responses"] and 422 not in found:  # FastAPI's own shape, of a path or header alone
        del operation["responses"]["422"]
    return found


def _refusal(status: int) -> Json:
    """A refusal, with an example of each kind."""
    if status == 400:
        description = "The body cannot be read."
        kinds = [("invalid_json", "The body of the request is not valid JSON.")]
    else:
        description, classes = REFUSALS[status]
        kinds = [(kind.code, kind.sentence) for kind in classes]
    examples = {
        code: {"value": {"success": False, "error": {"code": code, "message": message}}} for code, message in kinds
    }
    response: Json = {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}, "examples": examples}},
    }
    if status in (429, 503):
        response["headers"] = _RETRY_AFTER
    return response
