"""A painted plane at some depth and the slow camera that passes over it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.studio.noise import Field

Pixels = NDArray[np.uint8]
MARGIN = 0.10
"""Share of the frame width that a layer is painted beyond each side, so that the camera may move."""


@dataclass(frozen=True)
class Camera:
    """Where the viewer is: a slow dolly forward and sideways. `travel` is 0 at the start of the clip."""

    width: int
    height: int
    horizon: int
    direction: float
    speed: float

    def travel(self, t_seconds: float) -> float:
        """Distance gone; it tends to a limit so that a long clip never leaves the painted margin."""
        return float(1.0 - np.exp(-t_seconds * self.speed))

    def view(self, t_seconds: float, nearness: float) -> tuple[float, float]:
        """(zoom, sideways shift in pixels) of a plane; nearness 0 is infinitely far, 1 the nearest."""
        travel = self.travel(t_seconds)
        pan = self.direction * self.width * 0.085 * nearness * (travel - 0.4)
        return 1.0 + 0.30 * nearness * travel, pan


@dataclass(frozen=True)
class Layer:
    """Straight RGBA picture whose first row lies at frame row `top`; smaller `scale` means painted at lower size."""

    picture: Image.Image
    top: float
    nearness: float
    scale: float = 1.0
    drift: float = 0.0
    solid: float = float("inf")
    """Row at the start of the clip from which the picture is opaque from side to side."""

    def hides_from(self, camera: Camera, t_seconds: float) -> int:
        """First frame row from which this layer covers everything behind it."""
        zoom, _ = camera.view(t_seconds, self.nearness)
        edge = camera.horizon + (self.solid - camera.horizon) * zoom
        return camera.height if edge >= camera.height else int(np.ceil(edge)) + 2

    def paint(self, frame: Image.Image, camera: Camera, t_seconds: float, bottom: int) -> None:
        """Draw onto an RGBA frame, no lower than row `bottom`, at sub-pixel position."""
        zoom, pan = camera.view(t_seconds, self.nearness)
        pan += self.drift * t_seconds
        centre = camera.width / 2.0
        margin = (self.picture.width / self.scale - camera.width) / 2.0
        left = (-centre - pan) / zoom + centre + margin
        right = left + camera.width / zoom
        first = max(0, int(np.ceil(camera.horizon + (self.top - camera.horizon) * zoom)))
        foot = self.top + self.picture.height / self.scale
        bottom = min(bottom, int(camera.horizon + (foot - camera.horizon) * zoom))
        if first >= bottom:
            return
        upper = camera.horizon + (first - camera.horizon) / zoom - self.top
        lower = min(upper + (bottom - first) / zoom, self.picture.height / self.scale)
        limit = self.picture.width / self.scale
        size = self.scale
        box = max(0.0, left) * size, max(0.0, upper) * size, min(limit, right) * size, lower * size
        # Called CMYK so that Pillow resizes four plain channels: colours reach beyond the outline, so no halo appears,
        # and the costly premultiplication is spared.
        part = self.picture.resize((camera.width, bottom - first), Image.Resampling.BILINEAR, box=box)
        cut = Image.frombuffer("RGBA", part.size, part.tobytes(), "raw", "RGBA", 0, 1)
        frame.paste(cut, (0, first), cut)


def standing(image: Image.Image, top: float, nearness: float) -> Layer:
    """Layer of full size whose opaque part is found by looking."""
    pixels = np.frombuffer(image.tobytes(), np.uint8).reshape(image.height, image.width, 4)
    filled = np.flatnonzero(pixels[..., 3].max(axis=1))
    # One clear row stays above the outline, so that its edge can be interpolated.
    empty = max(0, int(filled[0]) - 1) if filled.size else 0
    image, pixels, top = image.crop((0, empty, image.width, image.height)), pixels[empty:], top + empty
    clear = np.flatnonzero(pixels[..., 3].min(axis=1) < 255)
    below = int(clear[-1]) + 1 if clear.size else 0
    return Layer(image, top, nearness, solid=top + below if below < image.height else float("inf"))


def picture(colour: Field, alpha: Field) -> Image.Image:
    """Layer picture from colours (height, width, 3) in 0..255 and coverage (height, width) in 0..1."""
    pixels = np.empty((*alpha.shape, 4), dtype=np.uint8)
    # Rounding with an ordered half-step dither keeps wide soft gradients free of bands.
    dither = np.random.default_rng(7).random(alpha.shape, dtype=np.float32)
    pixels[..., :3] = np.clip(colour + dither[..., None], 0, 255)
    pixels[..., 3] = np.clip(alpha * 255.0 + 0.5, 0, 255)
    return Image.frombuffer("CMYK", (alpha.shape[1], alpha.shape[0]), pixels.tobytes(), "raw", "CMYK", 0, 1)
