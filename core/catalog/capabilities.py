"""Whether a model can make what is asked; a list of field errors, never a silent rounding."""

from collections.abc import Sequence

from core import errors, validation
from core.providers import registry
from core.providers.contract import VideoModel
from core.spec import GenerationSpec

FieldErrors = dict[str, str]
"""Field name, as in the API -> what to change."""

IMAGE_PATHS = {"start_image_key": "startImagePath", "end_image_key": "endImagePath"}
"""Image of a spec -> its field name in the API."""


def validate(spec: GenerationSpec, *, prompt_required: bool = True) -> FieldErrors:
    """`check` with the model that the spec names; an unknown one is an error of its field."""
    try:
        model = registry.model(spec.model_id)
    except errors.NotFound as unknown:
        return {"modelId": str(unknown)}
    return check(model, spec, prompt_required=prompt_required)


def check(model: VideoModel, spec: GenerationSpec, *, prompt_required: bool = True) -> FieldErrors:
    """What of a spec the model cannot make; empty when it can make all of it.

    Without `prompt_required` an empty prompt is fine, for settings that are looked at before there is one.
    """
    found: FieldErrors = {}
    start_image, end_image = spec.start_image_key is not None, spec.end_image_key is not None
    if (spec.prompt or prompt_required) and not spec.prompt.strip():
        found["prompt"] = "Write what the clip should show."
    for field, written in (("prompt", spec.prompt), ("negativePrompt", spec.negative_prompt)):
        if written and (wrong := validation.text_error(written, limit_chars=model.prompt_limit_chars)):
            found.setdefault(field, wrong)
    if spec.resolution not in model.resolutions:
        found["resolution"] = f"{model.name} makes {_listed(model.resolutions)}."
    if spec.duration_seconds not in model.durations:
        found["duration"] = f"{model.name} makes clips of {_lengths(model.durations)} seconds."
    if spec.aspect_ratio not in model.aspect_ratios:
        found["aspectRatio"] = f"{model.name} makes {_listed(model.aspect_ratios)}."
    if spec.negative_prompt.strip() and not (model.negative_prompt or model.ignores_negative_prompt):
        found["negativePrompt"] = f"{model.name} takes no negative prompt. Leave it empty."
    if start_image and not model.start_image:
        found["startImagePath"] = f"{model.name} takes no start image. Remove it or choose another model."
    if end_image and not model.end_image:
        found["endImagePath"] = f"{model.name} takes no end image. Remove it or choose another model."
    elif end_image and not start_image and model.end_image_needs_start:
        found["startImagePath"] = f"{model.name} takes an end image only together with a start image."
    if not start_image and not model.text_to_video:
        found["startImagePath"] = f"{model.name} needs a start image."
    if spec.generate_audio and not model.audio:
        found["generateAudio"] = f"{model.name} makes no sound. Switch it off or choose another model."
    if spec.enhance_prompt and not model.prompt_enhancement:
        found["enhancePrompt"] = f"{model.name} does not enhance prompts. Switch it off or choose another model."
    return found


def _listed(words: Sequence[str]) -> str:
    *others, last = words
    part = f"{', '.join(others)} or {last}"
    return part if others else last


def _lengths(durations: Sequence[int]) -> str:
    first, last = durations[0], durations[-1]
    part = f"{first} to {last}"
    return part if len(durations) > 3 and last - first == len(durations) - 1 else _listed([str(d) for d in durations])
