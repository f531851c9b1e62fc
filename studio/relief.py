"""Paints mountain ranges from true height fields, lit from one side and fading into haze."""

import numpy as np

from studio.layer import Camera, Layer
from studio.noise import Field, fractal, smoothstep
from studio.palette import Palette, mix
from studio.picture import sprite

SLICES = 160
_OVERSAMPLE = 2


def mountains(rng: np.random.Generator, colours: Palette, camera: Camera, *, depth: float, snow: bool) -> Layer:
    """One range that stands on the horizon; depth 0 is the farthest, 1 the nearest."""
    nearness = 0.06 + 0.62 * depth
    columns = int(camera.width * (1 + 2 * camera.margin(nearness))) * _OVERSAMPLE
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
    light = _light(heights, camera)
    body = mix(colours.far, colours.near, depth**0.7)
    shadow = np.array(mix(body, colours.near, 0.35 + 0.2 * depth), np.float32)
    paint = shadow + (np.array(mix(body, colours.lit, 0.72 - 0.5 * depth), np.float32) - shadow) * light[..., None]
    low = 1.0 - heights / max(rise, 1.0)
    if snow:
        line = fractal(rng, SLICES, columns, (8, 24 * aspect), 5)
        cover = smoothstep(0.30, 0.46, 1.0 - low + 0.40 * (line - 0.5) + 0.12 * depth)
        white = np.array(mix(colours.lit, (236.0, 244.0, 255.0), 0.30 if colours.moon else 0.8), np.float32)
        cool = np.array(mix(mix(colours.far, colours.near, depth * 0.6), (150.0, 180.0, 230.0), 0.22), np.float32)
        snowy = cool + (white * (1 - 0.35 * depth) - cool) * (light**1.3)[..., None]
        paint += (snowy - paint) * cover[..., None]
    haze = (0.30 - 0.26 * depth) + (0.46 - 0.36 * depth) * smoothstep(0.45, 1.0, low)
    air = np.array(mix(mix(colours.sky[-1], colours.sky[-2], 0.5), colours.far, 0.4), np.float32)
    paint += (air - paint) * haze[..., None]
    return _seen(heights, paint, camera.horizon + 1, nearness)


def _light(heights: Field, camera: Camera) -> Field:
    """Light 0..1 on a height field from the side where the sun stands."""
    across = np.gradient(heights, axis=1) * _OVERSAMPLE
    away = np.gradient(heights, axis=0) / (camera.height / SLICES * 0.9)
    light = (camera.direction * across * 0.9 - away * 0.20 + 0.35) / np.sqrt(across**2 + away**2 + 1.0)
    return np.clip(0.44 + 0.62 * light, 0.0, 1.0).astype(np.float32)


def _seen(heights: Field, colour: Field, base: int, nearness: float) -> Layer:
    """A height field from the front: `heights` (slices, columns) are rows of the frame above `base`, slice 0 nearest.

    `colour` is (slices, columns, 3).
    """
    slices, columns = heights.shape
    outline = np.minimum.accumulate(base - heights, axis=0)
    top = int(outline.min()) - 3
    rows = max(2, base - top) * _OVERSAMPLE
    first = np.clip(np.ceil((outline - top) * _OVERSAMPLE), 0, rows).astype(np.int64)
    # Each slice hides what is behind it: a pixel shows the first slice whose outline is at or above it.
    hits = np.bincount((first * columns + np.arange(columns)).ravel(), minlength=(rows + 1) * columns)
    shown = slices - np.cumsum(hits.reshape(rows + 1, columns), axis=0)[:rows]
    pixels = colour[np.minimum(shown, slices - 1), np.arange(columns)[None, :]]
    return Layer(sprite(pixels, (shown < slices).astype(np.float32)).reduce(_OVERSAMPLE), float(top), nearness)
