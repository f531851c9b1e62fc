"""Whether a model can make what is asked; a list of field errors, never a silent rounding."""

from collections.abc import Sequence

from core import validation
from core.providers.contract import VideoModel


def check(
    model: VideoModel,
    *,
    resolution: str,
    duration_seconds: int,
    aspect_ratio: str | None = None,
    negative_prompt: str = "",
    start_image: bool = False,
    end_image: bool = False,
    generate_audio: bool = False,
    enhance_prompt: bool = False,
) -> dict[str, str]:
    """Field name (as in the API) -> what to change; empty when the model can make it.

    `aspect_ratio` None leaves the ratio out of the check (a price does not depend on it).
    """
    found: dict[str, str] = {}
    if resolution not in model.resolutions:
        found["resolution"] = f"{model.name} makes {_listed(model.resolutions)}."
    if duration_seconds not in model.durations:
        found["duration"] = f"{model.name} makes clips of {_lengths(model.durations)} seconds."
    if aspect_ratio is not None and aspect_ratio not in model.aspect_ratios:
        found["aspectRatio"] = f"{model.name} makes {_listed(model.aspect_ratios)}."
    if negative_prompt.strip() and not (model.negative_prompt or model.ignores_negative_prompt):
        found["negativePrompt"] = f"{model.name} takes no negative prompt. Leave it empty."
    if start_image and not model.start_image:
        found["startImagePath"] = f"{model.name} takes no start image. Remove it or choose another model."
    if end_image and not model.end_image:
        found["endImagePath"] = f"{model.name} takes no end image. Remove it or choose another model."
    elif end_image and not start_image and model.end_image_needs_start:
        found["startImagePath"] = f"{model.name} takes an end image only together with a start image."
    if not start_image and not model.text_to_video:
        found["startImagePath"] = f"{model.name} needs a start image."
    if generate_audio and not model.audio:
        found["generateAudio"] = f"{model.name} makes no sound. Switch it off or choose another model."
    if enhance_prompt and not model.prompt_enhancement:
        found["enhancePrompt"] = f"{model.name} does not enhance prompts. Switch it off or choose another model."
    return found


def check_prompt(model: VideoModel, *, prompt: str, negative_prompt: str) -> dict[str, str]:
    """Field errors of the two texts."""
    found: dict[str, str] = {}
    if not prompt.strip():
        found["prompt"] = "Write what the clip should show."
    elif wrong := validation.text_error(prompt, limit_chars=model.prompt_limit_chars):
        found["prompt"] = wrong
    if wrong := validation.text_error(negative_prompt, limit_chars=model.prompt_limit_chars):
        found["negativePrompt"] = wrong
    return found


def _listed(words: Sequence[str]) -> str:
    *others, last = words
    part = f"{', '.join(others)} or {last}"
    return part if others else last


def _lengths(durations: Sequence[int]) -> str:
    first, last = durations[0], durations[-1]
    part = f"{first} to {last}"
    return part if len(durations) > 3 and last - first == len(durations) - 1 else _listed([str(d) for d in durations])
