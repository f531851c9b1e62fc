"""Mountains, dunes and hills: height fields lit by the sun and seen from the side, each made into one wide layer."""

from dataclasses import dataclass

import numpy as np

from core.demo_studio import canvas, noise
from core.demo_studio.canvas import OVERSAMPLING, Layer, Size
from core.demo_studio.noise import Floats
from core.demo_studio.palette import Colour, Palette, colour

SLICES = 200
MARGIN = 1.3
"""Layers are this much wider than the picture, so that the camera may move."""


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a layer stands and how it is made.

    `peak` and `tilt` in screen pixels: the highest top, and how far its back lies above its front. `far` 0..1 is how
    much of the air is before it. `valley` 0..1 lowers the middle. `skirt` in pixels is ground below its front.
    """

    base_y: float
    peak: float
    tilt: float
    near: float
    far: float
    valley: float = 0.0
    skirt: float = 0.0
    valley_x: float = 0.5


@dataclass(frozen=True, slots=True)
class Light:
    """What lights the ground: the sun's x on the screen and the colours of the hour."""

    sun_x: float
    palette: Palette

    def on(self, albedo: Floats, lit: Floats, far: Floats | float) -> Floats:
        """Colour (h, w, 3) of a ground `albedo` that the sun meets with `lit` 0..1, through `far` 0..1 of air."""
        palette = self.palette
        warm = colour(palette.sunlight) * palette.sun_strength * lit[..., None]
        found = albedo * (warm + colour(palette.ambient) * palette.ambient_strength)
        air = np.asarray(far, dtype=np.float32)[..., None]
        clear: Floats = found * (1 - air) + colour(palette.haze) * air
        return clear


@dataclass(frozen=True, slots=True)
class Relief:
    """A finished height field: `ground` (slices, width) in layer pixels above the base, as seen from the side."""

    layer: Layer
    ground: Floats
    skyline: Floats


def mountains(size: Size, stand: Stand, light: Light, rng: np.random.Generator, *, snow: float) -> Relief:
    """Ridged rock; `snow` 0..1 is how far down it lies."""
    width, height = _extent(size, stand)
    unit = size.unit * OVERSAMPLING
    z = np.zeros((SLICES, width), dtype=np.float32)
    weight = np.ones_like(z)
    largest, power, total = max(stand.peak * OVERSAMPLING * 3.2, 8), 1.0, 0.0
    depth_per_slice = width * 0.3 / SLICES
    for _octave in range(6):
        rough = noise.field(
            rng, SLICES, width, largest=largest, smallest=largest * 0.28, slope=2.4, stretch=(1 / depth_per_slice, 1.0)
        )
        ridge = np.clip(1 - np.abs(rough) * 0.78, 0, 1) ** 2
        z += ridge * weight * power
        total += power
        weight = np.clip(ridge * 1.7, 0.12, 1)
        power *= 0.47
        largest *= 0.5
        if largest < 2.2 * unit:
            break
    z /= total * 0.82
    z *= _across(rng, width, stand) * _along(0.55)
    ground = _seen(z * height, stand)
    lit = _lit(z * height, light, size, depth_per_slice)
    rock = colour("#7d7672") * (0.82 + 0.1 * noise.field(rng, SLICES, width, largest=9 * unit, slope=1.2))[..., None]
    if snow > 0:
        line = 1.02 - snow * 0.95 + 0.07 * noise.field(rng, SLICES, width, largest=40 * unit, slope=1.4)
        steep = np.abs(np.gradient(z * height, axis=1))
        lies = noise.smoothstep(-0.03, 0.1, z - line) * (1 - 0.75 * noise.smoothstep(1.1, 2.6, steep))
        rock = rock * (1 - lies[..., None]) + colour("#f4f8ff") * 1.05 * lies[..., None]
    return _render(stand, light, rng, ground=ground, albedo=rock, lit=lit)


def dunes(size: Size, stand: Stand, light: Light, rng: np.random.Generator) -> Relief:
    """Sand with long crests: one side in the sun, the other falling away in shade, fine ripples on both."""
    width, height = _extent(size, stand)
    unit = size.unit * OVERSAMPLING
    depth_per_slice = width * 0.32 / SLICES
    y, x = np.mgrid[0:SLICES, 0:width].astype(np.float32)
    warp = noise.field(
        rng, SLICES, width, largest=500 * unit, smallest=60 * unit, slope=2.6, stretch=(1 / depth_per_slice, 1.0)
    )
    side = 1.0 if light.sun_x < size.width / 2 else -1.0
    z = np.zeros_like(x)
    for wavelength, power in ((620 * unit, 1.0), (285 * unit, 0.34)):
        along = side * x / wavelength + y * depth_per_slice / wavelength * 0.9 + warp * 0.34 + rng.random()
        phase = along - np.floor(along)
        gentle = 0.7
        wave = np.where(phase < gentle, phase / gentle, (1 - phase) / (1 - gentle))
        z += power * (wave * wave * (3 - 2 * wave) * 0.65 + wave * 0.35)
    z = z / 1.34 * (0.7 + 0.3 * noise.smoothstep(-1.5, 1.5, warp))
    z *= _across(rng, width, stand) * _along(0.35)
    ground = _seen(z * height, stand)
    lit = _lit(z * height, light, size, depth_per_slice, flat=0.5)
    drift = noise.field(rng, SLICES, width, largest=120 * unit, smallest=12 * unit, stretch=(1 / depth_per_slice, 1))
    ripple = np.sin((x * 0.3 * side + y * depth_per_slice * 0.75 + drift * 5 * unit) / (1.5 * unit))
    close = 0.09 * max(0.0, stand.near - 0.4)
    lit = np.clip(lit * (1 + close * ripple), 0, 1.3)
    sand = np.broadcast_to(colour("#e6b483"), (*z.shape, 3))
    return _render(stand, light, rng, ground=ground, albedo=sand, lit=lit)


def hills(size: Size, stand: Stand, light: Light, rng: np.random.Generator, *, albedo: Colour) -> Relief:
    """Soft rolling ground."""
    width, height = _extent(size, stand)
    unit = size.unit * OVERSAMPLING
    depth_per_slice = width * 0.3 / SLICES
    stretch = (1 / depth_per_slice, 1.0)
    z = noise.field(rng, SLICES, width, largest=520 * unit, smallest=70 * unit, slope=2.6, stretch=stretch)
    z = 0.5 + 0.24 * z
    z = np.clip(z, 0.05, 1.15) * _across(rng, width, stand) * _along(0.5)
    ground = _seen(z * height, stand)
    lit = _lit(z * height, light, size, depth_per_slice, flat=0.35)
    mottle = 1 + 0.07 * noise.field(
        rng, SLICES, width, largest=60 * unit, smallest=3 * unit, slope=1.3, stretch=stretch
    )
    return _render(stand, light, rng, ground=ground, albedo=np.clip(albedo * mottle[..., None], 0, 1), lit=lit)


def _extent(size: Size, stand: Stand) -> tuple[int, float]:
    return int(size.width * MARGIN * OVERSAMPLING) + 4, stand.peak * OVERSAMPLING


def _across(rng: np.random.Generator, width: int, stand: Stand) -> Floats:
    """Height along the range, lower where the valley is."""
    x = np.linspace(-0.5, 0.5, width, dtype=np.float32) * MARGIN + 0.5
    dip = np.exp(-(((x - stand.valley_x) / 0.2) ** 2)) * stand.valley
    wide = noise.line(rng, width, largest=width * 0.5, smallest=width * 0.12)
    found: Floats = (np.clip(0.8 + 0.16 * wide, 0.45, 1.1) * (1 - dip)).astype(np.float32)
    return found


def _along(rise: float) -> Floats:
    """Height from the front (low) to the back."""
    depth = np.linspace(0, 1, SLICES, dtype=np.float32)
    return noise.smoothstep(-0.02, rise, depth)[:, None] * (1 - 0.35 * noise.smoothstep(0.75, 1.0, depth))[:, None]


def _seen(heights: Floats, stand: Stand) -> Floats:
    """Height on screen of every point of the field: what lies further back stands a little higher."""
    back = np.linspace(0, 1, SLICES, dtype=np.float32)[:, None] * stand.tilt * OVERSAMPLING
    return heights + back


def _lit(heights: Floats, light: Light, size: Size, depth_per_slice: float, *, flat: float = 0.3) -> Floats:
    """0..1: how much sun each point gets; the sun stands low, to the side where it is seen, a little before us."""
    width = heights.shape[1]
    along = np.gradient(heights, axis=1)
    into = np.gradient(heights, axis=0) / max(depth_per_slice, 0.1)
    middle = width / 2 + (light.sun_x - size.width / 2) * OVERSAMPLING
    aside = np.clip((middle - np.arange(width)) / (size.width * 0.3), -1, 1).astype(np.float32)
    aside = np.sign(middle - width / 2 + 0.01) * 0.45 + aside * 0.55
    facing = -along * aside[None, :] * 0.95 + into * 0.38 + flat
    found: Floats = np.clip(facing / np.sqrt(1 + along * along + into * into) * 1.05, 0, 1)
    return found


def _render(
    stand: Stand, light: Light, rng: np.random.Generator, *, ground: Floats, albedo: Floats, lit: Floats
) -> Relief:
    """Project the field: each pixel shows the nearest slice that reaches up to it."""
    slices, width = ground.shape
    horizon = np.maximum.accumulate(ground, axis=0)
    skyline = horizon[-1]
    rows = max(3, int(skyline.max()) + 3)
    counts = np.zeros((rows + 1, width), dtype=np.int32)
    place = np.clip(np.floor(horizon).astype(np.int32) + 1, 0, rows)
    np.add.at(counts, (place, np.broadcast_to(np.arange(width), place.shape)), 1)
    shown = np.minimum(np.cumsum(counts[:rows], axis=0), slices - 1)
    before = np.maximum(shown - 1, 0)
    columns = np.broadcast_to(np.arange(width), shown.shape)
    up = np.arange(rows, dtype=np.float32)[:, None]
    low, high = horizon[before, columns], horizon[shown, columns]
    share = np.clip((up - low) / np.maximum(high - low, 1e-3), 0, 1)[..., None]
    lifted = np.clip(ground / max(1.0, float(skyline.max())), 0, 1)
    far = np.clip(stand.far + (1 - lifted) * 0.22 * (0.35 + stand.far) - lifted * 0.05, 0, 0.97)
    tones = light.on(albedo, lit, far.astype(np.float32))
    colours = tones[before, columns] * (1 - share) + tones[shown, columns] * share
    alpha = np.clip(skyline[None, :] - up + 0.5, 0, 1)
    skirt = int(stand.skirt * OVERSAMPLING)
    colours, alpha = colours[::-1], alpha[::-1]
    if skirt:
        foot = np.broadcast_to(tones[: max(1, slices // 20)].mean(axis=(0, 1)), (skirt, width, 3))
        colours = np.concatenate([colours, foot])
        alpha = np.concatenate([alpha, np.ones((skirt, width), dtype=np.float32)])
    clear = np.zeros((2, width), dtype=np.float32)
    colours = np.concatenate([np.repeat(colours[:1], 2, axis=0), colours])
    image = canvas.picture(np.clip(colours, 0, 1), np.concatenate([clear, alpha]).astype(np.float32), rng)
    layer = Layer(image, base=float(rows + 2), base_y=stand.base_y, near=stand.near)
    return Relief(layer, horizon, skyline)
