"""A spec as the flat fields that rules speak of, and what a rule says to people; pure."""

from collections import Counter

from core.messages import Message, message, plain
from core.messages.catalogue import Source
from core.providers import constraints
from core.providers.constraints import Value
from core.providers.contract import MediaKind
from core.providers.models import CapabilityRule, VideoModel
from core.spec import GenerationSpec


def flat(model: VideoModel, spec: GenerationSpec) -> dict[str, Value]:
    """The value of every field of the model's domains; what no order names has the first one of its domain."""
    counts = Counter(reference.kind for reference in spec.references)
    return {
        "start": int(spec.start_image_key is not None),
        "images": counts[MediaKind.IMAGE],
        "videos": counts[MediaKind.VIDEO],
        "sounds": counts[MediaKind.SOUND],
        "end": int(spec.end_image_key is not None),
        "ratio": spec.aspect_ratio,
        "seconds": spec.duration_seconds,
        "resolution": spec.resolution,
        "sound": int(spec.generate_audio or model.always_audio),
        "negative": int(bool(spec.negative_prompt.strip())),
        "seed": int(spec.seed is not None),
        "fps": spec.fps or 0,
        "enhance": int(spec.enhance_prompt),
        **{name: domain[0] for name, domain in model.further.items()},
    }


def sentence(model: VideoModel, rule: CapabilityRule) -> Message:
    """What a rule says to people."""
    if rule.id == constraints.NEEDS_START.id:
        return message("needs_start_image", name=model.name)
    if rule.id == constraints.END_NEEDS_START.id:
        return message("end_image_needs_start", name=model.name)
    return plain(Source(rule.sentence))
