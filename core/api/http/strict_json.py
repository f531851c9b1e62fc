"""Reads JSON bodies so that two readers cannot understand them differently (RFC 8259, with I-JSON's rules, RFC 7493).

A number without a fraction is a whole number, however it is written: `5.0` and `5e0` are 5 (JSON Schema 2020-12).
"""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from starlette.requests import Request

_LARGEST = 2**53
"""What is larger is no exact number to most readers, and is left as it is."""


class JsonRequest(Request):
    """A request whose JSON is read strictly."""

    async def json(self) -> Any:
        """The body; json.JSONDecodeError for what is not JSON in UTF-8, or names a field twice."""
        return loads(await self.body())


def loads(body: bytes) -> Any:
    """Read a body. json.JSONDecodeError for what is not JSON or names a field twice, UnicodeDecodeError for what is not
    in UTF-8."""
    return json.loads(body.decode("utf-8-sig"), object_pairs_hook=_object, parse_float=_number)


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise json.JSONDecodeError("A name stands twice in one object of the body's JSON.", "", 0)
    return found


def _number(text: str) -> float | int:
    value = float(text)
    if value.is_integer() and abs(value) < _LARGEST and Decimal(text) == int(value):
        return int(value)
    return value
