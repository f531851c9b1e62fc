"""What a vendor will probably take for a clip, computed from its own price; pure, and it knows no price of ours.

Unknown is None and never 0: nothing is taken only where the record says so, as for a machine of one's own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from math import floor

from core.catalog.records import Cost, Sure
from core.providers.contract import MediaKind
from core.providers.models import VideoModel
from core.spec import GenerationSpec


@dataclass(frozen=True, slots=True)
class Estimate:
    """A vendor's probable bill in millionths of a dollar, and which price of the vendor's it was computed from."""

    microusd: int
    since: datetime
    source: str
    sure: Sure


def estimate(cost: Cost, spec: GenerationSpec, model: VideoModel, *, used: Fraction | None = None) -> Estimate | None:
    """What a clip will cost, half up; None where the record has no figure for its size and length.

    `used` is what the vendor or our clock has counted, in the cost's own unit, in place of what is computed from the
    order: seconds of video, tokens, or seconds on a GPU. Without it a GPU is taken to run for the model's usual time.
    """
    main = _main(cost, spec, model, used)
    if main is None:
        return None
    images = sum(key is not None for key in (spec.start_image_key, spec.end_image_key))
    pictures = sum(reference.kind == MediaKind.IMAGE for reference in spec.references)
    references = max(0, pictures - cost.free_references)
    whole = main + cost.per_image * images + cost.per_reference * references
    with_factor = max(whole, Fraction(cost.minimum)) * cost.factor_percent / 100
    return Estimate(floor(with_factor + Fraction(1, 2)), cost.since, cost.source, cost.sure)


def _main(cost: Cost, spec: GenerationSpec, model: VideoModel, used: Fraction | None) -> Fraction | None:
    """The cost without extras, exactly."""
    if cost.per_call is not None:
        return Fraction(cost.per_call)
    if cost.per_gpu_second is not None:
        return cost.per_gpu_second * (Fraction(model.typical_seconds) if used is None else used)
    sizes = list(_sizes(spec, model))
    if cost.per_clip:
        return _first(cost.per_clip, [*(f"{size} {spec.duration_seconds}" for size in sizes), "any"])
    if cost.per_second:
        rate = _first(cost.per_second, sizes)
        return None if rate is None else rate * (spec.duration_seconds if used is None else used)
    rate = _first(cost.per_million_tokens, sizes)
    return None if rate is None else rate * (tokens(cost, spec, model) if used is None else used) / 1_000_000


def tokens(cost: Cost, spec: GenerationSpec, model: VideoModel) -> Fraction:
    """The tokens of a clip: width * height * (frames a second * seconds + 1) / 1024, as ByteDance counts them."""
    width, height = model.frame_size(spec.resolution, spec.aspect_ratio)
    frames = (spec.fps or cost.frames_per_second) * spec.duration_seconds + 1
    return Fraction(width * height * frames, 1024)


def _sizes(spec: GenerationSpec, model: VideoModel) -> Iterator[str]:
    """The keys that a clip's figure may stand under, the best first; sound costs nothing more where it has no key."""
    if spec.generate_audio or model.always_audio:
        yield from (f"{spec.resolution} sound", "any sound")
    yield spec.resolution
    yield "any"


def _first(figures: Mapping[str, int], keys: list[str]) -> Fraction | None:
    found = next((figures[key] for key in keys if key in figures), None)
    return None if found is None else Fraction(found)
