"""What every moving picture is made of: what it is made for, its protocol, sprites, and how they come onto a frame."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.noise import Field

STARLIGHT = (238, 243, 255, 255)


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


@dataclass(frozen=True)
class Camera(Shot):
    """A shot whose viewer travels steadily sideways, to `direction` 1 or -1, and forward; `horizon` is a row."""

    horizon: int
    direction: float

    @property
    def reach(self) -> float:
        """What sideways travel is measured by: the width, or more in an upright frame."""
        return max(self.width, 0.8 * self.height)

    def shift(self, t_seconds: float, nearness: float) -> float:
        """Sideways shift of a plane in pixels; nearness 0 is infinitely far, 1 the nearest."""
        return self.direction * self.reach * (0.05 + 0.42 * nearness) * (self.share(t_seconds) - 0.5)


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


def opaque(frame: Image.Image) -> Image.Image:
    """The RGB picture of a frame of four channels."""
    return Image.frombytes("RGB", frame.size, frame.tobytes(), "raw", "RGBX")


def place(
    frame: Image.Image, shape: Image.Image, x: float, y: float, *, zoom: float = 1.0, ink: tuple[int, ...] | None = None
) -> None:
    """Put a sprite, or a mask in one ink, with its middle at (x, y), to a fraction of a pixel; edges must be clear."""
    wide, high = shape.width * zoom, shape.height * zoom
    left, top = x - wide / 2, y - high / 2
    first = max(0, math.ceil(left)), max(0, math.ceil(top))
    last = min(frame.width, math.floor(left + wide)), min(frame.height, math.floor(top + high))
    size = last[0] - first[0], last[1] - first[1]
    if min(size) <= 0:
        return
    right, lower = min((last[0] - left) / zoom, shape.width), min((last[1] - top) / zoom, shape.height)
    box = (first[0] - left) / zoom, (first[1] - top) / zoom, right, lower
    part = shape.resize(size, Image.Resampling.BILINEAR, box=box)
    if ink:
        frame.paste(ink, first, part)
    else:
        frame.paste(part, first, part.getchannel("K"))


def starry(rng: np.random.Generator, size: tuple[int, int], *, count: int, unit: float) -> Image.Image:
    """Mask of (width, height) pixels with stars, a few of them large. `unit`: pixels a radius."""
    light = np.zeros((size[1], size[0]), np.float32)
    for across, down, luck in rng.random((count, 3)):
        power, radius = 0.2 + 0.8 * luck**4, (0.7 + 0.7 * luck**9) * unit
        reach = int(radius * 3) + 2
        left, top = max(0, int(across * size[0]) - reach), max(0, int(down * size[1]) - reach)
        part = light[top : top + 2 * reach, left : left + 2 * reach]
        y, x = np.ogrid[top : top + part.shape[0], left : left + part.shape[1]]
        distance = (y - down * size[1]) ** 2 + (x - across * size[0]) ** 2
        np.maximum(part, power * np.exp(-distance / radius**2), out=part)
    return Image.fromarray((light * 255).astype(np.uint8))
