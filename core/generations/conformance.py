"""Compares the clip that was delivered with what was asked; pure. A gap is told to people, never hidden."""

from collections.abc import Mapping
from typing import Any

from core.providers.contract import FRAME_SIZES

TOLERANCE_SECONDS = 0.5
TOLERANCE_SHARE = 0.02


def deviations(
    *, resolution: str, aspect_ratio: str, duration_seconds: int, generate_audio: bool, facts: Mapping[str, Any]
) -> list[str]:
    """Sentences on how a clip differs from its order; empty when it is what was asked.

    `facts` are those of `video.VideoFacts`. Half a second of length and two percent of size are no gap: vendors round
    to whole frames and to multiples of their block size.
    """
    found: list[str] = []
    asked_width, asked_height = FRAME_SIZES[resolution, aspect_ratio]
    width, height = int(facts["width"]), int(facts["height"])
    if abs(width * asked_height - height * asked_width) > TOLERANCE_SHARE * height * asked_width:
        found.append(f"Asked for {aspect_ratio}, delivered {width} × {height}.")
    elif abs(min(width, height) - min(asked_width, asked_height)) > TOLERANCE_SHARE * min(asked_width, asked_height):
        found.append(f"Asked for {resolution} ({asked_width} × {asked_height}), delivered {width} × {height}.")
    seconds = float(facts["duration_seconds"])
    if abs(seconds - duration_seconds) > TOLERANCE_SECONDS:
        found.append(f"Asked for {duration_seconds} s, delivered {seconds:.1f} s.")
    if generate_audio and not facts.get("audio_codec"):
        found.append("Asked for sound, delivered without.")
    return found
