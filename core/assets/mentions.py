r"""Reads names such as `@mira` in a prompt; pure, and it knows neither groups nor models.

A name begins with a letter and goes on with letters, figures, `_` and `-`. What stands behind a letter (an e-mail
address), names a host (`@example.com`, `@you@host`) or has a backslash before it (`\@mira`) is text.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core import normal_form

NAME_LIMIT_CHARS = 40


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in a text: `text[start:end]` is the name with its @."""

    start: int
    end: int
    name: str

    @property
    def key(self) -> str:
        """The name in its normal form, by which it is known."""
        return normal_form.normal(self.name)


def find(text: str) -> list[Mention]:
    """The names in a text, in their order."""
    return [mention for mention in _after_signs(text) if mention is not None and not _is_escaped(text, mention.start)]


def is_name(name: str) -> bool:
    """Whether a text can be such a name: written with an @ it is found, all of it."""
    return 0 < len(name) <= NAME_LIMIT_CHARS and [found.name for found in find(f"@{name}")] == [name]


def replaced(text: str, words: Mapping[str, str]) -> str:
    """The text with words in place of the names whose key is known, and without the backslashes before others."""
    parts, place = [], 0
    for mention in _after_signs(text):
        if mention is None:
            continue
        if _is_escaped(text, mention.start):
            parts += [text[place : mention.start - 1], text[mention.start : mention.end]]
        else:
            parts += [text[place : mention.start], words.get(mention.key, text[mention.start : mention.end])]
        place = mention.end
    return "".join(parts) + text[place:]


def escaped(text: str) -> str:
    """The text with a backslash before all that could be taken for a name, so that it stays as it is."""
    parts: Sequence[str] = []
    place = 0
    for mention in _after_signs(text):
        if mention is not None:
            parts = [*parts, text[place : mention.start], "\\"]
            place = mention.start
    return "".join(parts) + text[place:]


def _after_signs(text: str) -> Iterator[Mention | None]:
    """What follows each @ of a text, escaped or not; None where that is no name."""
    place = text.find("@")
    while place != -1:
        yield _at(text, place)
        place = text.find("@", place + 1)


def _at(text: str, start: int) -> Mention | None:
    before = text[start - 1 : start]
    if before == "@" or (before and _is_of_name(before) and not normal_form.is_without_spaces(before)):
        return None
    end = start + 1
    while end < len(text) and _is_of_name(text[end]) and not _changes_script(text, start + 1, end):
        end += 1
    while text[end - 1] == "-":
        end -= 1
    name = text[start + 1 : end]
    if not name or unicodedata.category(name[0])[0] != "L" or _is_host(text, end):
        return None
    return Mention(start, end, name)


def _is_host(text: str, end: int) -> bool:
    """Whether a name goes on as an address does; a sentence that ends and has no space behind it begins large."""
    following = text[end + 1 : end + 2]
    if text[end : end + 1] == ".":
        return following.isascii() and (following.islower() or following.isdigit())
    return text[end : end + 1] == "@" and bool(following) and _is_of_name(following)


def _is_of_name(letter: str) -> bool:
    return letter in "_-" or unicodedata.category(letter)[0] in "LMN"


def _changes_script(text: str, first: int, place: int) -> bool:
    """Whether a name ends since signs follow that stand without spaces, or the other way round: `@mira走`."""
    return place > first and normal_form.is_without_spaces(text[place]) is not normal_form.is_without_spaces(
        text[place - 1]
    )


def _is_escaped(text: str, start: int) -> bool:
    return text[start - 1 : start] == "\\"
