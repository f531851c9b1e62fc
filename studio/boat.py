"""Draws a small sloop under sail that crosses the picture, and what the water mirrors of it."""

import numpy as np
from PIL import Image, ImageDraw

from studio.layer import Camera
from studio.palette import Palette, ink, mix
from studio.picture import from_rgba, place

_OVERSAMPLE = 4
_WATERLINE = 0.935  # share of the sprite's height


class Boat:
    """A boat that sails from one side of the frame to the other during the clip, rocking."""

    def __init__(self, rng: np.random.Generator, colours: Palette, camera: Camera) -> None:
        self._camera = camera
        self._size = max(16, int(min(camera.height, camera.width * 1.1) * 0.36))
        self._below = int(camera.height * 0.075)
        self._sprite = _sloop(colours, self._size, mirrored=camera.direction > 0)
        self._phase = float(rng.uniform(0, 6.28))

    def rocking(self, t: float) -> Image.Image:
        """The boat as it lies at a time."""
        return self._sprite.rotate(2.2 * np.sin(1.5 * t + self._phase), Image.Resampling.BILINEAR)

    def paint(self, frame: Image.Image, boat: Image.Image, t: float, *, mirrored: bool) -> None:
        """Draw onto a frame; with `mirrored` onto the half-width picture of what is above the horizon."""
        camera, size, share = self._camera, self._size, self._camera.share(t)
        x = camera.width * (0.5 - camera.direction * (0.74 * share - 0.36))
        waterline = camera.horizon + (-self._below if mirrored else self._below)
        if not mirrored:  # the hull is cut where the water begins
            boat = boat.crop((0, 0, size, int(size * _WATERLINE) + 1))
        bob = 0.005 * camera.height * np.sin(1.9 * t + self._phase)
        zoom = 0.9 + 0.3 * share
        middle = waterline + bob - zoom * (size * _WATERLINE - boat.height / 2)
        place(frame, boat, x / (2 if mirrored else 1), middle, zoom=(zoom / 2 if mirrored else zoom, zoom))


def _sloop(colours: Palette, size: int, *, mirrored: bool) -> Image.Image:
    """Sprite, `size` pixels each way."""
    side = size * _OVERSAMPLE
    pale = mix(mix(colours.lit, (255.0, 250.0, 240.0), 0.55), colours.near, 0.35 if colours.moon else 0.06)
    shade = mix(pale, mix(colours.near, colours.glow, 0.3), 0.42)
    hull, wood = mix(colours.near, (0.0, 0.0, 0.0), 0.2), mix(colours.near, colours.lit, 0.45)
    image = Image.new("RGBA", (side, side), (*ink(mix(colours.lit, colours.near, 0.5)), 0))
    pen = ImageDraw.Draw(image)

    def bow(x0: float, y0: float, x1: float, y1: float, bulge: float = 0.0) -> list[tuple[float, float]]:
        """Points of a bowed line; `bulge` is how far its middle lies to the left."""
        share = np.linspace(0, 1, 16)
        bent = 4 * share * (1 - share) * bulge
        x, y = x0 + (x1 - x0) * share - (y1 - y0) * bent, y0 + (y1 - y0) * share + (x1 - x0) * bent
        return list(zip((x * side).tolist(), (y * side).tolist(), strict=True))

    luff, foot = (0.50, 0.06), (0.505, 0.82)
    pen.polygon([*bow(*luff, 0.24, 0.80, 0.10), *bow(0.24, 0.80, *foot, -0.03)], ink(pale))
    pen.polygon([*bow(*luff, 0.40, 0.81, 0.10), *bow(0.40, 0.81, *foot)], ink(mix(pale, shade, 0.55)))
    jib = [
        *bow(0.53, 0.14, 0.545, 0.80, 0.05),
        *bow(0.545, 0.80, 0.80, 0.82, -0.02),
        *bow(0.80, 0.82, 0.53, 0.14, 0.02),
    ]
    pen.polygon(jib, ink(shade))
    for level in (0.30, 0.47, 0.64):
        pen.line(bow(0.507 - 0.24 * level, level, 0.5, level + 0.015, -0.06), ink(shade), width=3)
    pen.polygon([*bow(0.505, 0.03, 0.518, 0.03), *bow(0.518, 0.88, 0.505, 0.88)], ink(hull))
    pen.polygon([*bow(0.518, 0.035, 0.60, 0.055), *bow(0.60, 0.055, 0.518, 0.08)], ink(colours.glow))
    deck = bow(0.13, 0.86, 0.88, 0.845, 0.025)
    pen.polygon([*deck, *bow(0.78, 0.955, 0.24, 0.955)], ink(hull))
    pen.line(deck, ink(wood), width=max(2, side // 70))
    if mirrored:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return from_rgba(np.asarray(image.reduce(_OVERSAMPLE)))
