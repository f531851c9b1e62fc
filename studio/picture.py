"""What every moving picture is made of: what it is made for, its protocol, sprites, and how they come onto a frame."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.noise import Field

LEVELS = range(256)


@dataclass(frozen=True)
class Shot:
    """What is to be drawn; the size in pixels is that of the drawn frame, at least 32 each way."""

    prompt: str
    width: int
    height: int
    seconds: float

    def share(self, t_seconds: float) -> float:
        """How much of the clip is over at a time, 0 to 1."""
        return min(max(t_seconds / self.seconds, 0.0), 1.0)


class Picture(Protocol):
    """Something that can be drawn at any moment of a shot."""

    def frame(self, t_seconds: float, /) -> Image.Image:
        """RGB picture at a time; it depends on nothing but the time."""
        ...


def sprite(colour: Field, alpha: Field) -> Image.Image:
    """Picture with straight alpha from colours (height, width, 3) in 0..255 and coverage (height, width) in 0..1."""
    pixels = np.empty((*alpha.shape, 4), dtype=np.uint8)
    # Up to a level of noise keeps wide soft gradients free of bands.
    pixels[..., :3] = np.clip(colour + np.random.default_rng(7).random((*alpha.shape, 1), dtype=np.float32), 0, 255)
    pixels[..., 3] = np.clip(alpha * 255.0 + 0.5, 0, 255)
    return from_rgba(pixels)


def from_rgba(pixels: NDArray[np.uint8]) -> Image.Image:
    """Red, green, blue and alpha (height, width, 4) under the name CMYK.

    So Pillow resizes and pastes four plain channels: colours reach beyond the outline, hence no halo, and the costly
    multiplication by alpha and back is spared. Sprites are such pictures, and so are frames that take sprites.
    """
    return Image.fromarray(pixels, "CMYK")


def stamp(frame: Image.Image, part: Image.Image, at: tuple[int, int]) -> None:
    """Put a picture of four channels onto another by its alpha."""
    frame.paste(part, at, part.getchannel("K"))


def opaque(frame: Image.Image) -> Image.Image:
    """The RGB picture of a frame of four channels."""
    return Image.frombytes("RGB", frame.size, frame.tobytes(), "raw", "RGBX")


def place(
    frame: Image.Image, shape: Image.Image, x: float, y: float, *, zoom: tuple[float, float] = (1.0, 1.0),
    ink: tuple[int, ...] | int | None = None, opacity: float = 1.0, blur_pixels: float = 0.0,
) -> None:  # fmt: skip
    """Put a sprite, or a mask in one ink, with its middle at (x, y), to a fraction of a pixel; edges must be clear.

    `blur_pixels` smears a mask sideways as the shutter of a camera does with what passes quickly.
    """
    wide, high = shape.width * zoom[0], shape.height * zoom[1]
    left, top = x - wide / 2, y - high / 2
    first = max(0, math.ceil(left)), max(0, math.ceil(top))
    last = min(frame.width, math.floor(left + wide)), min(frame.height, math.floor(top + high))
    size = last[0] - first[0], last[1] - first[1]
    if min(size) <= 0:
        return
    box = (
        (first[0] - left) / zoom[0], (first[1] - top) / zoom[1],
        min((last[0] - left) / zoom[0], shape.width), min((last[1] - top) / zoom[1], shape.height),
    )  # fmt: skip
    coarse = (max(1, round(size[0] / blur_pixels)), size[1]) if blur_pixels > 2 else size
    part = shape.resize(coarse, Image.Resampling.BILINEAR, box=box)
    if coarse != size:
        part = part.resize(size, Image.Resampling.BILINEAR)
    if ink is None:
        stamp(frame, part, first)
    else:
        frame.paste(ink, first, part if opacity >= 1 else part.point([round(level * opacity) for level in LEVELS]))
