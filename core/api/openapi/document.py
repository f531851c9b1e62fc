"""The OpenAPI document of the API: what FastAPI derives from the routes, and what holds for all of them.

That is who needs which scope, what can refuse before a route is reached, and an example of every shape. What a single
route refuses, sends and leads to stands on the route (see `answers`).
"""

import json
from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import Response

from core.api.http import routing
from core.api.http.auth import WORKSPACE_HEADER
from core.api.http.permissions import RouteTable
from core.api.openapi import examples as openapi_examples
from core.api.openapi.answers import NOT_MODIFIED, refuses
from core.api.schemas import responses as schema_responses
from core.db.enums import Scope

router = routing.router("document")

Json = dict[str, Any]

MAX_DOCUMENTS = 8
"""So many paths may lead to the API before their documents are made anew; a front says which path is its own."""

TITLE = "AI Video Generator"
DESCRIPTION = """Make video from text and images with several AI providers, at a price known up front.

Send `Authorization: Bearer <token>` with every call. Tokens are made on the account page, with `POST /tokens` or with
`python -m core.admin token EMAIL`. A token of scope `read` looks, one of `generate` also orders and changes, one of
`admin` also manages tokens, webhooks, teams and, for administrators, people. Where people sign in, the session of a
browser does as well; with it, everything but reading has to come from a page of the product.

Prices are whole credits. Times are UTC. A refusal has the shape
`{"success": false, "error": {"code", "message", "fields"?, "requestId"?}}`: `code` is stable, `message` is for people,
`fields` says what to change. Every answer carries an `X-Request-Id`, yours if you have sent one of up to 64 letters,
digits and `._:=+/~-`; administrative acts are found by it in the audit log. Every answer to a token carries
`RateLimit-Policy` and `RateLimit`; a 429 or 503 says in `Retry-After` how many seconds to wait. Reads of JSON carry an
`ETag`: send it back as `If-None-Match`; what has not changed answers 304.
"""

TAGS = {
    "projects": "Folders of generations.",
    "models": "What can be made, by whom, at what price.",
    "credits": "Prices, balance and credit movements.",
    "uploads": "Images that a clip starts or ends with.",
    "assets": "The library of a workspace: images, short videos and sounds to make clips from.",
    "asset-groups": "Characters, products and styles: names that a prompt says with an @.",
    "generations": "Order, watch, cancel, repeat and delete clips.",
    "bulk jobs": "One change, or a download, for everything that matches a filter.",
    "saved filters": "Filters of the library under a name.",
    "sheets": "Tables of orders: checked row by row, ordered as a whole.",
    "presets": "Saved settings of an order.",
    "share-links": "Links with which people outside watch chosen clips.",
    "media": "The files.",
    "usage": "What was spent.",
    "exports": "All figures as files for analysts' own tools.",
    "budgets": "How much may be spent in a month, and what is left.",
    "closed periods": "Months whose figures are final, for administrators.",
    "statements": "Bills of providers beside our own records, for administrators; analysts look.",
    "charge-back": "What workspaces, projects and cost centres have used, for those who see everybody's figures.",
    "notices": "What a person was told: their inbox.",
    "attention": "What waits for a person, for managers and administrators.",
    "ways": "How a person is told beside their inbox: mail, chats and a webhook of their own.",
    "tokens": "Tokens for scripts.",
    "workspaces": "What projects, clips and credits belong to: everybody's own, and teams.",
    "members": "Who is in a workspace.",
    "invitations": "Links with which somebody comes in.",
    "people": "Who may come in, for administrators.",
    "grants": "Credits booked to workspaces and moved between them.",
    "catalogue": "What is said of models, for administrators: life, prices, costs, vendor's ids.",
    "uncertain": "Clips whose charge an administrator has to decide.",
    "audit log": "Administrative acts, for administrators.",
    "webhooks": "Addresses that events are sent to when a clip ends.",
    "health": "Whether this installation works.",
    "hooks": "Notices from providers.",
}


@router.get("/openapi.json", include_in_schema=False)
async def openapi_json(request: Request) -> Response:
    """The document, for the address by which it was asked for."""
    return Response(json.dumps(of(request.app, base=request.scope.get("root_path", ""))), media_type="application/json")


def of(api: FastAPI, *, base: str) -> Json:
    """The document of the API at a path; made once for each, as long as there are few."""
    documents: dict[str, Json] = api.state.documents
    if base not in documents:
        if len(documents) >= MAX_DOCUMENTS:
            documents.clear()
        documents[base] = _build(api, base)
    return documents[base]


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
        routes=[route.documented() if isinstance(route, routing.Route) else route for route in api.routes],
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
    summary, _, details = operation.pop("description", "").strip().partition("\n\n")
    operation["summary"] = " ".join(summary.split()).rstrip(".")
    scope = f"Needs a token of scope `{need}`." if need else "Needs no token."
    operation["description"] = f"{' '.join(details.split())}\n\n{scope}".strip()
    operation["security"] = [{"token": [str(need)]}] if need else []
    responses = operation["responses"]
    responses |= {str(status): refusal for status, refusal in refuses(*_by_rule(operation, need)).items()}
    if "422" in responses and "Refusal" not in json.dumps(responses["422"]):
        del responses["422"]  # FastAPI's own, for a path or header that no body or query stands beside
    if method == "GET" and "application/json" in responses.get("200", {}).get("content", {}):
        responses.setdefault("304", NOT_MODIFIED)
    for content in (operation.get("requestBody", {}), *responses.values()):
        for media_type, media in content.get("content", {}).items():
            if media_type == "application/json" and not {"example", "examples"} & set(media) and media.get("schema"):
                media["example"] = openapi_examples.example(media["schema"], parts)


def _by_rule(operation: Json, need: Scope | None) -> set[int]:
    """The statuses with which an operation can refuse for what stands before every route; its own are on the route."""
    statuses = {500, 503}
    if need is not None:
        statuses |= {401, 429}
    if need not in (None, Scope.READ):
        statuses.add(403)
    if "requestBody" in operation:
        statuses |= {400, 413, 422}
    if any(parameter["name"] == WORKSPACE_HEADER for parameter in operation.get("parameters", ())):
        statuses.add(404)
    if any(parameter["in"] == "query" for parameter in operation.get("parameters", ())):
        statuses.add(422)
    return statuses
