"""What is kept of a vendor's words for log and administrators: no key, no file, nothing without end."""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from core.providers import storable
from core.redaction import redactor

T = TypeVar("T")
MAX_KEPT_CHARS = 2000
"""Of one text."""
MAX_KEPT_TOTAL_CHARS, MAX_KEPT_PARTS = 50_000, 2000
"""Of one reply."""
READ_CHARS = 3 * MAX_KEPT_CHARS
_LONGEST_FORM = 12
"""How many times as long as itself a key can be written: escaped twice."""


def redact_text(text: str, key: str) -> str:
    """`text` with the key blacked out, however it is written there."""
    return redactor(key)(text)


def truncate(text: str, whole_chars: int | None = None) -> str:
    """`text`, or its beginning and how long it was; `whole_chars` if that was more than is given."""
    length = len(text) if whole_chars is None else whole_chars
    if length <= MAX_KEPT_CHARS:
        return text
    return f"{text[:MAX_KEPT_CHARS]}... ({length} characters)"


def redact(value: Any, *, key: str) -> Any:
    """A JSON value fit to be stored: no key in it, no string that is really a file, nothing a database refuses.

    Of a very large one the beginning is kept.
    """
    return _Kept(key).of(value)


class _Kept:
    """One value on its way to be stored, and how much more of it may be kept."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._parts_left = MAX_KEPT_PARTS
        self._chars_left = MAX_KEPT_TOTAL_CHARS

    def of(self, value: Any) -> Any:
        """The value as it is kept."""
        self._parts_left -= 1
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            kept = {self._text(str(name)): self.of(item) for name, item in self._while_there_is_room(value.items())}
            return kept if self._parts_left > 0 else kept | {"...": f"{len(value)} parts"}
        if isinstance(value, list):
            return [self.of(item) for item in self._while_there_is_room(value)]
        if isinstance(value, float) and not math.isfinite(value):
            return str(value)
        return value

    def _while_there_is_room(self, parts: Iterable[T]) -> Iterator[T]:
        return itertools.takewhile(lambda _: self._parts_left > 0, parts)

    def _text(self, value: str) -> str:
        if self._chars_left <= 0:
            return "..."
        kept = _text_as_kept(value, self._key)
        self._chars_left -= len(kept)
        return kept


def _text_as_kept(value: str, key: str) -> str:
    if value.startswith("data:") and len(value) > MAX_KEPT_CHARS:
        return f"data: ({len(value)} characters)"
    clean = storable.text(redact_text(value[:READ_CHARS], key))
    if len(value) <= READ_CHARS:
        return truncate(clean)
    whole = clean[: max(0, len(clean) - _LONGEST_FORM * len(key))]  # the cut may have left a piece of a key
    return f"{whole[:MAX_KEPT_CHARS]}... ({len(value)} characters)"


def without_files(kept: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    """`kept` without what fields of these names hold at any depth, unless that is an address."""
    clean: dict[str, Any] = {}
    for name, value in kept.items():
        if isinstance(value, Mapping):
            clean[name] = without_files(value, names)
        elif isinstance(value, list):
            clean[name] = [without_files(each, names) if isinstance(each, Mapping) else each for each in value]
        elif (
            name in names
            and isinstance(value, str)
            and not value.startswith(("https://", "http://"))
            and not value.startswith("data: (")
        ):
            clean[name] = f"({len(value)} characters)" if value else ""
        else:
            clean[name] = value
    return clean
