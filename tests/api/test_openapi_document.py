import json
import re
from typing import Any

import jsonschema_rs
import pytest

from core.api import api
from core.api.openapi import document
from core.api.openapi.document import Json
from tests.api.conftest import PREFIX, Client

DOCUMENT = document.of(api, base=PREFIX)
OPERATIONS = [(operation["operationId"], operation) for _method, _path, operation in document.operations(DOCUMENT)]
PLAIN_ID = re.compile(r"[a-z]+([A-Z][a-z]+)*")


def valid(value: Any, schema: Json) -> bool:
    """Whether a value is of a schema of the document."""
    whole = {**schema, "components": DOCUMENT["components"]}
    return bool(jsonschema_rs.validator_for(whole, validate_formats=True).is_valid(value))


def media(parts: Json) -> list[Json]:
    """What is sent as JSON."""
    return [sent for kind, sent in parts.get("content", {}).items() if kind == "application/json"]


def test_document_is_for_this_place(nobody: Client) -> None:
    """It is open to everybody, is OpenAPI 3.1 and names the address where the API is mounted."""
    answer = nobody.get("/openapi.json")

    assert answer.json() == json.loads(json.dumps(DOCUMENT))
    assert DOCUMENT["openapi"].startswith("3.1")
    assert DOCUMENT["servers"] == [{"url": PREFIX}]
    assert "HTTPValidationError" not in json.dumps(DOCUMENT)


def test_operation_ids_are_names() -> None:
    """Each operation has a name of its own that reads well in any language."""
    names = [name for name, _operation in OPERATIONS]

    assert len(set(names)) == len(names)
    assert [name for name in names if not PLAIN_ID.fullmatch(name)] == []
    assert {"generate", "estimateCredits", "getGenerationStatus", "listProjects", "cancelGeneration"} <= set(names)


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_operation_tells_all(name: str, operation: Json) -> None:
    """A summary of one line, who may, an example for each body and answer that is true to its schema."""
    assert 0 < len(operation["summary"]) < 130
    assert "\n" not in operation["summary"]
    assert "security" in operation
    if operation["security"]:
        assert {"401", "429"} <= set(operation["responses"])
    body = operation.get("requestBody")
    if body:
        assert {"413", "422"} <= set(operation["responses"])
    for sent in [*media(body or {}), *(one for part in operation["responses"].values() for one in media(part))]:
        examples = [sent["example"]] if "example" in sent else [one["value"] for one in sent["examples"].values()]
        assert examples
        for example in examples:
            assert valid(example, sent["schema"]), (name, example)


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_waiting_is_told_where_it_helps(name: str, operation: Json) -> None:
    """`Retry-After` is declared for 429 and 503, and for the status of what may still be under way."""
    declared = {
        status for status, response in operation["responses"].items() if "Retry-After" in response.get("headers", {})
    }

    polled = {"200", "304"} if name == "getGenerationStatus" else set()
    assert declared == {"429", "503"} & set(operation["responses"]) | polled


def test_links_lead_somewhere() -> None:
    """Each link names an operation that exists, and a parameter of it."""
    known = dict(OPERATIONS)
    links = [
        link
        for _name, operation in OPERATIONS
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    ]
    assert len(links) > 20
    for link in links:
        target = known[link["operationId"]]
        assert set(link.get("parameters", {})) <= {parameter["name"] for parameter in target.get("parameters", ())}
        assert {"requestBody", "parameters"} & set(link)


def test_refusals_of_what_is_asked_by_id() -> None:
    """Each route with an id in its address says that it can be unknown; one that changes something, that it may not."""
    for method, path, operation in document.operations(DOCUMENT):
        if "{id}" in path:
            expected = {"404"} if method == "GET" else {"404", "409"}
            assert expected <= set(operation["responses"]), (method, path)
