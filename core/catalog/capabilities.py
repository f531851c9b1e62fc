"""Whether a model can make what is asked; a list of field errors, never a silent rounding."""

from collections.abc import Sequence

from core import errors, validation
from core.messages import Message, message
from core.providers import registry
from core.providers.contract import VideoModel
from core.spec import GenerationSpec

FieldErrors = dict[str, Message]
"""Field name, as in the API -> what to change."""

IMAGE_PATHS = {"start_image_key": "startImagePath", "end_image_key": "endImagePath"}
"""Image of a spec -> its field name in the API."""


def validate(spec: GenerationSpec, *, prompt_required: bool = True) -> FieldErrors:
    """`check` with the model that the spec names; an unknown one is an error of its field."""
    try:
        model = registry.model(spec.model_id)
    except errors.NotFound as unknown:
        return {"modelId": unknown.message}
    return check(model, spec, prompt_required=prompt_required)


def check(model: VideoModel, spec: GenerationSpec, *, prompt_required: bool = True) -> FieldErrors:
    """What of a spec the model cannot make; empty when it can make all of it.

    Without `prompt_required` an empty prompt is fine, for settings that are looked at before there is one.
    """
    found: FieldErrors = {}
    start_image, end_image = spec.start_image_key is not None, spec.end_image_key is not None
    if (spec.prompt or prompt_required) and not spec.prompt.strip():
        found["prompt"] = message("prompt_missing")
    for field, written in (("prompt", spec.prompt), ("negativePrompt", spec.negative_prompt)):
        if written and (wrong := validation.text_error(written, limit_chars=model.prompt_limit_chars)):
            found.setdefault(field, wrong)
    if spec.resolution not in model.resolutions:
        found["resolution"] = message(
            "model_makes_resolutions", name=model.name, resolutions=_listed(model.resolutions)
        )
    if spec.duration_seconds not in model.durations:
        found["duration"] = message("model_makes_durations", name=model.name, durations=_lengths(model.durations))
    if spec.aspect_ratio not in model.aspect_ratios:
        found["aspectRatio"] = message(
            "model_makes_ratios", name=model.name, aspect_ratios=_listed(model.aspect_ratios)
        )
    if spec.negative_prompt.strip() and not (model.negative_prompt or model.ignores_negative_prompt):
        found["negativePrompt"] = message("no_negative_prompt", name=model.name)
    if start_image and not model.start_image:
        found["startImagePath"] = message("no_start_image", name=model.name)
    if end_image and not model.end_image:
        found["endImagePath"] = message("no_end_image", name=model.name)
    elif end_image and not start_image and model.end_image_needs_start:
        found["startImagePath"] = message("end_image_needs_start", name=model.name)
    if not start_image and not model.text_to_video:
        found["startImagePath"] = message("needs_start_image", name=model.name)
    if spec.generate_audio and not model.audio:
        found["generateAudio"] = message("makes_no_sound", name=model.name)
    if spec.enhance_prompt and not model.prompt_enhancement:
        found["enhancePrompt"] = message("no_enhancement", name=model.name)
    return found


def _listed(words: Sequence[str]) -> Message | str:
    *others, last = words
    return message("one_of", others=", ".join(others), last=last) if others else last


def _lengths(durations: Sequence[int]) -> Message | str:
    first, last = durations[0], durations[-1]
    if len(durations) > 3 and last - first == len(durations) - 1:
        return message("from_to", first=first, last=last)
    return _listed([str(seconds) for seconds in durations])
