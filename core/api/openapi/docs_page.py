"""The documentation page: the OpenAPI document as HTML, made here, without a script and without asking anybody else."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from core.api.http import addresses, routing
from core.api.http.installed import CurrentInstallation
from core.api.openapi import document, recipes

router = routing.router("document")

Json = dict[str, Any]

_STYLE = Path(__file__).with_suffix(".css").read_text()
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@router.get("/docs", include_in_schema=False)
def docs(request: Request, installation: CurrentInstallation) -> HTMLResponse:
    """The page, for the address by which the API is reached."""
    described = document.of(request.app, base=request.scope.get("root_path", ""))
    return HTMLResponse(page(described, addresses.base_url(request, installation.settings)), headers=HEADERS)


def page(described: Json, address: str) -> str:
    """The whole page."""
    info = described["info"]
    tags = [tag for tag in described["tags"] if any(_operations(described, tag["name"]))]
    body = [
        f"<h1>{escape(info['title'])}: REST API</h1>",
        _prose(info["description"]),
        f"<p>Address: <code>{escape(address)}</code>. The same as a document for programs: "
        '<a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p>',
        '<nav aria-label="On this page"><ul>',
        '<li><a href="#examples">Examples to copy</a></li>',
        *(f'<li><a href="#{tag["name"]}">{escape(tag["name"].capitalize())}</a></li>' for tag in tags),
        "</ul></nav>",
        *_examples(address),
    ]
    for tag in tags:
        body += [f'<h2 id="{tag["name"]}">{escape(tag["name"].capitalize())}</h2>', _prose(tag["description"])]
        body += [_operation(described, *found) for found in _operations(described, tag["name"])]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])}: REST API</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main>{''.join(body)}</main></body></html>"
    )


def _operations(described: Json, tag: str) -> Iterator[tuple[str, str, Json]]:
    return (found for found in document.operations(described) if tag in found[2].get("tags", ()))


def _examples(address: str) -> Iterator[str]:
    """The recipes; a click on a program selects all of it."""
    yield '<h2 id="examples">Examples to copy</h2>'
    yield "<p>Each is complete. First tell the shell where the API is and who you are:</p>"
    yield _code(recipes.SET_UP.format(base=address), "Settings for the shell")
    for recipe in recipes.ALL:
        yield f"<h3>{escape(recipe.title)}</h3>{_prose(recipe.text)}"
        yield f"<h4>curl</h4>{_code(recipe.curl, f'{recipe.title}, with curl')}"
        yield f"<h4>Python, with httpx</h4>{_code(recipe.python, f'{recipe.title}, in Python')}"


def _operation(described: Json, method: str, path: str, operation: Json) -> str:
    """One operation, folded."""
    parts = [_prose(operation["description"])]
    if operation.get("parameters"):
        rows = [
            (f"<code>{escape(p['name'])}</code>", p["in"], _kind(p["schema"]), escape(p.get("description", "")))
            for p in operation["parameters"]
        ]
        parts += ["<h3>Parameters</h3>", _table(("Name", "In", "Form", "Meaning"), rows)]
    for media_type, media in operation.get("requestBody", {}).get("content", {}).items():
        parts += [f"<h3>Body, <code>{escape(media_type)}</code></h3>", _fields(described, media["schema"])]
        if "example" in media:
            parts.append(_code(_pretty(media["example"]), f"Example of a body for {method} {path}"))
    answers = [
        (f"<code>{status}</code>", escape(response["description"]), *_codes(response))
        for status, response in sorted(operation["responses"].items())
    ]
    parts += ["<h3>Answers</h3>", _table(("Status", "Meaning", "Code"), answers)]
    for status, response in operation["responses"].items():
        media = response.get("content", {}).get("application/json", {})
        if status.startswith("2") and "example" in media:
            parts.append(_code(_pretty(media["example"]), f"Example of an answer to {method} {path}"))
    return (
        f'<details id="{operation["operationId"]}"><summary><span class="method">{method}</span> '
        f'<code>{escape(path)}</code> <span class="soft">{_inline(operation["summary"])}</span></summary>'
        f"{''.join(parts)}</details>"
    )


def _codes(response: Json) -> tuple[str]:
    examples = response.get("content", {}).get("application/json", {}).get("examples", {})
    return (", ".join(f"<code>{escape(code)}</code>" for code in examples),)


def _fields(described: Json, schema: Json) -> str:
    """The fields of a body."""
    if "$ref" in schema:
        schema = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    required = schema.get("required", ())
    rows = [
        (f"<code>{escape(name)}</code>", _kind(field), "yes" if name in required else "no")
        for name, field in schema.get("properties", {}).items()
    ]
    return _table(("Field", "Form", "Required"), rows)


def _kind(schema: Json) -> str:
    """A schema in a few words."""
    if "anyOf" in schema:
        return " or ".join(_kind(part) for part in schema["anyOf"])
    if "$ref" in schema:
        return f"<code>{escape(schema['$ref'].rpartition('/')[2])}</code>"
    if "enum" in schema:
        return ", ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    words = [str(schema.get("type", "anything"))]
    if schema.get("type") == "array":
        words = ["list of", _kind(schema["items"])]
    words += [schema["format"]] if "format" in schema else []
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None:
        words.append(f"from {least:,.0f}")
    if most is not None:
        words.append(f"to {most:,.0f}")
    return " ".join(words)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are HTML already."""
    titles = "".join(f'<th scope="col">{title}</th>' for title in head)
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide" tabindex="0"><table><thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table></div>'


def _code(text: str, label: str) -> str:
    return (
        f'<pre class="copy" tabindex="0" role="region" aria-label="{escape(label)}"><code>{escape(text)}</code></pre>'
    )


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _prose(text: str) -> str:
    """Paragraphs with `code` in them."""
    return "".join(f"<p>{_inline(' '.join(part.split()))}</p>" for part in text.strip().split("\n\n") if part)


def _inline(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
