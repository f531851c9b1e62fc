"""Reads models as data: what each can make, from a file in TOML; it knows no price and no provider's class.

One record a model, under `[[model]]`, with the names of `VideoModel`. What a record says besides (prices, costs, life)
belongs to the catalogue and is handed on as it stands.
"""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from core.messages import Source
from core.providers.contract import BadFact
from core.providers.models import CapabilityRule, Condition, VideoModel

OF_CATALOGUE = frozenset({"prices", "costs", "life"})
"""Parts of a record that are not about what a model can make."""


_TYPES: Mapping[type, str] = {
    bool: "true or false",
    str: "a text",
    int: "a whole number above 0",
    list: "a list of texts",
    dict: "a table",
    Mapping: "a table",
    object: "a file that says something",
}


def wrong_type(wanted: type) -> str:
    """What is said of a value that is not of this type, one of those that TOML has."""
    return f"It must be {_TYPES[wanted]}."


def unknown_option(options: Mapping[str, Any], known: Collection[str]) -> BadFact | None:
    """The first of the options that there is not; None where all are known."""
    unknown = next((name for name in options if name not in known), None)
    return BadFact(f"There is no such option. There are: {', '.join(known)}.", unknown) if unknown is not None else None


def wrong_option(options: Mapping[str, Any], known: Mapping[str, type]) -> BadFact | None:
    """The first of the options that there is not, or that is not of its type; None where all can be read."""
    for name, value in options.items():
        if (unknown := unknown_option({name: value}, known)) is not None:
            return unknown
        if not isinstance(value, known[name]) or (isinstance(value, bool) and known[name] is not bool):
            return BadFact(wrong_type(known[name]), name)
    return None


class BadRecord(ValueError):
    """A record cannot be used; `field` names the place in it, as `rules[2].when.seconds`, empty for the whole."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(f"{field}: {sentence}" if field else sentence)
        self.sentence, self.field = sentence, field


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A model, and what its record says to the catalogue: the tables `prices`, `costs` and `life` as they stand."""

    model: VideoModel
    catalogue: Mapping[str, Any]


def beside(module: str, provider: str = "") -> tuple[tuple[VideoModel, ...], Mapping[str, Mapping[str, Any]]]:
    """The `models` and the `catalogue` of a provider, from the file beside its module, whose `__file__` this is.

    The provider is named as the module where no name is given. Raises BadRecord.
    """
    path = Path(module).with_suffix(".toml")
    records = read(path, provider=provider or path.stem)
    return tuple(found.model for found in records), {found.model.id: found.catalogue for found in records}


def read(path: Path, *, provider: str) -> tuple[ModelRecord, ...]:
    """The records of a file, all of one provider. Raises BadRecord, whose field begins with `model[N]`, N from 0."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as failure:
        raise BadRecord(f"{path.name} cannot be read: {failure}") from failure
    tables = content.get("model", [])
    if not isinstance(tables, list) or set(content) - {"model"}:
        raise BadRecord(f"{path.name} has [[model]] tables and nothing else.")
    found = []
    for place, table in enumerate(tables):
        try:
            found.append(record(table, provider=provider))
        except BadRecord as wrong:
            raise BadRecord(wrong.sentence, f"model[{place}].{wrong.field}".rstrip(".")) from None
    return tuple(found)


def record(table: Mapping[str, Any], *, provider: str) -> ModelRecord:
    """One record of TOML's or JSON's own types; raises BadRecord with the field that is wrong."""
    if not isinstance(table, Mapping):
        raise BadRecord("A model is a table.")
    catalogue = {name: value for name, value in table.items() if name in OF_CATALOGUE}
    values: dict[str, Any] = {"provider": provider}
    for name, value in table.items():
        if name in OF_CATALOGUE:
            continue
        if name not in _READERS:
            near = get_close_matches(name, [*_READERS, *OF_CATALOGUE], n=1)
            raise BadRecord("There is no such field." + "".join(f" Is it {each}?" for each in near), name)
        values[name] = _READERS[name](value, name)
    for name in _REQUIRED:
        if name not in values:
            raise BadRecord("It is missing.", name)
    return ModelRecord(VideoModel(**values), catalogue)


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise BadRecord("It must be a text.", field)
    return value


def _sentence(value: Any, field: str) -> Source:
    return Source(_text(value, field))


def _template(value: Any, field: str) -> str:
    """A text with places, each one of those that the field has."""
    places = _PLACES[field]
    try:
        _text(value, field).format(**dict.fromkeys(places, 0))
    except (KeyError, IndexError, ValueError) as wrong:
        raise BadRecord(f"Its places are: {', '.join('{' + place + '}' for place in places)}.", field) from wrong
    return str(value)


def _flag(value: Any, field: str) -> bool:
    if not isinstance(value, bool):
        raise BadRecord("It must be true or false.", field)
    return value


def _number(value: Any, field: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BadRecord("It must be a whole number from 0.", field)
    return value


def _figure(value: Any, field: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
        raise BadRecord("It must be a number above 0.", field)
    return float(value)


def _texts(value: Any, field: str) -> tuple[str, ...]:
    return tuple(_text(each, f"{field}[{place}]") for place, each in enumerate(_list(value, field)))


def _sentences(value: Any, field: str) -> tuple[Source, ...]:
    return tuple(map(Source, _texts(value, field)))


def _numbers(value: Any, field: str) -> tuple[int, ...]:
    """A list of whole numbers, or all from one to another as `{ from = 3, to = 15 }`."""
    if isinstance(value, Mapping):
        if set(value) != {"from", "to"}:
            raise BadRecord("A range is { from = ..., to = ... }.", field)
        first, last = _number(value["from"], f"{field}.from"), _number(value["to"], f"{field}.to")
        if not 0 <= last - first <= _LONGEST_RANGE:
            raise BadRecord(f"A range ends after it begins, and holds {_LONGEST_RANGE} numbers at most.", field)
        return tuple(range(first, last + 1))
    return tuple(_number(each, f"{field}[{place}]") for place, each in enumerate(_list(value, field)))


def _list(value: Any, field: str) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise BadRecord("It must be a list.", field)
    return value


def _table(value: Any, field: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadRecord("It must be a table.", field)
    return value


def _sizes(value: Any, field: str) -> dict[str, tuple[int, int]]:
    found = {}
    for pair, size in _table(value, field).items():
        numbers = _numbers(size, f"{field}.{pair}")
        if len(numbers) != 2 or not all(numbers):
            raise BadRecord("A size is [width, height] in pixels.", f"{field}.{pair}")
        found[pair] = (numbers[0], numbers[1])
    return found


def _rules(value: Any, field: str) -> tuple[CapabilityRule, ...]:
    return tuple(_rule(each, f"{field}[{place}]") for place, each in enumerate(_list(value, field)))


def _rule(value: Any, field: str) -> CapabilityRule:
    table = _table(value, field)
    if set(table) - {"id"} != {"when", "then", "sentence"}:
        raise BadRecord("A rule has `when`, `then`, `sentence`, and an `id` if it likes.", field)
    return CapabilityRule(
        when=_conditions(table["when"], f"{field}.when"),
        then=_conditions(table["then"], f"{field}.then"),
        sentence=_sentence(table["sentence"], f"{field}.sentence"),
        id=_text(table.get("id", ""), f"{field}.id"),
    )


def _further(value: Any, field: str) -> dict[str, tuple[str | int, ...]]:
    """Fields of the model's own with their values: a list of texts, or of whole numbers, or a range of them."""
    found: dict[str, tuple[str | int, ...]] = {}
    for name, domain in _table(value, field).items():
        is_words = isinstance(domain, list) and all(isinstance(each, str) for each in domain)
        found[name] = (_texts if is_words else _numbers)(domain, f"{field}.{name}")
    return found


def _conditions(value: Any, field: str) -> dict[str, Condition]:
    return {name: _condition(each, f"{field}.{name}") for name, each in _table(value, field).items()}


def _condition(value: Any, field: str) -> Condition:
    """A value, a list of them, `{ at_least = 1 }`, `{ at_most = 0 }`, both, or `{ same_as = "field" }`."""
    if isinstance(value, Mapping):
        if not value or set(value) - {"at_least", "at_most", "same_as"}:
            raise BadRecord("A condition has `at_least`, `at_most` or `same_as`.", field)
        bounds = {name: _number(each, f"{field}.{name}") for name, each in value.items() if name != "same_as"}
        same_as = _text(value.get("same_as", ""), f"{field}.same_as")
        return Condition(at_least=bounds.get("at_least"), at_most=bounds.get("at_most"), same_as=same_as)
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(each, str | int) for each in values):
        raise BadRecord("A condition is a text, a whole number, or a list of them.", field)
    return Condition(tuple(int(each) if isinstance(each, bool) else each for each in values))


_LONGEST_RANGE = 600
_PLACES: Mapping[str, tuple[str, ...]] = {
    "reference_tag": ("kind", "number", "index"),
    "mention": ("name", "references"),
}
_BY_TYPE = {str: _text, bool: _flag, int: _number, float: _figure}
_READERS: Mapping[str, Any] = {
    **dict.fromkeys(("id", "name", "upstream_id"), _text),
    "description": _sentence,
    **dict.fromkeys(("durations", "frame_rates"), _numbers),
    **dict.fromkeys(("resolutions", "aspect_ratios", "reference_roles"), _texts),
    "limits": _sentences,
    "sizes": _sizes,
    "rules": _rules,
    "further": _further,
    "options": _table,
    "image_max_ratio": _figure,
    **dict.fromkeys(("image_max_side", "published_seconds"), _number),
    **{
        field.name: _BY_TYPE[type(field.default)]
        for field in fields(VideoModel)
        if field.name != "upstream_id" and type(field.default) in _BY_TYPE
    },
    "default_seconds": _number,
    **dict.fromkeys(_PLACES, _template),
}
"""Field of a record -> what reads it."""

_REQUIRED = tuple(
    field.name for field in fields(VideoModel) if field.default is MISSING and field.default_factory is MISSING
)
