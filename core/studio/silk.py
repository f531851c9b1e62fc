"""Draws flowing silk: folds made by bending a field with itself, lit from one side."""

import numpy as np
from PIL import Image

from core.studio.layer import Pixels
from core.studio.noise import Field
from core.studio.palette import Brief, Colour, mix, rgb

_REDUCTION = 3
_SCHEMES: tuple[tuple[str, str, str], ...] = (
    ("1a1040", "7a3cf0", "ff9a6a"),
    ("06203c", "1f7ac8", "9af0e0"),
    ("2a0a2c", "d83c7c", "ffc890"),
    ("0a2a28", "1f9a7a", "f0e8a0"),
    ("14142e", "4a5ae0", "f0a8e8"),
)


class Silk:
    """An abstract scene; every frame is a pure function of time."""

    def __init__(self, brief: Brief, rng: np.random.Generator, width: int, height: int, seconds: float) -> None:
        self._size = width, height
        wide, high = max(24, width // _REDUCTION), max(24, height // _REDUCTION)
        unit = min(wide, high)
        y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
        turn = float(rng.uniform(-0.9, 0.9))
        x, y = (x - wide / 2) / unit, (y - high / 2) / unit
        self._x = (x * np.cos(turn) + y * np.sin(turn)).astype(np.float32)
        self._y = (-x * np.sin(turn) + y * np.cos(turn)).astype(np.float32)
        self._phase = rng.uniform(0, 6.28, 16)
        self._rate = rng.uniform(0.7, 1.3, 16) * rng.choice([-1.0, 1.0], 16)
        self._table = _ramp(brief, rng)
        self._unit = unit
        self._dither = np.random.default_rng(3).random((high, wide, 1), dtype=np.float32)

    def _height(self, t: float) -> tuple[Field, Field]:
        """(height, hue) of the cloth, both about -1..1."""
        u, v = self._x * 2.1, self._y * 2.1
        turn = (self._phase + self._rate * 0.16 * t).astype(np.float32)
        for step in range(4):
            strength = 0.62 / (1.0 + 0.45 * step)
            pace = 1.25 + 0.75 * step
            u = u + strength * np.sin(pace * v + turn[2 * step])
            v = v + strength * np.sin(pace * 0.9 * u + turn[2 * step + 1])
        folds = np.sin(2.0 * u + 0.9 * v + turn[9]) + 0.42 * np.sin(4.4 * v - 1.7 * u + turn[10])
        folds += 0.16 * np.sin(9.0 * u + 4.0 * v + turn[11])
        hue = np.sin(0.9 * u - 0.7 * v + turn[12])
        return folds, hue

    def frame(self, t_seconds: float) -> Pixels:
        """Picture at a time, shape (height, width, 3), RGB."""
        folds, hue = self._height(t_seconds)
        scale = self._unit * 0.060
        down, across = np.gradient(folds)
        down, across = down * scale, across * scale
        facing = 1.0 / np.sqrt(down * down + across * across + 1.0)
        light = (0.52 * across + 0.58 * down + 0.62) * facing
        shine = np.clip((0.36 * across + 0.44 * down + 0.82) * facing, 0, 1) ** 26
        sheen = (1.0 - facing) ** 2
        level = np.clip(0.46 + 0.20 * hue + 0.20 * folds, 0, 1)
        colour = self._table[(level * 255).astype(np.int32)]
        colour = colour * (0.10 + 1.08 * np.clip(light, 0, 1.15) ** 1.25)[..., None]
        colour += (255.0 - colour) * (0.62 * shine)[..., None]
        colour += self._table[-1] * (0.16 * sheen * np.clip(light + 0.2, 0, 1))[..., None]
        pixels = np.clip(colour + self._dither, 0, 255).astype(np.uint8)
        full = Image.fromarray(pixels).resize(self._size, Image.Resampling.BICUBIC)
        return np.frombuffer(full.tobytes(), np.uint8).reshape(self._size[1], self._size[0], 3).copy()


def _ramp(brief: Brief, rng: np.random.Generator) -> Field:
    """Colours for 256 levels, from the colours that the prompt names or from a scheme of our own."""
    scheme = [rgb(code) for code in _SCHEMES[int(rng.integers(len(_SCHEMES)))]]
    named = list(brief.accents[:4])
    stops: list[Colour]
    if len(named) >= 2:
        stops = [mix(named[-1], (8.0, 4.0, 16.0), 0.55), *named[::-1], mix(named[0], (255.0, 250.0, 235.0), 0.45)]
    elif named:
        stops = [mix(named[0], (8.0, 6.0, 20.0), 0.75), named[0], mix(named[0], (255.0, 255.0, 255.0), 0.55)]
    else:
        stops = scheme
    places = np.linspace(0, 1, len(stops))
    levels = np.linspace(0, 1, 256)
    table = [np.interp(levels, places, [stop[band] for stop in stops]) for band in range(3)]
    return np.stack(table, axis=1).astype(np.float32)
