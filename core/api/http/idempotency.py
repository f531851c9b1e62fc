"""Idempotency-Key in requests and Idempotency-Replayed in answers (draft-ietf-httpapi-idempotency-key-header)."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Header
from pydantic import AfterValidator

IdempotencyKey = Annotated[
    str | None,
    # White space around a header's value is no part of it (RFC 9110, 5.5); not every server takes it off.
    AfterValidator(lambda key: None if key is None else key.strip(" \t")),
    Header(
        alias="Idempotency-Key",
        description="New for each request; a repeat with the same key makes nothing more and is answered by what the "
        "first has made.",
    ),
]

_NAME = "Idempotency-Replayed"
_DOCUMENTED: Mapping[str, Any] = {
    _NAME: {
        "description": "`true` when this answers a repeat: nothing was made by this request.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}


def headers(*, replayed: bool) -> Mapping[str, str]:
    """The header of an answer to a repeat; none for one that made something."""
    return {_NAME: "true"} if replayed else {}


def says_so(status: int, answer: Mapping[str, Any]) -> dict[int | str, dict[str, Any]]:
    """The answer of a route to a new request or a repeat, as `responses` takes it."""
    return {status: {"headers": dict(_DOCUMENTED), **answer}}
