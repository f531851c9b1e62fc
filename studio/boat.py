"""Draws a small sloop under sail that crosses the picture, and what the water mirrors of it."""

import itertools

import numpy as np
from PIL import Image, ImageDraw

from studio.palette import Colour, Palette, ink, mix
from studio.picture import Camera, from_rgba, place

_OVERSAMPLE = 4
_WATERLINE = 0.945  # share of the sprite's height


class Boat:
    """A boat that sails from one side of the frame to the other during the clip, rocking."""

    def __init__(self, rng: np.random.Generator, colours: Palette, camera: Camera) -> None:
        self._camera = camera
        size = max(16, int(min(camera.height, camera.width * 1.1) * 0.36))
        self._below = int(camera.height * 0.075)
        self._sprite = _sloop(colours, size, mirrored=camera.direction > 0)
        self._phase = float(rng.uniform(0, 6.28))

    def paint(self, frame: Image.Image, t: float, *, mirrored: bool) -> None:
        """Draw onto a frame, or with `mirrored` so that the horizon mirrors it to where it lies."""
        camera, share = self._camera, self._camera.share(t)
        boat = self._sprite.rotate(2.2 * np.sin(1.5 * t + self._phase), Image.Resampling.BILINEAR)
        zoom = 0.9 + 0.3 * share
        x = camera.width * (0.5 - camera.direction * (0.74 * share - 0.36))
        y = camera.horizon + 0.005 * camera.height * np.sin(1.9 * t + self._phase)
        y += (-self._below if mirrored else self._below) - zoom * boat.height * (_WATERLINE - 0.5)
        place(frame, boat, x, y, zoom=zoom)


def _sloop(colours: Palette, size: int, *, mirrored: bool) -> Image.Image:
    """Sprite, `size` pixels each way."""
    side = size * _OVERSAMPLE
    pale = mix(mix(colours.lit, (255.0, 250.0, 240.0), 0.55), colours.near, 0.35 if colours.moon else 0.06)
    shade = mix(pale, mix(colours.near, colours.glow, 0.3), 0.42)
    hull = mix(colours.near, (0.0, 0.0, 0.0), 0.2)
    image = Image.new("RGBA", (side, side), (*ink(mix(colours.lit, colours.near, 0.5)), 0))
    pen, share = ImageDraw.Draw(image), np.linspace(0.0, 1.0, 16)

    def shape(colour: Colour, *corners: tuple[float, float, float]) -> None:
        """Polygon of corners (x, y) whose edge to the next is bowed to its left by the third number."""
        points: list[tuple[float, float]] = []
        for (x, y, bulge), (x_next, y_next, _) in itertools.pairwise((*corners, corners[0])):
            bent = 4.0 * share * (1.0 - share) * bulge
            across, down = (x_next - x) * share - (y_next - y) * bent, (y_next - y) * share + (x_next - x) * bent
            points += zip(((x + across) * side).tolist(), ((y + down) * side).tolist(), strict=True)
        pen.polygon(points, ink(colour))

    shape(pale, (0.50, 0.06, 0.10), (0.24, 0.80, -0.03), (0.505, 0.82, 0.0))
    shape(shade, (0.53, 0.14, 0.05), (0.545, 0.80, -0.02), (0.80, 0.82, 0.02))
    shape(hull, (0.505, 0.03, 0.0), (0.518, 0.03, 0.0), (0.518, 0.88, 0.0), (0.505, 0.88, 0.0))
    shape(colours.glow, (0.518, 0.035, 0.0), (0.60, 0.055, 0.0), (0.518, 0.08, 0.0))
    shape(hull, (0.13, 0.865, 0.025), (0.88, 0.85, 0.0), (0.78, 0.955, 0.0), (0.24, 0.955, 0.0))
    if mirrored:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return from_rgba(np.asarray(image.reduce(_OVERSAMPLE)))
