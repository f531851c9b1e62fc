"""Makes a spec fit another model: keeps what that can make, changes the rest to the nearest, and says what; pure."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.providers.contract import VideoModel
from core.spec import GenerationSpec


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One setting that could not stay; `given` is None where it had to be left out."""

    field: str
    wanted: Any
    given: Any = None


@dataclass(frozen=True, slots=True)
class Adapted:
    """A spec as a model can take it, and what had to change for that."""

    spec: GenerationSpec
    changes: tuple[Adjustment, ...]


def adapt(spec: GenerationSpec, model: VideoModel) -> Adapted:
    """The same for `model`. The texts' length is not touched: nobody but the person may shorten their words."""
    possible: dict[str, Any] = {
        "resolution": _resolution(model, spec.resolution),
        "duration_seconds": _duration(model, spec.duration_seconds),
        "aspect_ratio": spec.aspect_ratio if spec.aspect_ratio in model.aspect_ratios else model.aspect_ratios[0],
        "start_image_key": spec.start_image_key if model.start_image else None,
        "generate_audio": spec.generate_audio and model.audio,
        "enhance_prompt": spec.enhance_prompt and model.prompt_enhancement,
    }
    if not (model.negative_prompt or model.ignores_negative_prompt):
        possible["negative_prompt"] = ""
    if not model.end_image or (model.end_image_needs_start and possible["start_image_key"] is None):
        possible["end_image_key"] = None
    changed = {name: value for name, value in possible.items() if value != getattr(spec, name)}
    changes = tuple(Adjustment(name, getattr(spec, name), value or None) for name, value in changed.items())
    if not changed and spec.model_id == model.id:
        return Adapted(spec, changes)
    return Adapted(replace(spec, model_id=model.id, **changed), changes)


def _resolution(model: VideoModel, wanted: str) -> str:
    """The wanted one, else 720p as the plain price knows it, else the model's first."""
    return next(found for found in (wanted, "720p", model.resolutions[0]) if found in model.resolutions)


def _duration(model: VideoModel, wanted_seconds: int) -> int:
    """The wanted one, else the nearest, of two equally near the longer."""
    if wanted_seconds in model.durations:
        return wanted_seconds
    return min(model.durations, key=lambda seconds: (abs(seconds - wanted_seconds), -seconds))


def nearest_ratio(offered: Sequence[str], width: int, height: int) -> str | None:
    """The ratio, such as `9:16`, that comes nearest to the shape of a picture; None where none is one of figures."""
    shapes = {ratio: math.log(int(parts[1]) / int(parts[2])) for ratio in offered if (parts := _RATIO.fullmatch(ratio))}
    return min(shapes, key=lambda ratio: abs(shapes[ratio] - math.log(width / height)), default=None)


_RATIO = re.compile("([1-9][0-9]*):([1-9][0-9]*)")
