"""Makes a spec fit a model: keeps what that can make, changes the rest to the nearest, and says what; pure."""

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.catalog.order_fields import flat, sentence
from core.messages import Message
from core.providers import constraints
from core.providers.constraints import Constraints, Value
from core.providers.contract import MediaKind
from core.providers.models import VideoModel
from core.spec import GenerationSpec, Reference


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One setting that could not stay; `given` is None where it had to be left out.

    `reason` is the rule that the model's value of it would have broken; None for what the model never makes.
    """

    field: str
    wanted: Any
    given: Any = None
    reason: Message | None = dataclasses.field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Adapted:
    """A spec as a model can take it, and what had to change for that."""

    spec: GenerationSpec
    changes: tuple[Adjustment, ...]


def adapt(spec: GenerationSpec, model: VideoModel) -> Adapted:
    """The same for `model`; what is given up first is the last of `constraints.PRECIOUS_FIRST`.

    `rules.check` takes it, but for what only a person can do: images that the model needs and nobody gave, and the
    length of texts, since nobody else may shorten words.
    """
    known, values = constraints.constraints(model), flat(model, spec)
    made = _makeable(known, values)
    possible = _settings(spec, model, made)
    changed = {name: value for name, value in possible.items() if value != getattr(spec, name)}
    if not changed and spec.model_id == model.id:
        return Adapted(spec, ())
    changes = tuple(
        Adjustment(name, getattr(spec, name), value or None, _reason(model, known, values, made, _FLAT[name]))
        for name, value in changed.items()
    )
    return Adapted(replace(spec, model_id=model.id, **changed), changes)


def nearest_ratio(offered: Sequence[str], width: int, height: int) -> str | None:
    """The ratio, such as `9:16`, that comes nearest to the shape of a picture; None where none is one of figures."""
    shapes = {ratio: math.log(int(parts[1]) / int(parts[2])) for ratio in offered if (parts := _RATIO.fullmatch(ratio))}
    return min(shapes, key=lambda ratio: abs(shapes[ratio] - math.log(width / height)), default=None)


_RATIO = re.compile("([1-9][0-9]*):([1-9][0-9]*)")

_FLAT: Mapping[str, str] = {
    "resolution": "resolution",
    "duration_seconds": "seconds",
    "aspect_ratio": "ratio",
    "start_image_key": "start",
    "generate_audio": "sound",
    "enhance_prompt": "enhance",
    "negative_prompt": "negative",
    "end_image_key": "end",
    "seed": "seed",
    "fps": "fps",
    "references": "images",
}
"""Setting of a spec -> the field of the rules that it is, in the order in which changes are told."""


def _makeable(known: Constraints, values: Mapping[str, Value]) -> dict[str, Value]:
    """The nearest values that the model makes; images that it needs and nobody gave are in it."""
    wanted = {name: _by_preference(name, known.domains[name], values[name]) for name in known.domains}
    nearest = {name: best[0] for name, best in wanted.items()}
    if next(known.broken(nearest), None) is None:
        return nearest
    found = known.nearest(wanted)
    if found is None:
        for name in ("start", "end", "images", "videos", "sounds"):
            more = [value for value in known.domains[name] if value not in wanted[name]]
            wanted[name] = [*wanted[name], *more]
        found = known.nearest(wanted)
    if found is None:
        raise ValueError("No order breaks none of these rules.")
    return found


def _by_preference(name: str, domain: Sequence[Value], wish: Value) -> list[Value]:
    """What a field may become, the nearest to the wish first."""
    if name not in (*_FLAT.values(), "videos", "sounds"):  # cannot be ordered
        return [domain[0]]
    if name in ("start", "end", "images", "videos", "sounds", "negative", "seed"):  # nobody else can give more of them
        return sorted((value for value in domain if int(value) <= int(wish)), reverse=True)
    if name == "seconds":
        return sorted(domain, key=lambda value: (abs(int(value) - int(wish)), -int(value)))
    if name == "fps":
        return sorted(domain, key=lambda value: (value != wish, value == 0, abs(int(value) - int(wish))))
    best = (wish, "720p") if name == "resolution" else (wish,)
    return [*(value for value in best if value in domain), *(value for value in domain if value not in best)]


def _settings(spec: GenerationSpec, model: VideoModel, made: Mapping[str, Value]) -> dict[str, Any]:
    """The values as settings of the spec, in the order of `_FLAT`."""
    return {
        "resolution": made["resolution"],
        "duration_seconds": made["seconds"],
        "aspect_ratio": made["ratio"],
        "start_image_key": spec.start_image_key if made["start"] else None,
        "generate_audio": spec.generate_audio if model.always_audio else bool(made["sound"]),
        "enhance_prompt": bool(made["enhance"]),
        "negative_prompt": spec.negative_prompt if made["negative"] or not spec.negative_prompt.strip() else "",
        "end_image_key": spec.end_image_key if made["end"] else None,
        "seed": spec.seed if made["seed"] else None,
        "fps": made["fps"] or None,
        "references": _kept(spec.references, model, made),
    }


def _kept(references: Sequence[Reference], model: VideoModel, made: Mapping[str, Value]) -> tuple[Reference, ...]:
    """The first of each kind of what was given, each in a role that the model knows."""
    roles = model.reference_roles or ("",)
    room = {kind: int(made[field]) for kind, field in _COUNTED.items()}
    kept = []
    for reference in references:
        if room[reference.kind] > 0:
            room[reference.kind] -= 1
            kept.append(reference if reference.role in roles else reference._replace(role=roles[0]))
    return tuple(kept)


_COUNTED: Mapping[str, str] = {MediaKind.IMAGE: "images", MediaKind.VIDEO: "videos", MediaKind.SOUND: "sounds"}
"""Kind of a reference -> the field of the rules that counts it."""


def _reason(
    model: VideoModel, known: Constraints, wish: Mapping[str, Value], made: Mapping[str, Value], name: str
) -> Message | None:
    """The rule by which a field could not stay as wished; None where the model never makes that."""
    if wish[name] not in known.domains[name]:
        return None
    broken = [*known.broken({**made, name: wish[name]}, about=name), *known.broken({**made, **wish}, about=name)]
    return sentence(model, broken[0]) if broken else None
