"""Makes an order fit another model: keeps what that can make, changes the rest to the nearest, and says what; pure."""

from dataclasses import dataclass, replace
from typing import Any

from core.generations.submit import Order
from core.providers.contract import VideoModel


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One field of an order that could not stay; `given` is None where it had to be left out."""

    field: str
    wanted: Any
    given: Any = None


@dataclass(frozen=True, slots=True)
class Adapted:
    """An order as a model can take it, and what had to change for that."""

    order: Order
    changes: tuple[Adjustment, ...]


def adapt(order: Order, model: VideoModel) -> Adapted:
    """The same order for `model`. The texts' length is not touched: nobody but the person may shorten their words."""
    wanted: dict[str, Any] = {
        "resolution": _resolution(model, order.resolution),
        "duration_seconds": min(model.durations, key=lambda seconds: (abs(seconds - order.duration_seconds), -seconds)),
        "aspect_ratio": order.aspect_ratio if order.aspect_ratio in model.aspect_ratios else model.aspect_ratios[0],
        "start_image_key": order.start_image_key if model.start_image else None,
        "generate_audio": order.generate_audio and model.audio,
        "enhance_prompt": order.enhance_prompt and model.prompt_enhancement,
    }
    if not (model.negative_prompt or model.ignores_negative_prompt):
        wanted["negative_prompt"] = ""
    if not model.end_image or (model.end_image_needs_start and wanted["start_image_key"] is None):
        wanted["end_image_key"] = None
    changes = tuple(
        Adjustment(field, getattr(order, field), value or None)
        for field, value in wanted.items()
        if value != getattr(order, field)
    )
    return Adapted(replace(order, model_id=model.id, **wanted), changes)


def _resolution(model: VideoModel, wanted: str) -> str:
    """The wanted one, else 720p as the plain price knows it, else the model's first."""
    return next(found for found in (wanted, "720p", model.resolutions[0]) if found in model.resolutions)
