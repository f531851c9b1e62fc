"""What moves through the air before the camera: snow, rain, fireflies, embers, dust, and banks of mist."""

from collections.abc import Callable

import numpy as np

from core.demo_studio import canvas, noise
from core.demo_studio.canvas import Bytes, Layer, Size
from core.demo_studio.noise import Floats
from core.demo_studio.palette import Palette, colour

Weather = Callable[[Bytes, float], None]
"""Draws the weather of a moment onto a picture."""


def over(kind: str, size: Size, rng: np.random.Generator, ground: float) -> Weather:
    """The weather of this name; `ground` is the row of the horizon."""
    area = size.width * size.height / size.unit**2 / 921_600
    makers = {"snow": _snow, "rain": _rain, "fireflies": _fireflies, "embers": _embers, "dust": _dust}
    return makers[kind](size, rng, area, ground)


def mist(size: Size, horizon: float, palette: Palette, rng: np.random.Generator, *, near: float, dense: float) -> Layer:
    """A bank of mist that lies on the ground and thins out upwards."""
    scale = 0.25
    high = int(size.height * (0.24 + 0.1 * near) * scale) + 4
    width = int(size.width * scale * 1.5) + int(200 * size.unit * scale) + 4
    shape = noise.field(rng, high, width, largest=110 * size.unit, smallest=4 * size.unit, slope=2.0, stretch=(1, 2.8))
    up = np.linspace(0, 1, high, dtype=np.float32)[:, None]
    body = noise.smoothstep(0.0, 0.5, up) * (1 - noise.smoothstep(0.78, 1.0, up))
    alpha = np.clip(body * (0.55 + 0.33 * shape), 0, 1) * dense
    tone = np.broadcast_to(colour(palette.haze) * 0.85 + 0.15 * colour(palette.cloud_light), (high, width, 3))
    image = canvas.picture(np.clip(tone, 0, 1), alpha.astype(np.float32))
    return Layer(image, base=high * 0.74, base_y=horizon, near=near, scale=scale)


def _drift(start: Floats, speed: Floats, seconds: float, length: float, margin: float) -> Floats:
    """A place that moves on and comes back on the other side."""
    return ((start + speed * seconds) % (length + 2 * margin) - margin).astype(np.float32)


def _uniform(rng: np.random.Generator, low: float, high: float, count: int) -> Floats:
    return rng.uniform(low, high, count).astype(np.float32)


def _snow(size: Size, rng: np.random.Generator, area: float, _ground: float) -> Weather:
    unit = size.unit
    flakes = []
    for count, radius, fall, power in (
        (230, 1.1, 46, 0.6),
        (110, 1.9, 78, 0.75),
        (34, 3.6, 125, 0.62),
        (9, 8.5, 190, 0.26),
    ):
        number = max(1, int(count * area))
        flakes.append(
            (
                radius * unit,
                _uniform(rng, 0, size.width + 60 * unit, number),
                _uniform(rng, 0, size.height + 40 * unit, number),
                _uniform(rng, 0.75, 1.25, number) * fall * unit,
                _uniform(rng, 0, 6.3, number),
                _uniform(rng, 0.5, 1.0, number) * power,
            )
        )

    def draw(target: Bytes, seconds: float) -> None:
        for radius, x, y, fall, phase, power in flakes:
            sway = np.sin(seconds * 1.1 + phase) * fall * 0.16
            now_x = _drift(x, -fall * 0.22, seconds, size.width, 30 * unit) + sway
            now_y = _drift(y, fall, seconds, size.height, 20 * unit)
            canvas.splat(target, now_x, now_y, radius=max(0.7, radius), colour=(0.95, 0.97, 1), strength=power)

    return draw


def _rain(size: Size, rng: np.random.Generator, area: float, _ground: float) -> Weather:
    unit = size.unit
    number = max(2, int(420 * area))
    x = _uniform(rng, 0, size.width + 200 * unit, number)
    y = _uniform(rng, 0, size.height + 120 * unit, number)
    near = rng.random(number).astype(np.float32) ** 2
    speed = (820 + 700 * near) * unit
    reach = (16 + 30 * near) * unit
    power = 0.09 + 0.17 * near
    steps = max(4, int(46 * unit))
    along = np.linspace(0, 1, steps, dtype=np.float32)[None, :]
    slant = 0.16

    def draw(target: Bytes, seconds: float) -> None:
        top = _drift(y, speed, seconds, size.height, 60 * unit)
        left = _drift(x, -speed * slant, seconds, size.width, 100 * unit)
        rows = (top[:, None] + along * reach[:, None]).astype(np.int32)
        across = left[:, None] - along * reach[:, None] * slant
        columns = np.floor(across).astype(np.int32)
        part = across - columns
        fade = power[:, None] * along * np.minimum(1, steps / np.maximum(reach[:, None], 1)) ** 0
        for aside, weight in ((0, 1 - part), (1, part)):
            seen = (rows >= 0) & (rows < size.height) & (columns + aside >= 0) & (columns + aside < size.width)
            light = (fade * weight)[seen][:, None] * np.array([0.80, 0.88, 1.0], np.float32)
            canvas.add_light(target, rows[seen], columns[seen] + aside, light)

    return draw


def _fireflies(size: Size, rng: np.random.Generator, area: float, ground: float) -> Weather:
    unit = size.unit
    number = max(2, int(62 * area))
    x = _uniform(rng, 0, size.width, number)
    y = (ground + rng.normal(0.16, 0.2, number) * (size.height - ground + 120 * unit)).astype(np.float32)
    pace, phase = _uniform(rng, 0.25, 0.6, number), _uniform(rng, 0, 6.3, number)
    blink = _uniform(rng, 0.9, 2.2, number)
    near = rng.random(number).astype(np.float32)

    def draw(target: Bytes, seconds: float) -> None:
        now = seconds * pace + phase
        across = x + (np.sin(now * 1.7) + 0.6 * np.sin(now * 3.1 + phase)) * 34 * unit
        up = y + (np.cos(now * 1.3 + phase) + 0.5 * np.sin(now * 2.7)) * 22 * unit
        shine = (np.clip(np.sin(seconds * blink + phase * 3), 0, 1) ** 0.7 * (0.45 + 0.55 * near)).astype(np.float32)
        canvas.splat(
            target, across, up, radius=17 * unit, colour=(0.72, 0.95, 0.35), strength=shine * 0.34, falloff=2.6
        )
        canvas.splat(target, across, up, radius=max(0.8, 2.1 * unit), colour=(1.0, 0.98, 0.68), strength=shine)

    return draw


def _embers(size: Size, rng: np.random.Generator, area: float, _ground: float) -> Weather:
    unit = size.unit
    number = max(2, int(120 * area))
    x, y = _uniform(rng, 0, size.width, number), _uniform(rng, 0, size.height + 60 * unit, number)
    near, phase = rng.random(number).astype(np.float32), _uniform(rng, 0, 6.3, number)
    rise = -(40 + 90 * near) * unit

    def draw(target: Bytes, seconds: float) -> None:
        now_y = _drift(y, rise, seconds, size.height, 30 * unit)
        now_x = x + (np.sin(seconds * 0.9 + phase) * 22 + np.sin(seconds * 2.3 + phase * 2) * 9) * unit
        shine = (0.35 + 0.65 * near) * (0.72 + 0.28 * np.sin(seconds * 6 + phase * 5))
        canvas.splat(target, now_x, now_y, radius=8 * unit, colour=(1, 0.38, 0.08), strength=shine * 0.3, falloff=2.6)
        canvas.splat(target, now_x, now_y, radius=max(0.8, 1.5 * unit), colour=(1, 0.78, 0.4), strength=shine)

    return draw


def _dust(size: Size, rng: np.random.Generator, area: float, _ground: float) -> Weather:
    unit = size.unit
    number = max(2, int(46 * area))
    x, y = _uniform(rng, 0, size.width + 40 * unit, number), _uniform(rng, 0, size.height + 40 * unit, number)
    pace, phase = _uniform(rng, 4, 16, number) * unit, _uniform(rng, 0, 6.3, number)

    def draw(target: Bytes, seconds: float) -> None:
        now_x = _drift(x, pace, seconds, size.width, 20 * unit)
        now_y = _drift(y, -pace * 0.6, seconds, size.height, 20 * unit) + np.sin(seconds + phase) * 4 * unit
        shine = 0.10 + 0.09 * np.sin(seconds * 0.8 + phase)
        canvas.splat(target, now_x, now_y, radius=3.2 * unit, colour=(1, 0.96, 0.86), strength=shine.astype(np.float32))

    return draw
