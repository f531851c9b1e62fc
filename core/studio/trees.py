"""Paints rows of trees in mist: conifers, or broad rainforest crowns with palms."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from core.studio.layer import MARGIN, Camera, Layer, picture, standing
from core.studio.noise import Field, fractal, skyline, smoothstep
from core.studio.palette import Palette, mix

_OVERSAMPLE = 2
Pen = ImageDraw.ImageDraw


def _conifer(pen: Pen, rng: np.random.Generator, x: float, foot: float, height: float) -> None:
    tiers = int(np.clip(height / 9, 5, 22))
    reach = height * rng.uniform(0.13, 0.19)
    lean = rng.normal(0, 0.012) * height
    left: list[tuple[float, float]] = []
    right: list[tuple[float, float]] = []
    for tier in range(tiers):
        share = (tier + 1) / tiers
        y = foot - height * (1 - share * 0.97)
        middle = x + lean * (1 - share)
        for side, points in ((-1, left), (1, right)):
            out = reach * share**0.85 * rng.uniform(0.72, 1.12)
            droop = height / tiers * rng.uniform(0.05, 0.35)
            points.append((middle + side * out, y + droop))
            points.append((middle + side * out * rng.uniform(0.38, 0.55), y - height / tiers * 0.12))
    outline = [(x + lean, foot - height), *left, (x, foot - height * 0.06), *right[::-1]]
    # The right side runs upwards, so that its points are met in reverse order.
    pen.polygon(outline, fill=255)
    pen.rectangle((x - height * 0.012, foot - height * 0.2, x + height * 0.012, foot + height), fill=255)


def _broadleaf(pen: Pen, rng: np.random.Generator, x: float, foot: float, height: float) -> None:
    trunk = height * 0.020
    crown = height * rng.uniform(0.24, 0.40)
    top = foot - height + crown * 0.6
    bend = rng.normal(0, 0.04) * height
    pen.polygon(
        [(x - trunk, foot + 4), (x + bend - trunk * 0.5, top), (x + bend + trunk * 0.5, top), (x + trunk, foot + 4)],
        fill=255,
    )
    for _ in range(4):
        angle = rng.uniform(-1.1, 1.1)
        tip = (x + bend + np.sin(angle) * crown, top - np.cos(angle) * crown * 0.2)
        pen.line([(x + bend * 0.7, top + crown * 0.9), tip], fill=255, width=max(1, int(trunk * 0.6)))
    clumps = rng.normal(0, 1, (110, 2))
    sizes = crown * (0.05 + 0.17 * rng.random(110) ** 2)
    for (across, up), size in zip(clumps, sizes, strict=True):
        cx = x + bend + np.clip(across, -1.7, 1.7) * crown * 0.52
        cy = top + np.clip(up, -1.7, 1.7) * crown * 0.38 + abs(across) * crown * 0.10
        pen.ellipse((cx - size * 1.25, cy - size * 0.75, cx + size * 1.25, cy + size * 0.75), fill=255)


def _leafy(rng: np.random.Generator, mask: Image.Image, size: float) -> tuple[Field, Field]:
    """(coverage with ragged leafy edges, light 0..1 on the foliage) from the plain outline of a row of trees."""
    wide, high = mask.size
    fine = fractal(rng, high, wide, (high / 6 + 2, wide / 6 + 2), 2, 0.7)
    soft = np.asarray(mask.filter(ImageFilter.GaussianBlur(max(0.6, size * 0.013))), dtype=np.float32) / 255.0
    # Leaves grow beyond crowns only: a trunk is thinner than the blur and stays below the threshold.
    deep = np.asarray(mask.filter(ImageFilter.GaussianBlur(max(1.0, size * 0.045))), dtype=np.float32) / 255.0
    leaves = smoothstep(0.34, 0.52, soft + (fine - 0.5) * 0.50)
    alpha = np.maximum(np.asarray(mask, dtype=np.float32) / 255.0, leaves * smoothstep(0.34, 0.46, deep))
    clumps = fractal(rng, high, wide, (high / 22 + 2, wide / 30 + 2), 4, 0.6)
    step = max(1, int(size * 0.03))
    above = np.pad(deep, ((step, 0), (0, 0)), mode="edge")[:-step]
    light = np.clip((deep - above) * 2.2 + (clumps - 0.52) * 1.1, 0, 1)
    return alpha, (light * (0.5 + fine)).astype(np.float32)


def palm(pen: Pen, rng: np.random.Generator, x: float, foot: float, height: float) -> None:
    """One palm: a bowed trunk and drooping feathered fronds."""
    bend = rng.uniform(-0.22, 0.22) * height
    steps = np.linspace(0, 1, 14)
    path = [(x + bend * s * s, foot - height * s) for s in steps]
    for (x0, y0), (x1, y1), s in zip(path[:-1], path[1:], steps, strict=False):
        pen.line([(x0, y0), (x1, y1)], fill=255, width=max(1, int(height * (0.036 - 0.018 * s))))
    crown_x, crown_y = path[-1]
    for angle in np.linspace(-2.9, -0.25, 9) + rng.normal(0, 0.08, 9):
        length = height * rng.uniform(0.30, 0.40)
        last = (crown_x, crown_y)
        for s in np.linspace(0.08, 1, 16):
            px = crown_x + np.cos(angle) * length * s
            py = crown_y + np.sin(angle) * length * s * 0.75 + length * 0.62 * s * s
            pen.line([last, (px, py)], fill=255, width=max(1, int(height * 0.012)))
            blade = length * 0.20 * (1 - s * 0.75)
            pen.line([(px, py), (px + np.cos(angle) * blade * 0.5 - blade * 0.2, py + blade)], fill=255, width=2)
            pen.line([(px, py), (px + np.cos(angle) * blade * 0.5 + blade * 0.2, py + blade)], fill=255, width=2)
            last = (px, py)


def row(
    rng: np.random.Generator, colours: Palette, camera: Camera, *, depth: float, foot: float, floor: int,
    kind: str, size: float, haze: float,
) -> Layer:  # fmt: skip
    """One row of trees; `foot` is its ground row, `size` the tallest tree in pixels, `haze` its mist 0..1."""
    width = int(camera.width * (1 + 2 * MARGIN))
    top = int(foot - size * 1.2)
    rows = max(2, floor - top)
    mask = Image.new("L", (width * _OVERSAMPLE, rows * _OVERSAMPLE))
    pen = ImageDraw.Draw(mask)
    ground = (skyline(rng, width * _OVERSAMPLE, 3.0, 5) - 0.5) * size * 0.55 + foot - top
    if kind == "broadleaf":
        ground = ground - skyline(rng, width * _OVERSAMPLE, 26.0, 5, 0.6) * size * 0.16
    pen.polygon(
        [*((i, float(ground[i]) * _OVERSAMPLE) for i in range(0, width * _OVERSAMPLE, 2)),
         (width * _OVERSAMPLE, rows * _OVERSAMPLE), (0, rows * _OVERSAMPLE)], fill=255,
    )  # fmt: skip
    density = skyline(rng, width * _OVERSAMPLE, 5.0, 3)
    x = -size
    while x < width * _OVERSAMPLE + size:
        place = int(np.clip(x, 0, width * _OVERSAMPLE - 1))
        tall = size * _OVERSAMPLE * rng.uniform(0.42, 1.0) * (0.55 + 0.45 * float(density[place]))
        at = float(ground[place]) * _OVERSAMPLE + 2 + (tall * 0.07 if kind == "conifer" else 0.0)
        if kind == "conifer":
            _conifer(pen, rng, x, at, tall)
        elif rng.random() < 0.16:
            palm(pen, rng, x, at, tall * 0.9)
        else:
            _broadleaf(pen, rng, x, at, tall)
        x += (
            tall
            * rng.uniform(0.07, 0.30)
            * (1.0 if kind == "conifer" else 1.6 + 0.9 * depth)
            * (1.6 - 1.2 * density[place])
        )
    mask = mask.reduce(_OVERSAMPLE)
    if depth < 0.3:
        mask = mask.filter(ImageFilter.GaussianBlur(0.6 * camera.height / 720))
    alpha = np.asarray(mask, dtype=np.float32) / 255.0
    leaf = np.zeros_like(alpha)
    if kind == "broadleaf":
        alpha, leaf = _leafy(rng, mask, size)
    body = np.array(mix(mix(colours.far, colours.near, 0.18 + 0.82 * depth**0.8), colours.lit, 0.06), np.float32)
    mist = np.array(mix(colours.sky[-1], colours.far, 0.42), np.float32)
    down = np.linspace(top, floor, rows, dtype=np.float32)[:, None]
    share = haze * smoothstep(foot - size * 0.85, foot + size * 0.35, down) + (1 - depth) * 0.28
    wisps = np.repeat(skyline(rng, width, 6.0, 4)[None, :], rows, axis=0)
    share = np.clip(share * (0.72 + 0.56 * wisps), 0, 0.96)[..., None]
    sunlit = np.array(mix(colours.lit, colours.far, 0.5), np.float32)
    paint = body + (sunlit - body) * (leaf * (0.42 - 0.15 * depth))[..., None]
    return standing(picture(paint + (mist - paint) * share, alpha), float(top), 0.08 + 0.80 * depth)


def palm_corner(rng: np.random.Generator, colours: Palette, camera: Camera) -> Layer:
    """Dark palms on a bank in the near corner of a shore, away from the sun."""
    width = int(camera.width * (1 + 2 * MARGIN))
    rows = int(camera.height * 0.98)
    mask = Image.new("L", (width * _OVERSAMPLE, rows * _OVERSAMPLE))
    pen = ImageDraw.Draw(mask)
    wide, high = mask.size
    reach = 0.30 * wide
    steps = np.linspace(0, 1, 60)
    bank = high * (1.0 - 0.10 * np.cos(steps * np.pi / 2) ** 0.8)
    edge = wide * 0.5 - camera.width * 0.5 * _OVERSAMPLE
    slope = zip((edge + steps * reach).tolist(), bank.tolist(), strict=True)
    pen.polygon([(0, high), (0, float(bank[0])), *slope], fill=255)
    tall = min(high * 0.70, wide * 0.55)
    for place, share in ((0.16, 1.0), (0.36, 0.74), (0.03, 0.60)):
        palm(pen, rng, edge + reach * place, high * 0.95, tall * share)
    for _ in range(70):
        x = edge + reach * rng.random() * 0.9
        foot = float(np.interp((x - edge) / reach, steps, bank)) + 4
        blade = high * rng.uniform(0.015, 0.05)
        pen.line([(x, foot), (x + rng.normal(0, 0.4) * blade, foot - blade)], fill=255, width=_OVERSAMPLE)
    if camera.direction < 0:
        mask = mask.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    alpha = np.asarray(mask.reduce(_OVERSAMPLE), dtype=np.float32) / 255.0
    colour = np.empty((*alpha.shape, 3), np.float32)
    colour[:] = mix(colours.near, (0.0, 0.0, 0.0), 0.15)
    return standing(picture(colour, alpha), float(camera.height - rows), 0.95)
