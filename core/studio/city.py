"""Paints rows of buildings with lit windows, roof lamps and, in neon light, glowing signs."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from core.studio.layer import MARGIN, Camera, Layer, picture, standing
from core.studio.noise import smoothstep
from core.studio.palette import Colour, Palette, mix

_WARM = ((255.0, 214.0, 140.0), (255.0, 190.0, 110.0), (255.0, 236.0, 200.0), (190.0, 220.0, 255.0))
_NEON = ((255.0, 60.0, 170.0), (60.0, 230.0, 255.0), (170.0, 90.0, 255.0), (255.0, 190.0, 70.0), (90.0, 255.0, 190.0))


def _ink(colour: Colour) -> tuple[int, int, int]:
    return round(colour[0]), round(colour[1]), round(colour[2])


def _building(
    pens: tuple[ImageDraw.ImageDraw, ImageDraw.ImageDraw, ImageDraw.ImageDraw], rng: np.random.Generator, *,
    box: tuple[int, int, int, int], walls: Colour, glow_share: float, unit: float, neon: bool,
) -> None:  # fmt: skip
    """One tower: outline on the mask pen, walls and windows on the colour pen, light on the glow pen."""
    mask, paint, glow = pens
    left, top, right, bottom = box
    width = right - left
    mask.rectangle(box, fill=255)
    paint.rectangle((left, 0, right, bottom), fill=_ink(walls))
    side = int(width * rng.uniform(0.25, 0.45))
    paint.rectangle((right - side, 0, right, bottom), fill=_ink(mix(walls, (0.0, 0.0, 0.0), 0.30)))
    if rng.random() < 0.5:
        step = int(width * rng.uniform(0.15, 0.28))
        mask.rectangle((left + step, top - step * 2, right - step, top), fill=255)
    if rng.random() < 0.35:
        middle = (left + right) // 2
        tall = int(width * rng.uniform(0.5, 1.1))
        mask.rectangle((middle - 1, top - tall, middle + 1, top), fill=255)
    cell = max(3, int(unit * rng.uniform(0.8, 1.25)))
    lit = rng.uniform(0.18, 0.62) * glow_share
    tone = _WARM[int(rng.integers(len(_WARM)))]
    gap = max(1, cell // 3)
    for y in range(top + cell, bottom - cell, int(cell * 1.5)):
        office = rng.random() < 0.12
        for x in range(left + gap + 1, right - cell, cell + gap):
            if rng.random() < (0.85 * glow_share if office else lit):
                power = rng.uniform(0.35, 1.0) * glow_share
                ink = _ink(mix(walls, tone, power))
                window = (x, y, x + cell - gap, y + max(1, int(cell * 0.8)))
                paint.rectangle(window, fill=ink)
                glow.rectangle(window, fill=_ink(mix((0.0, 0.0, 0.0), tone, 0.5 * power)))
    if neon and rng.random() < 0.55:
        sign = _NEON[int(rng.integers(len(_NEON)))]
        if rng.random() < 0.5:
            x = left + int(width * rng.uniform(0.1, 0.8))
            shape = (x, top + cell * 2, x + max(2, cell // 2), min(bottom, top + int(cell * rng.uniform(9, 22))))
        else:
            y = top + int(cell * rng.uniform(0.3, 6))
            shape = (left + 2, y, right - 2, y + max(1, cell // 2))
        if shape[2] < shape[0] or shape[3] < shape[1]:
            return
        paint.rectangle(shape, fill=_ink(mix(sign, (255.0, 255.0, 255.0), 0.35)))
        glow.rectangle(shape, fill=_ink(sign))


def row(
    rng: np.random.Generator, colours: Palette, camera: Camera, *, depth: float, foot: int, floor: int, neon: bool
) -> Layer:
    """One row of buildings standing on frame row `foot`; depth 0 is the farthest, 1 the nearest."""
    width = int(camera.width * (1 + 2 * MARGIN)) * 2
    rise = min(camera.horizon, camera.width * 0.8) * (0.60 - 0.16 * depth)
    top = int(foot - rise * 1.3)
    rows = (floor - top) * 2
    body = mix(colours.far, colours.near, 0.25 + 0.7 * depth)
    bright = sum(colours.sky[-2]) / 765.0
    lamps = 1.0 if colours.stars > 0.2 or neon else float(np.clip(1.15 - bright, 0.12, 0.9))
    mask, paint, glow = (
        Image.new("L", (width, rows)), Image.new("RGB", (width, rows), _ink(body)), Image.new("RGB", (width, rows))
    )  # fmt: skip
    pens = ImageDraw.Draw(mask), ImageDraw.Draw(paint), ImageDraw.Draw(glow)
    unit = camera.height / 720 * 2 * (3.2 + 3.4 * depth)
    x = -int(rise * 0.2)
    while x < width:
        across = abs(x / width - 0.5 + 0.08 * camera.direction) * 2
        tall = rise * 2 * (0.25 + 0.75 * rng.random() ** 1.6) * (0.62 + 0.38 * (1 - across if depth < 0.6 else across))
        wide = int(max(4, rise * rng.uniform(0.13, 0.26) * (0.8 + 0.6 * depth)))
        box = (x, int((foot - top) * 2 - tall), x + wide, rows)
        walls = mix(body, colours.near, float(rng.uniform(0.0, 0.35)))
        _building(pens, rng, box=box, walls=walls, glow_share=lamps * (0.55 + 0.45 * depth), unit=unit, neon=neon)
        x += int(wide * rng.uniform(0.85, 1.25))
    light = glow.reduce(4).filter(ImageFilter.GaussianBlur(max(1.0, unit * 0.55)))
    halo = np.asarray(light.resize((width // 2, rows // 2), Image.Resampling.BICUBIC), dtype=np.float32)
    colour = np.asarray(paint.reduce(2), dtype=np.float32)
    down = np.linspace(0, 1, rows // 2, dtype=np.float32)[:, None]
    share = np.clip((0.50 - 0.45 * depth) * (0.35 + smoothstep(0.3, 1.0, down)), 0, 0.85)[..., None]
    mist = np.array(mix(colours.sky[-1], colours.far, 0.45), np.float32)
    colour = colour + (mist - colour) * share
    colour = 255.0 - (255.0 - colour) * (1.0 - np.minimum(halo * (1.5 if neon else 0.9), 235.0) / 255.0)
    alpha = np.asarray(mask.reduce(2), dtype=np.float32) / 255.0
    return standing(picture(colour, alpha), float(top), 0.06 + 0.5 * depth)
