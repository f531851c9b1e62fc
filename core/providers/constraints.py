"""What the fields of an order may be together, by a model's declaration: flat fields, their domains and rules; pure.

It knows neither specs nor words for people; `core.catalog.rules` reads an order by it. Fields are

- of every order: `resolution`, `seconds`, `ratio`, `fps` (0: the model decides); `sound`, `enhance`, `negative`,
  `seed`, `start` and `end`, which are 1 where given and else 0; how many `images`, `videos` and `sounds` it refers to;
- sums: `visuals` (images and videos) and `references` (all three);
- the model's own, which no order names: they have the first value of their domain (`VideoModel.further`).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from core.providers.models import CapabilityRule, Condition, VideoModel

Value = str | int

SUMS: Mapping[str, tuple[str, ...]] = {"visuals": ("images", "videos"), "references": ("images", "videos", "sounds")}
"""Field that is counted -> the fields it is the sum of."""

MEDIA = ("start", "end", "images", "videos", "sounds", *SUMS)
"""Fields that only a person can give more of."""

PRECIOUS_FIRST = (
    "start",
    "images",
    "videos",
    "sounds",
    "end",
    "ratio",
    "seconds",
    "resolution",
    "sound",
    "negative",
    "seed",
    "fps",
    "enhance",
)
"""Fields of every order, the one that is sacrificed last before all others."""

_GIVEN = Condition(at_least=1)
NEEDS_START = CapabilityRule(when={}, then={"start": _GIVEN}, sentence="", id="needs-start-image")
END_NEEDS_START = CapabilityRule(when={"end": _GIVEN}, then={"start": _GIVEN}, sentence="", id="end-image-needs-start")
"""What the flags of a model say, as rules; whoever tells them has their sentences."""


@dataclass(frozen=True)
class Constraints:
    """Domains by field, in the order of precious ones first, and the rules between them, each with an id of its own."""

    domains: Mapping[str, tuple[Value, ...]]
    rules: tuple[CapabilityRule, ...]

    def broken(self, values: Mapping[str, Value], *, about: str = "") -> Iterator[CapabilityRule]:
        """The rules that values of all fields break; only those that speak of the field `about` where one is given."""
        for rule in self._rules_about[about] if about else self.rules:
            if _all_hold(rule.when, values) and not _all_hold(rule.then, values):
                yield rule

    def fitting(self, values: Mapping[str, Value], field: str) -> tuple[Value, ...]:
        """What a field may be while all others stay, as far as rules that speak of it are concerned."""
        return tuple(
            value
            for value in self.domains[field]
            if next(self.broken({**values, field: value}, about=field), None) is None
        )

    def nearest(self, wanted: Mapping[str, Sequence[Value]]) -> dict[str, Value] | None:
        """Values that break no rule, from a list a field with the best first; None where there are none.

        A precious field keeps a better value at whatever expense of the less precious ones after it. Of values that no
        rule tells apart only the best is tried, so that a long domain costs no more than a short one.
        """
        fields = list(self.domains)
        tried = [self.one_of_a_kind(field, wanted[field]) for field in fields]
        decided = self._decided_at
        found: dict[str, Value] = {}

        def assign(place: int) -> bool:
            if place == len(fields):
                return True
            for value in tried[place]:
                found[fields[place]] = value
                if not any(_breaks(rule, found) for rule in decided[place]) and assign(place + 1):
                    return True
            found.pop(fields[place], None)
            return False

        return found if assign(0) else None

    def one_of_a_kind(self, field: str, values: Sequence[Value]) -> list[Value]:
        """The first of the values of each kind, where no rule tells the values of a kind apart."""
        if field in self._told_apart:
            return list(values)
        asked = [condition for conditions in self._conditions for name, condition in conditions if name == field]
        kinds: dict[tuple[bool, ...], Value] = {}
        for value in values:
            kinds.setdefault(tuple(_holds(condition, value, {}) for condition in asked), value)
        return list(kinds.values())

    @cached_property
    def _conditions(self) -> list[list[tuple[str, Condition]]]:
        return [[*rule.when.items(), *rule.then.items()] for rule in self.rules]

    @cached_property
    def _rules_about(self) -> Mapping[str, tuple[CapabilityRule, ...]]:
        spoken_of = [(rule, fields_of(rule)) for rule in self.rules]
        return {field: tuple(rule for rule, fields in spoken_of if field in fields) for field in self.domains}

    @cached_property
    def _decided_at(self) -> list[list[CapabilityRule]]:
        """The rules by the place of the last field that they speak of."""
        place_of = {field: place for place, field in enumerate(self.domains)}
        decided: list[list[CapabilityRule]] = [[] for _field in self.domains]
        for rule in self.rules:
            decided[max((place_of[field] for field in fields_of(rule)), default=0)].append(rule)
        return decided

    @cached_property
    def _told_apart(self) -> frozenset[str]:
        """Fields of which each value may matter: they are compared with another one, or summed up."""
        found: set[str] = set()
        for conditions in self._conditions:
            for name, condition in conditions:
                if condition.same_as:
                    found |= {name, condition.same_as}
                found |= set(SUMS.get(name, ()))
        return frozenset(found)


@lru_cache(maxsize=500)
def constraints(model: VideoModel) -> Constraints:
    """What a model declares; its flags are rules like its own."""
    domains: dict[str, tuple[Value, ...]] = {
        "start": _given_where(model.start_image),
        "images": tuple(range(model.reference_images + 1)),
        "videos": tuple(range(model.reference_videos + 1)),
        "sounds": tuple(range(model.reference_sounds + 1)),
        "end": _given_where(model.end_image),
        "ratio": model.aspect_ratios,
        "seconds": model.durations,
        "resolution": model.resolutions,
        "sound": (1,) if model.always_audio else _given_where(model.audio),
        "negative": _given_where(model.negative_prompt or model.ignores_negative_prompt),
        "seed": _given_where(model.seed),
        "fps": (0, *model.frame_rates),
        "enhance": _given_where(model.prompt_enhancement),
    }
    of_flags = [rule for rule, is_so in _flags(model) if is_so]
    own = [
        rule if rule.id else CapabilityRule(rule.when, rule.then, rule.sentence, id=f"rule-{place}")
        for place, rule in enumerate(model.rules, 1)
    ]
    return Constraints({**domains, **model.further}, (*of_flags, *own))


def defaults(model: VideoModel) -> dict[str, Value]:
    """An order that names nothing but the model, and a start image where there is nothing without one."""
    first: dict[str, Value] = {field: domain[0] for field, domain in constraints(model).domains.items()}
    return first | {
        "resolution": preferred(model.resolutions, "720p"),
        "seconds": model.default_seconds,
        "ratio": preferred(model.aspect_ratios, "16:9"),
        "start": int(not model.text_to_video),
    }


def preferred(offered: Sequence[str], wish: str) -> str:
    """The wish where it is on offer, else the first."""
    return wish if wish in offered else offered[0]


def fields_of(rule: CapabilityRule) -> frozenset[str]:
    """The fields a rule speaks of, those of its sums for a sum."""
    named = set(rule.when) | set(rule.then)
    named |= {condition.same_as for part in (rule.when, rule.then) for condition in part.values() if condition.same_as}
    return frozenset(field for name in named for field in SUMS.get(name, (name,)))


def failing(rule: CapabilityRule, values: Mapping[str, Value]) -> list[str]:
    """The fields of `then` that are not as a broken rule says."""
    return [name for name, condition in rule.then.items() if not _holds(condition, _value(name, values), values)]


def mistakes(model: VideoModel) -> list[str]:
    """What is wrong with a model's rules, one sentence each; empty for a model that can be offered as declared."""
    known = constraints(model)
    if wrong := [*_misnamed(model, known), *_misspelt(known)]:
        return wrong
    begins = defaults(model)
    wrong = [f"What it makes by default breaks the rule {rule.id}." for rule in known.broken(begins)]
    return wrong + [f"No order can have {field} {value!r}." for field, value in _unreachable(known)]


def _flags(model: VideoModel) -> Iterable[tuple[CapabilityRule, bool]]:
    return (NEEDS_START, not model.text_to_video), (END_NEEDS_START, model.end_image and model.end_image_needs_start)


def _given_where(is_taken: bool) -> tuple[int, ...]:
    return (0, 1) if is_taken else (0,)


def _value(field: str, values: Mapping[str, Value]) -> Value:
    if field in SUMS:
        return sum(int(values[name]) for name in SUMS[field])
    return values[field]


def _all_hold(conditions: Mapping[str, Condition], values: Mapping[str, Value]) -> bool:
    return all(_holds(condition, _value(name, values), values) for name, condition in conditions.items())


def _breaks(rule: CapabilityRule, values: Mapping[str, Value]) -> bool:
    return _all_hold(rule.when, values) and not _all_hold(rule.then, values)


def _holds(condition: Condition, value: Value, values: Mapping[str, Value]) -> bool:
    if condition.values:
        return value in condition.values
    if condition.same_as:
        return value == _value(condition.same_as, values)
    if isinstance(value, str):
        return False
    return (condition.at_least is None or value >= condition.at_least) and (
        condition.at_most is None or value <= condition.at_most
    )


def _misnamed(model: VideoModel, known: Constraints) -> Iterator[str]:
    """Fields that there are not, or more than once."""
    for field, domain in model.further.items():
        if field in PRECIOUS_FIRST or field in SUMS:
            yield f"Every order has a field {field}; it is not the model's own."
        if not domain or len(set(domain)) != len(domain):
            yield f"The field {field} needs values, each once."
    ids = [rule.id for rule in known.rules]
    yield from (f"Two rules are named {each}." for each in sorted({each for each in ids if ids.count(each) > 1}))
    there = {*known.domains, *SUMS}
    for rule in known.rules:
        yield from (f"The rule {rule.id} speaks of a field {name}." for name in sorted(_named(rule) - there))
        if not rule.then:
            yield f"The rule {rule.id} says nothing."


def _misspelt(known: Constraints) -> Iterator[str]:
    """Values that no field can have, and conditions that say nothing."""
    for rule in known.rules:
        for name, condition in [*rule.when.items(), *rule.then.items()]:
            domain: Collection[Any] | None = known.domains.get(name)
            if condition == Condition():
                yield f"The rule {rule.id} does not say what {name} has to be."
            elif domain is not None:
                for value in condition.values:
                    if value not in domain:
                        yield f"The rule {rule.id} speaks of {name} {value!r}, which no order can have."


def _named(rule: CapabilityRule) -> set[str]:
    return {*rule.when, *rule.then, *(c.same_as for part in (rule.when, rule.then) for c in part.values() if c.same_as)}


def _unreachable(known: Constraints) -> Iterator[tuple[str, Value]]:
    """Values that break a rule whatever the other fields are; nothing given is none where something has to be."""
    if not known.rules:
        return
    for field, domain in known.domains.items():
        for value in known.one_of_a_kind(field, domain):
            is_nothing = field in MEDIA and value == 0
            if not is_nothing and known.nearest({**known.domains, field: (value,)}) is None:
                yield field, value
