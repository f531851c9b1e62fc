"""What the product says to people: a message is a code with parameters, and becomes words where somebody reads it.

It is kept as JSON and asserted by its code. `str(message)` is English; another door subclasses `Writer` with the words
and figures of its reader's language.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import Formatter
from typing import Any, TypeAlias

from core.messages import of_attention, of_charge_back, of_library, of_notices, of_sheets, of_statements
from core.messages.catalogue import N_, PLAIN, TEMPLATES, Source

__all__ = ["N_", "Message", "Source", "Writer", "as_message", "message", "places", "plain", "register"]

TEMPLATES.update(of_sheets.SENTENCES)
TEMPLATES.update(of_charge_back.SENTENCES)
TEMPLATES.update(of_library.SENTENCES)
TEMPLATES.update(of_notices.SENTENCES)
TEMPLATES.update(of_attention.SENTENCES)
TEMPLATES.update(of_statements.SENTENCES)

Param: TypeAlias = "str | int | float | Message | Sequence[Message]"


@dataclass(frozen=True, slots=True)
class Message:
    """A code of the catalogue and what stands in the places of its sentence; ValueError when the two do not fit.

    Figures stay numbers, a message may stand within another one, and several stand one after another.
    """

    code: str
    params: Mapping[str, Param] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if self.params.keys() != places(self.code):
            raise ValueError(f"the message '{self.code}' does not fit the parameters {sorted(self.params)}")

    def __str__(self) -> str:
        return _ENGLISH.write(self)

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {"code": self.code, "params": {name: _to_json(value) for name, value in self.params.items()}}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Message | None":
        """A message as it was kept; None for a code or parameters that this release does not know."""
        try:
            return cls(kept["code"], {name: _from_json(value) for name, value in kept["params"].items()})
        except ValueError:
            return None


def message(code: str, /, **params: Param) -> Message:
    """A message of the catalogue; ValueError when the parameters are not those of its sentence."""
    return Message(code, params)


def plain(text: str) -> Message:
    """A text as a message: put into the reader's language where the catalogues have it, else shown as it is."""
    return Message(PLAIN, {"text": text})


def as_message(said: Message | str) -> Message:
    """What was said, as a message; a bare text is one that is marked with `N_` where it stands."""
    return said if isinstance(said, Message) else plain(said)


def register(code: str, sentence: str) -> None:
    """Add a sentence that stands beside what it is about, marked with `N_`; ValueError for a code that has another."""
    if TEMPLATES.setdefault(code, sentence) != sentence:
        raise ValueError(f"the message '{code}' has another sentence already")


class Writer(Formatter):
    """Puts a message into words; a door gives it the words and figures of its reader's language."""

    def translate(self, sentence: str) -> str:
        """A sentence of the catalogue in the reader's language, its places unfilled."""
        return sentence

    def figure(self, english: str) -> str:
        """A figure such as `1,250` or `4.2` as the reader's language writes it."""
        return english

    def write(self, message: Message) -> str:
        """The words of a message."""
        if message.code == PLAIN:
            return self.translate(str(message.params["text"]))
        return self.vformat(self.translate(TEMPLATES[message.code]), (), message.params)

    def format_field(self, value: Any, format_spec: str) -> str:
        """What stands in a place; see `string.Formatter`."""
        if isinstance(value, Message):
            return self.write(value)
        if isinstance(value, tuple):
            return " ".join(self.write(each) for each in value)
        written = format(value, format_spec)
        return self.figure(written) if format_spec else written


_ENGLISH = Writer()
_known_places: dict[str, frozenset[str]] = {}


def places(code: str) -> frozenset[str]:
    """The names of the places in a sentence. ValueError for a code that is not in the catalogue."""
    if code not in _known_places:
        if code not in TEMPLATES:
            raise ValueError(f"there is no message '{code}'")
        parsed = Formatter().parse(TEMPLATES[code])
        _known_places[code] = frozenset(name for _text, name, _format, _conversion in parsed if name)
    return _known_places[code]


def _to_json(value: Param) -> Any:
    if isinstance(value, Message):
        return value.to_json()
    if isinstance(value, tuple):
        return [each.to_json() for each in value]
    return value


def _from_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        within = Message.from_json(value)
        if within is None:
            raise ValueError("a message within this one is not known")
        return within
    if isinstance(value, list):
        return tuple(_from_json(each) for each in value)
    return value
