"""Paints mountain ranges from true height fields, lit from one side and fading into haze."""

import numpy as np
from PIL import Image

from studio.noise import Field, fractal, smoothstep
from studio.palette import Palette, mix
from studio.picture import Camera, place, sprite

SLICES = 160
_OVERSAMPLE = 2


class Mountains:
    """One range that stands on the horizon; depth 0 is the farthest, 1 the nearest."""

    def __init__(self, rng: np.random.Generator, colours: Palette, camera: Camera, *, depth: float) -> None:
        self._camera, self._nearness = camera, 0.06 + 0.62 * depth
        columns = int(camera.width + (0.06 + 0.43 * self._nearness) * camera.reach) * _OVERSAMPLE
        rise = min(camera.horizon, camera.width * 0.62) * (0.66 - 0.44 * depth)
        aspect = columns / _OVERSAMPLE / camera.height
        field = fractal(rng, SLICES, columns, (2.2, (2.0 + 1.6 * depth) * aspect), 8, 0.46, ridged=True) ** 1.25
        swell = fractal(rng, SLICES, columns, (1.0, 1.6 * aspect), 2)
        across = np.linspace(-1, 1, columns, dtype=np.float32)
        # The middle is kept lower so that sky, sun and water open up there.
        valley = 0.42 + 0.58 * smoothstep(0.05, 0.75, np.abs(across + camera.direction * 0.15))
        along = np.linspace(0.0, 1.0, SLICES, dtype=np.float32)[:, None]
        form = smoothstep(-0.12, 0.75, along) ** 0.8 * (1.0 - 0.35 * smoothstep(0.8, 1.0, along))
        heights = (0.12 + field * (0.45 + 0.75 * swell)) * valley * form
        heights *= rise / max(float(heights.max()), 0.05)
        # Lit from the side where the sun stands.
        away, across = np.gradient(heights, camera.height / SLICES * 0.9, 1 / _OVERSAMPLE)
        facing = (camera.direction * across * 0.9 - away * 0.20 + 0.35) / np.sqrt(across**2 + away**2 + 1.0)
        light = np.clip(0.44 + 0.62 * facing, 0.0, 1.0)[..., None]
        body = mix(colours.far, colours.near, depth**0.7)
        shadow = np.array(mix(body, colours.near, 0.35 + 0.2 * depth), np.float32)
        paint = shadow + (np.array(mix(body, colours.lit, 0.72 - 0.5 * depth), np.float32) - shadow) * light
        low = 1.0 - heights / max(rise, 1.0)
        haze = (0.30 - 0.26 * depth) + (0.46 - 0.36 * depth) * smoothstep(0.45, 1.0, low)
        air = np.array(mix(mix(colours.sky[-1], colours.sky[-2], 0.5), colours.far, 0.4), np.float32)
        paint += (air - paint) * haze[..., None]
        self._picture, self._top = _seen(heights, paint, camera.horizon + 1)

    def paint(self, frame: Image.Image, t: float) -> None:
        """Draw onto a frame; it grows about the horizon."""
        camera, zoom = self._camera, 1.0 + 0.34 * self._nearness * self._camera.share(t)
        y = camera.horizon + (self._top + self._picture.height / 2 - camera.horizon) * zoom
        place(frame, self._picture, camera.width / 2 + camera.shift(t, self._nearness), y, zoom=zoom)


def _seen(heights: Field, colour: Field, base: int) -> tuple[Image.Image, int]:
    """The front of a field of `heights` above row `base`, (slices, columns), slice 0 nearest, and its topmost row."""
    slices, columns = heights.shape
    outline = np.minimum.accumulate(base - heights, axis=0)
    top = int(outline.min()) - 3
    rows = max(2, base - top) * _OVERSAMPLE
    first = np.clip(np.ceil((outline - top) * _OVERSAMPLE), 0, rows).astype(np.int64)
    # Each slice hides what is behind it: a pixel shows the first slice whose outline is at or above it.
    hits = np.bincount((first * columns + np.arange(columns)).ravel(), minlength=(rows + 1) * columns)
    shown = slices - np.cumsum(hits.reshape(rows + 1, columns), axis=0)[:rows]
    pixels = colour[np.minimum(shown, slices - 1), np.arange(columns)[None, :]]
    return sprite(pixels, (shown < slices).astype(np.float32)).reduce(_OVERSAMPLE), top
