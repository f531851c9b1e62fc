"""Turns a prompt into a moving picture: chooses the scene and hands out its frames; encodes nothing."""

from typing import Protocol

from core.studio import landscape, noise, palette, silk, space
from core.studio.layer import Pixels


class Scene(Protocol):
    """Something that can be drawn at any moment of a clip."""

    def frame(self, t_seconds: float) -> Pixels:
        """Picture at a time, shape (height, width, 3), RGB, uint8, contiguous; depends on nothing but the time."""
        ...


def compose(prompt: str, *, width: int, height: int, seconds: float, take: str = "") -> Scene:
    """Scene for a prompt at a size in pixels (at least 32 each way). Same arguments, same pictures to the byte.

    Another `take` is another picture of the same words.
    """
    rng = noise.generator(f"{prompt}\n{take}" if take else prompt)
    brief = palette.read(prompt, rng)
    if brief.kind == "space":
        return space.Space(brief, rng, width, height, seconds)
    if brief.kind == "silk":
        return silk.Silk(brief, rng, width, height, seconds)
    return landscape.Landscape(brief, rng, width, height, seconds)
