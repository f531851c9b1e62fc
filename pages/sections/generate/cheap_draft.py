"""A draft before the final: the same order on the cheapest model that fits, so that an idea costs little to try."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from core.billing import pricing
from core.catalog import offered, rules
from core.clock import utc_now
from core.messages import Message
from core.providers.models import VideoModel, lines_of
from core.spec import GenerationSpec

_MAY_DIFFER = frozenset({"resolution", "duration_seconds", "generate_audio", "enhance_prompt", "seed", "fps"})
"""What a draft may be without; ratio, images, references and texts are the idea itself."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A cheaper order for the same idea, and what it costs."""

    model: VideoModel
    spec: GenerationSpec
    credits: int


def cheapest(spec: GenerationSpec, configured: Collection[str], troubles: Mapping[str, Message]) -> Draft | None:
    """The cheapest draft of an order; None where nothing that can be ordered is cheaper than the order itself.

    The demo draws, and is no draft of what a vendor's model makes.
    """
    of_demo = spec.model_id in {model.id for model in offered.models(utc_now()) if model.provider == "demo"}
    found = [
        draft
        for model in offered.models(utc_now())
        if model.provider in configured
        and model.provider not in troubles
        and (model.provider == "demo") is of_demo
        and (draft := _draft(model, spec)) is not None
    ]
    best = min(found, key=lambda draft: draft.credits, default=None)
    return best if best and best.credits < pricing.priced(spec).total_credits else None


def _draft(model: VideoModel, spec: GenerationSpec) -> Draft | None:
    small = min(model.resolutions, key=lines_of)
    adapted = rules.adapt(replace(spec, resolution=small, generate_audio=False, enhance_prompt=False), model)
    if {change.field for change in adapted.changes} - _MAY_DIFFER:
        return None
    if rules.check(model, adapted.spec, prompt_required=False):
        return None
    return Draft(model, adapted.spec, pricing.priced(adapted.spec).total_credits)
