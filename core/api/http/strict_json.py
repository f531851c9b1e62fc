"""Reads JSON bodies so that two readers cannot understand them differently (RFC 8259, with I-JSON's rules, RFC 7493).

A number without a fraction is a whole number, however it is written: `5.0` and `5e0` are 5 (JSON Schema 2020-12).
"""

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

from starlette.requests import Request

from core import logs

_WRITTEN = ("prompt", "negativePrompt")
_DEEPEST, _MOST_WORDS = 2, 20

_LARGEST = 2**53
"""What is larger is no exact number to most readers, and is left as it is."""


class JsonRequest(Request):
    """A request whose JSON is read strictly."""

    async def json(self) -> Any:
        """The body; json.JSONDecodeError for what is not JSON in UTF-8, or names a field twice."""
        found = loads(await self.body())
        logs.bind(private=tuple(islice(_words(found, _DEEPEST), _MOST_WORDS)))
        return found


def _words(found: Any, deeper: int) -> Iterator[str]:
    """What somebody wrote to be made into a clip, which no line of the log holds."""
    if isinstance(found, dict):
        yield from (value for name in _WRITTEN if isinstance(value := found.get(name), str))
    if deeper:
        below = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
        for each in below:
            yield from _words(each, deeper - 1)


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
