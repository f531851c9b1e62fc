"""Paints mountain ranges and dunes from true height fields, lit from one side and fading into haze."""

import numpy as np

from core.studio.layer import MARGIN, Camera, Layer, picture, standing
from core.studio.noise import Field, fractal, smoothstep
from core.studio.palette import Palette, mix

SLICES = 200
_OVERSAMPLE = 2


def _painted(heights: Field, colour: Field, *, base: float, slope_down: float, floor: int, nearness: float) -> Layer:
    """Layer that shows a height field from the front.

    `heights` (slices, columns) are rows of the frame above `base`, slice 0 the nearest; `colour` (slices, columns, 3).
    Nearer slices lie up to `slope_down` rows lower. The layer reaches down to frame row `floor`.
    """
    slices, columns = heights.shape
    apart = np.linspace(1.0, 0.0, slices, dtype=np.float32)[:, None]
    outline = np.minimum.accumulate(base + slope_down * apart - heights, axis=0)
    top = int(outline.min()) - 3
    rows = max(2, floor - top) * _OVERSAMPLE
    first = np.clip(np.ceil((outline - top) * _OVERSAMPLE), 0, rows).astype(np.int64)
    # Each slice hides what is behind it: a pixel shows the first slice whose outline is at or above it.
    hits = np.bincount((first * columns + np.arange(columns)).ravel(), minlength=(rows + 1) * columns)
    shown = slices - np.cumsum(hits.reshape(rows + 1, columns), axis=0)[:rows]
    alpha = (shown < slices).astype(np.float32)
    pixels = colour[np.minimum(shown, slices - 1), np.arange(columns)[None, :]]
    packed = picture(pixels, alpha).reduce(_OVERSAMPLE)
    return standing(packed, float(top), nearness)


def _columns(camera: Camera) -> int:
    return int(camera.width * (1 + 2 * MARGIN)) * _OVERSAMPLE


def _lit(heights: Field, camera: Camera, depth_step: float, contrast: float) -> Field:
    """Light 0..1 on a height field from the side where the sun stands."""
    across = np.gradient(heights, axis=1) * _OVERSAMPLE
    away = np.gradient(heights, axis=0) / depth_step
    length = np.sqrt(across**2 + away**2 + 1.0)
    light = (camera.direction * across * 0.9 - away * 0.20 + 0.35) / length
    return np.clip(0.44 + contrast * light, 0.0, 1.0).astype(np.float32)


def _colours(colours: Palette, depth: float, light: Field) -> Field:
    body = mix(colours.far, colours.near, depth**0.7)
    shadow = np.array(mix(body, colours.near, 0.35 + 0.2 * depth), np.float32)
    bright = np.array(mix(body, colours.lit, 0.72 - 0.50 * depth), np.float32)
    paint: Field = shadow + (bright - shadow) * light[..., None]
    return paint


def _haze(colours: Palette) -> tuple[float, float, float]:
    return mix(mix(colours.sky[-1], colours.sky[-2], 0.5), colours.far, 0.4)


def mountains(
    rng: np.random.Generator, colours: Palette, camera: Camera, *, depth: float, base: float, floor: int, snow: bool
) -> Layer:
    """One range; depth 0 is the farthest, 1 the nearest. `base` is the frame row of its foot."""
    columns = _columns(camera)
    rise = min(camera.horizon, camera.width * 0.62) * (0.60 - 0.40 * depth)
    aspect = camera.width / camera.height
    field = fractal(rng, SLICES, columns, (2.2, (2.0 + 1.6 * depth) * aspect), 8, 0.46, ridged=True) ** 1.25
    swell = fractal(rng, SLICES, columns, (1.0, 1.6 * aspect), 2)
    across = np.linspace(-1, 1, columns, dtype=np.float32)
    # The middle is kept lower so that sky, sun and water open up there.
    centre = camera.direction * -0.15
    valley = 0.42 + 0.58 * smoothstep(0.05, 0.75, np.abs(across - centre))
    along = np.linspace(0.0, 1.0, SLICES, dtype=np.float32)[:, None]
    range_form = smoothstep(-0.12, 0.75, along) ** 0.8 * (1.0 - 0.35 * smoothstep(0.8, 1.0, along))
    # Without a lake before it, a nearer range must hide the foot of the one behind.
    lift = 0.12 if floor <= camera.horizon + 1 else 0.12 + 0.55 * depth
    heights = (lift + field * (0.45 + 0.75 * swell)) * valley * range_form
    heights *= rise / max(float(heights.max()), 0.05)
    light = _lit(heights, camera, camera.height / SLICES * 0.9, 0.62)
    low = 1.0 - heights / max(rise, 1.0)
    haze = (0.30 - 0.26 * depth) + (0.46 - 0.36 * depth) * smoothstep(0.45, 1.0, low)
    if floor > camera.horizon + 1:
        haze = np.minimum(haze, 0.46)
    paint = _colours(colours, depth, light)
    if snow:
        line = fractal(rng, SLICES, columns, (8, 24 * aspect), 5)
        cover = smoothstep(0.30, 0.46, 1.0 - low + 0.40 * (line - 0.5) + 0.12 * depth)
        white = np.array(mix(colours.lit, (236.0, 244.0, 255.0), 0.30 if colours.moon else 0.8), np.float32)
        cool = np.array(mix(mix(colours.far, colours.near, depth * 0.6), (150.0, 180.0, 230.0), 0.22), np.float32)
        snowy = cool + (white * (1 - 0.35 * depth) - cool) * (light**1.3)[..., None]
        paint += (snowy - paint) * cover[..., None]
    paint += (np.array(_haze(colours), np.float32) - paint) * haze[..., None]
    return _painted(heights, paint, base=base, slope_down=0.0, floor=floor, nearness=0.08 + 0.6 * depth)


def dunes(
    rng: np.random.Generator, colours: Palette, camera: Camera, *, depth: float, base: float, floor: int
) -> Layer:
    """One field of dunes with sharp crests, a lit and a shaded side and wind ripples."""
    columns, slices = _columns(camera), SLICES * 8 // 5
    aspect = camera.width / camera.height
    rise = camera.height * (0.09 + 0.11 * depth)
    warp = fractal(rng, slices, columns, (1.6, 1.8 * aspect), 3, 0.4)
    size = fractal(rng, slices, columns, (1.2, 1.5 * aspect), 2)
    x = np.linspace(0, 1, columns, dtype=np.float32)[None, :] * (3.0 - 1.1 * depth) * aspect
    z = np.linspace(0, 1, slices, dtype=np.float32)[:, None]
    phase = np.mod(x * camera.direction + z * 0.9 + warp * 1.7 + float(rng.random()), 1.0)
    long_side, short_side = phase / 0.72, (1.0 - phase) / 0.28
    # A smooth minimum: the crest is sharp to the eye but never narrower than the slices can show.
    form = 0.5 * (long_side + short_side - np.sqrt((long_side - short_side) ** 2 + 0.012))
    form = np.clip(form, 0.0, 1.0)
    form = form * form * (2.2 - 1.2 * form)
    heights = rise * (0.22 + 0.2 * size + form * (0.25 + 0.75 * size)) * (1.0 - 0.25 * z)
    grain = fractal(rng, slices, columns, (60.0, 9.0 * aspect), 4, 0.6) - 0.5
    light = np.clip(
        np.where(phase < 0.72, 0.60 + 0.30 * form, 0.10 + 0.10 * (1 - form)) + 0.30 * grain * (0.5 + 0.5 * depth), 0, 1
    )
    edge = np.minimum(np.abs(phase - 0.72), np.minimum(phase, 1 - phase) + 0.012)
    light = 0.5 + (light - 0.5) * smoothstep(0.0, 0.05, edge.astype(np.float32))
    lit = np.array(mix(mix(colours.lit, colours.far, 0.25), colours.near, 0.30 * depth), np.float32)
    dark = np.array(mix(colours.far, colours.near, 0.42 + 0.38 * depth), np.float32)
    paint = dark + (lit - dark) * (light * (0.75 + 0.25 * heights / heights.max()))[..., None]
    haze = np.full(heights.shape, 0.45 * (1 - depth) ** 1.2, np.float32) + 0.12 * z
    paint += (np.array(_haze(colours), np.float32) - paint) * haze[..., None]
    return _painted(
        heights, paint, base=base, slope_down=rise * 0.5 + camera.height * 0.16, floor=floor, nearness=0.1 + 0.7 * depth
    )
