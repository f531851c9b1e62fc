"""Reads those tables of a model's record that are the catalogue's: prices, costs, life; errors name their field."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from core.catalog.records import Cost, Life, LifeState, PerSecondPrice, Price, PublishedPrice, Sure
from core.providers.model_files import BadRecord

Word = TypeVar("Word", bound=StrEnum)
Dated = TypeVar("Dated", Price, Cost, Life)

WAYS = ("per_second", "per_clip", "per_million_tokens", "per_call", "per_gpu_second")
"""How a vendor counts; a cost has exactly one of them."""
_COST_FIGURES = ("frames_per_second", "per_image", "per_reference", "free_references", "minimum", "factor_percent")


def prices(tables: Any) -> tuple[Price, ...]:
    """The prices of `[[model.prices]]`, oldest first. Raises BadRecord."""
    return _in_order(
        [_price(table, f"prices[{place}]") for place, table in enumerate(_tables(tables, "prices"))], "prices"
    )


def costs(tables: Any) -> tuple[Cost, ...]:
    """The costs of `[[model.costs]]`, oldest first. Raises BadRecord."""
    return _in_order([_cost(table, f"costs[{place}]") for place, table in enumerate(_tables(tables, "costs"))], "costs")


def lives(tables: Any) -> tuple[Life, ...]:
    """The life of `[model.life]` or `[[model.life]]`, oldest first. Raises BadRecord."""
    given = [tables] if isinstance(tables, Mapping) else tables
    return _in_order([_life(table, f"life[{place}]") for place, table in enumerate(_tables(given, "life"))], "life")


def moment(value: Any, field: str) -> datetime:
    """A day (its beginning in UTC) or a moment with its zone, of TOML's own types or as ISO 8601 text."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
        except ValueError:
            raise BadRecord("It must be a day as 2026-11-28, or a moment.", field) from None
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise BadRecord("A moment needs its zone, as 2026-11-28T00:00:00Z.", field)
        return value.astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise BadRecord("It must be a day as 2026-11-28, or a moment.", field)


def _price(table: Mapping[str, Any], field: str) -> Price:
    since = moment(table.get("since"), f"{field}.since")
    if "base_credits" in table:
        _only(table, {"since", "base_credits", "default_seconds"}, field)
        base = _number(table["base_credits"], f"{field}.base_credits", least=1)
        return PublishedPrice(since, base, _number(table.get("default_seconds"), f"{field}.default_seconds", least=1))
    extras = ("minimum_seconds", "image_credits", "reference_credits", "free_references")
    _only(table, {"since", "credits_per_second", *extras}, field)
    rates = _figures(table.get("credits_per_second"), f"{field}.credits_per_second")
    figures = {name: _number(table[name], f"{field}.{name}") for name in extras if name in table}
    return PerSecondPrice(since, rates, **figures)


def _cost(table: Mapping[str, Any], field: str) -> Cost:
    _only(table, {"since", "source", "sure", *WAYS, *_COST_FIGURES}, field)
    ways = [name for name in WAYS if name in table]
    if len(ways) != 1:
        raise BadRecord(f"A cost has exactly one of {', '.join(WAYS)}.", field)
    [way] = ways
    per_one = way in ("per_call", "per_gpu_second")
    amount = _number(table[way], f"{field}.{way}") if per_one else _figures(table[way], f"{field}.{way}")
    values: dict[str, Any] = {way: amount}
    values |= {name: _number(table[name], f"{field}.{name}") for name in _COST_FIGURES if name in table}
    if values.get("factor_percent", 0) > _MOST_PERCENT:  # with it an estimate is a figure that a column has a place for
        raise BadRecord(f"It must be at most {_MOST_PERCENT:,}.", f"{field}.factor_percent")
    return Cost(
        moment(table.get("since"), f"{field}.since"),
        _text(table.get("source"), f"{field}.source"),
        _word(Sure, table.get("sure", Sure.UNSURE), f"{field}.sure"),
        **values,
    )


def _life(table: Mapping[str, Any], field: str) -> Life:
    _only(table, {"since", "state", "successor", "reason"}, field)
    return Life(
        moment(table.get("since"), f"{field}.since"),
        _word(LifeState, table.get("state"), f"{field}.state"),
        _text(table.get("successor", ""), f"{field}.successor"),
        _text(table.get("reason", ""), f"{field}.reason"),
    )


def _tables(value: Any, field: str) -> list[Mapping[str, Any]]:
    if not isinstance(value, list | tuple) or not all(isinstance(each, Mapping) for each in value):
        raise BadRecord("It must be a list of tables.", field)
    return list(value)


def _only(table: Mapping[str, Any], known: set[str], field: str) -> None:
    for name in table:
        if name not in known:
            raise BadRecord("There is no such field.", f"{field}.{name}")


def _number(value: Any, field: str, *, least: int = 0) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _MOST:
        raise BadRecord(f"It must be a whole number from {least} to {_MOST:,}.", field)
    return value


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise BadRecord("It must be a text.", field)
    return value


def _figures(value: Any, field: str) -> dict[str, int]:
    if not isinstance(value, Mapping) or not value:
        raise BadRecord('It must be a table such as { "720p" = 77, "720p sound" = 116 }.', field)
    return {name: _number(each, f"{field}.{name}") for name, each in value.items()}


def _word(words: type[Word], value: Any, field: str) -> Word:
    try:
        return words(value)
    except ValueError:
        raise BadRecord(f"It must be one of {', '.join(words)}.", field) from None


def _in_order(found: list[Dated], field: str) -> tuple[Dated, ...]:
    moments = [each.since for each in found]
    if len(set(moments)) != len(moments):
        raise BadRecord("Two of them begin at the same moment.", field)
    return tuple(sorted(found, key=lambda each: each.since))


_MOST = 10**12
_MOST_PERCENT = 10_000
