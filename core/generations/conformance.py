"""Compares the clip that was delivered with what was asked; pure. A gap is told to people, never hidden."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from core.messages import Message, message, plain
from core.providers.models import plain_frame_size
from core.spec import GenerationSpec

TOLERANCE_SECONDS = 0.5
TOLERANCE_SHARE = 0.02


def to_facts(gaps: Sequence[Message]) -> dict[str, Any]:
    """The gaps as they are kept with the facts of a file: in English, and as messages."""
    return {"gaps": [str(gap) for gap in gaps], "gap_messages": [gap.to_json() for gap in gaps]}


def from_facts(facts: Mapping[str, Any]) -> Sequence[Message]:
    """The gaps that were kept with the facts of a file; English texts where they were kept before messages were."""
    texts = facts.get("gaps", [])
    kept = [Message.from_json(gap) for gap in facts.get("gap_messages", [])]
    return [gap or plain(text) for gap, text in zip_longest(kept, texts)]


def deviations(
    spec: GenerationSpec, facts: Mapping[str, Any], frame_size: tuple[int, int] | None = None
) -> list[Message]:
    """How a clip differs from what was ordered; empty when it is what was asked.

    `frame_size` is the (width, height) in pixels that the model makes of it, the plain one where none is given; size
    and shape are not compared where there is none either. `facts` are those of `video.VideoFacts`.

    Half a second of length and two percent of size are no gap: vendors round to whole frames and to multiples of their
    block size.
    """
    found = _other_frame(spec, facts, frame_size)
    seconds = float(facts["duration_seconds"])
    if abs(seconds - spec.duration_seconds) > TOLERANCE_SECONDS:
        found.append(message("other_length", duration_seconds=spec.duration_seconds, seconds=seconds))
    if spec.generate_audio and not facts.get("audio_codec"):
        found.append(message("no_sound"))
    return found


def _other_frame(spec: GenerationSpec, facts: Mapping[str, Any], frame_size: tuple[int, int] | None) -> list[Message]:
    found: list[Message] = []
    try:
        asked_width, asked_height = frame_size or plain_frame_size(spec.resolution, spec.aspect_ratio)
    except ValueError:  # the names were those of a model that is gone
        return found
    width, height = int(facts["width"]), int(facts["height"])
    if abs(width * asked_height - height * asked_width) > TOLERANCE_SHARE * height * asked_width:
        found.append(message("other_shape", aspect_ratio=spec.aspect_ratio, width=width, height=height))
    elif abs(min(width, height) - min(asked_width, asked_height)) > TOLERANCE_SHARE * min(asked_width, asked_height):
        found.append(
            message(
                "other_size",
                resolution=spec.resolution,
                asked_width=asked_width,
                asked_height=asked_height,
                width=width,
                height=height,
            )
        )
    return found
