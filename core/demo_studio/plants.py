"""Trees: a few sprites of each kind, planted by the hundred on a relief, the far ones first."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from core.demo_studio import canvas, noise
from core.demo_studio.canvas import OVERSAMPLING, Layer, Size
from core.demo_studio.noise import Floats
from core.demo_studio.palette import colour
from core.demo_studio.terrain import MARGIN, Light, Relief, Stand

FINER = 3
KINDS = 6
SIZES = (1.0, 0.8, 0.62, 0.46)

Sprite = tuple[Floats, Floats]
"""Lightness and coverage, (h, w) each, from 0 to 1."""


def plant(
    relief: Relief,
    size: Size,
    stand: Stand,
    light: Light,
    rng: np.random.Generator,
    *,
    tall: float,
    density: float,
    round_share: float,
    clearing: float = 0.0,
    snow: float = 0.0,
) -> Layer:
    """The relief's layer with trees of up to `tall` screen pixels; `density` 1 makes a closed forest,
    `clearing` 1 keeps the valley free of them."""
    tallest = max(4, int(tall * OVERSAMPLING))
    sprites = [
        _sprites(size, stand, light, rng, tallest=tallest, snow=snow, is_round=rng.random() < round_share)
        for _ in range(KINDS)
    ]
    old = relief.layer.image
    image = Image.new("RGBa", (old.width, old.height + tallest))
    image.paste(old, (0, tallest))
    base = relief.layer.base + tallest
    ground = relief.ground
    slices, width = ground.shape
    count = int(width / (tallest * 0.36) * 9 * density)
    depth = np.sort(rng.random(count) ** 0.8)[::-1] * 0.99
    x = rng.integers(0, width, count)
    slice_ = (depth * (slices - 1)).astype(np.int32)
    groves = noise.line(rng, width, largest=width * 0.2, smallest=tallest * 1.5)
    across = np.abs((x / width - 0.5) * MARGIN + 0.5 - stand.valley_x)
    dense = (density + 0.45 * groves[x]) * (1 - clearing * np.exp(-((across / 0.3) ** 4)))
    keep = rng.random(count) < np.clip(dense, 0.0, 1)
    before = ground[np.maximum(slice_ - 1, 0), x]
    height = ground[slice_, x]
    keep &= (height >= before) & (height > 0.5)
    kind = rng.integers(0, KINDS, count)
    step = np.minimum((depth * 0.999 * len(SIZES) * 0.9 + rng.random(count) * 0.9).astype(np.int32), len(SIZES) - 1)
    for number in np.flatnonzero(keep):
        sprite = sprites[kind[number]][step[number]]
        place = (int(x[number] - sprite.width / 2), int(base - height[number] - sprite.height + 2))
        canvas.paste(image, sprite, place)
    return Layer(image, base=base, base_y=relief.layer.base_y, near=relief.layer.near)


def _sprites(
    size: Size, stand: Stand, light: Light, rng: np.random.Generator, *, tallest: int, snow: float, is_round: bool
) -> list[Image.Image]:
    """One tree in all sizes, in the colours of the hour."""
    draw: Callable[[np.random.Generator, int, float], Sprite] = _round if is_round else _pine
    side = 1.0 if light.sun_x > size.width / 2 else -1.0
    green = colour("#4d6b3a") if is_round else colour("#35523f")
    green = green * rng.uniform(0.8, 1.15) + np.array([0.05, 0.02, 0], np.float32) * rng.uniform(-1, 1)
    lightness, cover = draw(rng, int(tallest * rng.uniform(0.75, 1.0)), side)
    height = cover.shape[0]
    albedo = np.clip(green, 0, 1) * (0.35 + 0.75 * lightness[..., None])
    if snow > 0:
        white = noise.smoothstep(0.62 - snow * 0.3, 0.9, lightness)[..., None]
        albedo = albedo * (1 - white) + colour("#eef4ff") * white
    up = np.linspace(1, 0, height, dtype=np.float32)[:, None]
    far = np.clip(stand.far + (1 - up) * 0.12 * (0.3 + stand.far), 0, 0.97) * np.ones_like(lightness)
    tones = light.on(albedo, np.clip(lightness, 0, 1) * 0.85, far)
    image = canvas.picture(np.clip(tones, 0, 1), cover)
    found = []
    for share in SIZES:
        wide, high = max(1, round(image.width * share)), max(2, round(image.height * share))
        found.append(image.resize((wide, high), Image.Resampling.BOX if share < 1 else Image.Resampling.NEAREST))
    return found


def _pine(rng: np.random.Generator, tall: int, side: float) -> Sprite:
    """A conifer: tiers of hanging branches, each row of needles a little different."""
    height = tall * FINER
    width = max(4, int(height * rng.uniform(0.34, 0.46)) // FINER) * FINER
    y = np.linspace(0, 1, height, dtype=np.float32)
    tiers = rng.uniform(6, 9)
    saw = (y**0.85 * tiers + rng.random()) % 1
    outline = (0.03 + 0.97 * y**0.9) * (0.5 + 0.5 * saw**0.8)
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    ragged = rng.standard_normal((2, height)).astype(np.float32) * 0.13
    half = np.where(x < 0, (outline * (1 + ragged[0]))[:, None], (outline * (1 + ragged[1]))[:, None])
    leaves = (np.abs(x) < half * 0.98) & (y < 0.94)[:, None]
    trunk = (np.abs(x) < 0.07) & (y > 0.85)[:, None]
    shine = 0.46 + 0.34 * side * x / np.maximum(half, 0.05) + 0.3 * (0.5 - saw)[:, None]
    shine = shine + rng.standard_normal((height, width)).astype(np.float32) * 0.1
    return _finished(np.where(leaves, shine, 0.12), leaves | trunk)


def _round(rng: np.random.Generator, tall: int, side: float) -> Sprite:
    """A broad tree: a crown of many leafy discs on a trunk."""
    height = tall * FINER
    width = max(6, int(height * rng.uniform(0.75, 1.0)) // FINER) * FINER
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = x / width * 2 - 1, y / height
    crown = np.zeros((height, width), dtype=bool)
    shine = np.full((height, width), 0.15, dtype=np.float32)
    for _disc in range(110):
        angle, reach = rng.uniform(0, 2 * np.pi), np.sqrt(rng.random())
        cx, cy = np.cos(angle) * reach * 0.78, 0.4 + np.sin(angle) * reach * 0.33
        radius = rng.uniform(0.07, 0.19)
        away = np.hypot((x - cx), (y - cy) * 2 * height / width * 0.95) / radius
        disc = away + rng.random((height, width), dtype=np.float32) * 0.3 < 1
        tone = (
            0.5
            + 0.3 * side * (x - cx) / radius * 0.6
            - 0.55 * (y - cy) / radius * 0.45
            + 0.14 * side * cx
            - (cy - 0.4) * 0.7
        )
        shine[disc] = tone[disc]
        crown |= disc
    trunk = (np.abs(x) < 0.05 + 0.03 * y) & (y > 0.5)
    shine = shine + rng.standard_normal((height, width)).astype(np.float32) * 0.08
    return _finished(np.where(crown, shine, 0.1), crown | trunk)


def _finished(shine: Floats, cover: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Sprite:
    """Reduced to its size, edges smooth."""
    height, width = (length // FINER for length in cover.shape)
    blocks = (height, FINER, width, FINER)
    solid = cover[: height * FINER, : width * FINER].astype(np.float32)
    weight = solid.reshape(blocks).mean(axis=(1, 3))
    tone = (shine[: height * FINER, : width * FINER] * solid).reshape(blocks).mean(axis=(1, 3))
    return np.clip(tone / np.maximum(weight, 1e-3), 0, 1).astype(np.float32), weight.astype(np.float32)
