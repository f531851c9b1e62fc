"""Further vendors without code: a file names instances of known kinds, their models, and shipped models to hide.

`[vendor.NAME]` is an instance of a `kind`, with its address and options; `[[vendor.NAME.model]]` is a model of it, or a
further one of a shipped provider of that name. Every error names the line and the field.
"""

import json
import pkgutil
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import setting_values
from core.catalog.catalogue import Entry
from core.catalog.change_rules import check_price
from core.providers import model_files
from core.providers.contract import Provider
from core.providers.model_files import BadRecord
from core.providers.models import VideoModel
from core.providers.registry import Registry, check_model

KINDS: Mapping[str, str] = {
    "comfyui": "core.providers.adapters.comfyui:ComfyUI",
    "openaivideo": "core.providers.adapters.openaivideo:OpenAIVideo",
}
"""Kind of which there is no instance by itself -> its class; every registered provider is a kind, too."""

NAME = re.compile(r"[a-z][a-z0-9]{0,39}")
_FIELDS = frozenset({"kind", "name", "base_url", "max_in_flight", "min_poll_seconds", "needs_key", "options", "model"})


class BadVendorsFile(ValueError):
    """A file of vendors cannot be used; its text is one sentence that names file, line and field."""


@dataclass(frozen=True, slots=True)
class _Broken(Exception):
    sentence: str
    path: tuple[str | int, ...]


def add(registry: Registry, file: Path) -> None:
    """Put what a file of vendors says into a registry, all or nothing. Raises BadVendorsFile."""
    try:
        text = file.read_text("utf-8")
        content = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as failure:
        reason = failure.strerror if isinstance(failure, OSError) else str(failure)
        raise BadVendorsFile(f"{file.name} cannot be read: {reason}.") from failure
    try:
        classes = [_class(registry, name, table, file.parent) for name, table in _vendors(content)]
        hidden = _hidden(content)
    except _Broken as broken:
        line, field = line_of(text, broken.path), _written(broken.path)
        raise BadVendorsFile(f"{file.name}, line {line}, {field}: {broken.sentence}") from None
    for provider in classes:
        try:
            registry.put(provider)
        except ValueError as wrong:
            line = line_of(text, ("vendor", provider.name))
            raise BadVendorsFile(f"{file.name}, line {line}, vendor.{provider.name}: {wrong}") from None
    try:
        registry.hide(hidden)
    except ValueError as wrong:
        raise BadVendorsFile(f"{file.name}, line {line_of(text, ('hide', 'models'))}, hide.models: {wrong}") from None


def _vendors(content: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    for name in content:
        if name not in ("vendor", "hide"):
            raise _Broken("There is no such table: a file of vendors has [vendor.NAME] and [hide].", (name,))
    vendors = content.get("vendor", {})
    if not isinstance(vendors, Mapping):
        raise _Broken("It must be tables [vendor.NAME].", ("vendor",))
    for name, table in vendors.items():
        if not NAME.fullmatch(name):
            raise _Broken("A name is small letters and digits, at most 40, and begins with a letter.", ("vendor", name))
        if not isinstance(table, Mapping):
            raise _Broken("It must be a table.", ("vendor", name))
    return list(vendors.items())


def _class(registry: Registry, name: str, table: Mapping[str, Any], folder: Path) -> type[Provider]:
    """The class of an instance: its kind's, with what the file says in the place of the class's own."""
    at = ("vendor", name)
    for field in table:
        if field not in _FIELDS:
            raise _Broken(f"There is no such field. There are: {', '.join(sorted(_FIELDS))}.", (*at, field))
    kind = _kind(registry, name, table.get("kind"))
    shipped = registry.is_registered(name)
    models, catalogue = _models(registry, name, table.get("model", []), kind, folder)
    if shipped:
        if set(table) - {"model"}:
            field = next(field for field in table if field != "model")
            sentence = f"'{name}' is a provider of its own: the file only adds models to it. Its key and address are"
            raise _Broken(f"{sentence} {name.upper()}_API_KEY and {name.upper()}_BASE_URL.", (*at, field))
        own = registry.provider_class(name)
        _check_models(own, models)
        return type(
            own.__name__,
            (own,),
            {
                "models": (*own.models, *models),
                "catalogue": {**own.catalogue, **catalogue},
                "__module__": own.__module__,
            },
        )
    if not models:
        raise _Broken(f"It has no models: add [[vendor.{name}.model]].", at)
    options = _table(table.get("options", {}), (*at, "options"))
    values: dict[str, Any] = {
        "name": name,
        "display_name": _text(table.get("name", name), (*at, "name")),
        "models": models,
        "catalogue": catalogue,
        "options": options,
        "from_file": True,
        **kind.class_data(options),
        "__module__": kind.__module__,
    }
    if "base_url" in table:
        values |= {"default_base_url": _address(kind, table["base_url"], (*at, "base_url")), "given_address": True}
    if "max_in_flight" in table:
        values["max_in_flight"] = _count(table["max_in_flight"], (*at, "max_in_flight"))
    if "min_poll_seconds" in table:
        values["min_poll_seconds"] = float(_count(table["min_poll_seconds"], (*at, "min_poll_seconds")))
    if "needs_key" in table:
        if not isinstance(table["needs_key"], bool):
            raise _Broken("It must be true or false.", (*at, "needs_key"))
        values["needs_key"] = table["needs_key"]
    made: type[Provider] = type(kind.__name__, (kind,), values)
    if wrong := made.option_error():
        raise _Broken(wrong.sentence, (*at, "options", *_parts(wrong.field)))
    _check_models(made, models)
    return made


def _check_models(provider: type[Provider], models: Sequence[VideoModel]) -> None:
    for place, model in enumerate(models):
        if wrong := provider.model_error(model):
            raise _Broken(wrong.sentence, ("vendor", provider.name, "model", place, *_parts(wrong.field)))


def _kind(registry: Registry, name: str, kind: Any) -> type[Provider]:
    if registry.is_registered(name) and kind is None:
        return registry.provider_class(name)
    known = ", ".join(sorted({*KINDS, *(provider.name for provider in registry.providers())}))
    if kind is None:
        raise _Broken(f"It needs a kind. There are: {known}.", ("vendor", name))
    if isinstance(kind, str) and kind in KINDS:
        found: type[Provider] = pkgutil.resolve_name(KINDS[kind])
        return found
    if not isinstance(kind, str) or not registry.is_registered(kind):
        raise _Broken(f"There is no such kind. There are: {known}.", ("vendor", name, "kind"))
    return registry.provider_class(kind)


def _models(
    registry: Registry, name: str, tables: Any, kind: type[Provider], folder: Path
) -> tuple[tuple[Any, ...], dict[str, Mapping[str, Any]]]:
    if not isinstance(tables, Sequence) or isinstance(tables, str):
        raise _Broken(f"It must be tables [[vendor.{name}.model]].", ("vendor", name, "model"))
    found = []
    for place, table in enumerate(tables):
        try:
            found.append(model_files.record(_with_files(kind, table, folder), provider=name))
            entry = Entry.of(found[-1].model, found[-1].catalogue)
            check_model(found[-1].model, provider=name)
            _check_prices(entry)
        except BadRecord as wrong:
            raise _Broken(wrong.sentence, ("vendor", name, "model", place, *_parts(wrong.field))) from None
        except ValueError as wrong:
            raise _Broken(str(wrong), ("vendor", name, "model", place)) from None
        if taken := registry.find_model(found[-1].model.id):
            sentence = f"There is already a model of this id, of {taken.provider}."
            raise _Broken(sentence, ("vendor", name, "model", place, "id"))
        if not found[-1].catalogue.get("prices"):
            raise _Broken("It has no price: add [[vendor.NAME.model.prices]].", ("vendor", name, "model", place))
    return tuple(each.model for each in found), {each.model.id: each.catalogue for each in found}


def _check_prices(entry: Entry) -> None:
    """Every size of a model has a price at every moment, since a list of models cannot be shown without."""
    for place, price in enumerate(entry.prices):
        try:
            check_price(price, entry.model)
        except BadRecord as wrong:
            raise BadRecord(wrong.sentence, f"prices[{place}].{wrong.field}") from None


def _with_files(kind: type[Provider], table: Any, folder: Path) -> Any:
    """A model's table with what is in the files that its options name, relative to the file of vendors."""
    options = table.get("options") if isinstance(table, Mapping) else None
    if not isinstance(options, Mapping):
        return table
    return table | {
        "options": {
            name: _json_file(folder, value, f"options.{name}") if name in kind.file_options else value
            for name, value in options.items()
        }
    }


def _json_file(folder: Path, value: Any, field: str) -> Any:
    if not isinstance(value, str) or not value:
        raise BadRecord("It must be the name of a file beside this one.", field)
    try:
        return json.loads((folder / value).read_text("utf-8"))
    except OSError as failure:
        raise BadRecord(f"{value} cannot be read: {failure.strerror}.", field) from failure
    except (ValueError, RecursionError) as failure:
        raise BadRecord(f"{value} is no JSON: {failure}.", field) from failure


def _hidden(content: Mapping[str, Any]) -> tuple[str, ...]:
    table = _table(content.get("hide", {}), ("hide",))
    for field in table:
        if field != "models":
            raise _Broken("There is no such field: [hide] has models.", ("hide", field))
    models = table.get("models", [])
    if not isinstance(models, list) or not all(isinstance(each, str) for each in models):
        raise _Broken("It must be a list of ids of models.", ("hide", "models"))
    return tuple(models)


def _address(kind: type[Provider], value: Any, path: tuple[str | int, ...]) -> str:
    read = setting_values.web_address if kind.takes_base_path else setting_values.base_url
    try:
        return read(_text(value, path)).rstrip("/")
    except ValueError as wrong:
        raise _Broken(str(wrong), path) from None


def _text(value: Any, path: tuple[str | int, ...]) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Broken("It must be a text.", path)
    return value


def _table(value: Any, path: tuple[str | int, ...]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _Broken("It must be a table.", path)
    return value


def _count(value: Any, path: tuple[str | int, ...]) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise _Broken("It must be a whole number above 0.", path)
    return value


def _parts(field: str) -> tuple[str | int, ...]:
    """`rules[2].when.seconds` as parts; what stands behind a dot may be a name with spaces."""
    found: list[str | int] = []
    for name in filter(None, field.split(".")):
        word, *places = name.split("[")
        found.append(word)
        found += [int(place.rstrip("]")) for place in places if place.rstrip("]").isdigit()]
    return tuple(found)


def _written(path: Sequence[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?")
_KEY = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*=""")
_NAME = re.compile(r""""[^"]*"|'[^']*'|[A-Za-z0-9_-]+""")


def line_of(text: str, path: Sequence[str | int]) -> int:
    """The line, from 1, of the table or key in a TOML text that comes nearest to a path; 1 where nothing does."""
    best, found, here = 0, 1, tuple[str | int, ...]()
    seen: dict[tuple[str | int, ...], int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.fullmatch(line):
            here = _place(_names(header[2]), seen, is_list=header[1] == "[[")
            whole = here
        elif key := _KEY.match(line):
            whole = (*here, *_names(key[1]))
        else:
            continue
        shared = next((at for at, (a, b) in enumerate(zip(whole, path, strict=False)) if a != b), None)
        length = min(len(whole), len(path)) if shared is None else shared
        if length > best and length == len(whole):
            best, found = length, number
    return found


def _place(names: Sequence[str], seen: dict[tuple[str | int, ...], int], *, is_list: bool) -> tuple[str | int, ...]:
    """Where a header leads: the newest table of each list on the way, one more for a header in double brackets."""
    path: tuple[str | int, ...] = ()
    for at, name in enumerate(names):
        path = (*path, name)
        if is_list and at == len(names) - 1:
            seen[path] = seen.get(path, -1) + 1
        if path in seen:
            path = (*path, seen[path])
    return path


def _names(dotted: str) -> list[str]:
    return [name.strip("\"'") for name in _NAME.findall(dotted)]
