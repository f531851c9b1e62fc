"""Draws flowing silk: folds made by bending a field with itself, lit from one side."""

import numpy as np
from PIL import Image

from studio.brief import Brief
from studio.noise import Field
from studio.palette import rgb
from studio.picture import Shot

_SCHEMES = (
    "1a1040 7a3cf0 ff9a6a", "06203c 1f7ac8 9af0e0", "2a0a2c d83c7c ffc890", "0a2a28 1f9a7a f0e8a0",
    "14142e 4a5ae0 f0a8e8", "1a0a20 7a3cf0 f2b544 fff0cc",
)  # fmt: skip


class Silk:
    """An abstract scene, drawn at a share of its size and enlarged; every frame is a pure function of time."""

    def __init__(self, _brief: Brief, rng: np.random.Generator, shot: Shot, *, reduction: int = 3) -> None:
        self._shot = shot
        wide, high = max(24, shot.width // reduction), max(24, shot.height // reduction)
        self._unit = unit = min(wide, high)
        y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
        turn = float(rng.uniform(-0.9, 0.9))
        x, y = (x - wide / 2) / unit, (y - high / 2) / unit
        self._x = (x * np.cos(turn) + y * np.sin(turn)).astype(np.float32)
        self._y = (-x * np.sin(turn) + y * np.cos(turn)).astype(np.float32)
        self._phase = rng.uniform(0, 6.28, 16)
        self._rate = rng.uniform(0.7, 1.3, 16) * rng.choice([-1.0, 1.0], 16)
        self.table = _ramp(rng)
        self._dither = np.random.default_rng(3).random((high, wide, 1), dtype=np.float32)

    def light(self, t_seconds: float) -> Field:
        """Colours at a time at the reduced size, shape (rows, columns, 3), 0 to 255."""
        travel = self._shot.share(t_seconds) - 0.5
        u, v = (self._x + 0.75 * travel) * 2.1, (self._y - 0.3 * travel) * 2.1
        turn = (self._phase + self._rate * 0.30 * t_seconds).astype(np.float32)
        for step in range(4):
            strength, pace = 0.62 / (1.0 + 0.45 * step), 1.25 + 0.75 * step
            u = u + strength * np.sin(pace * v + turn[2 * step])
            v = v + strength * np.sin(pace * 0.9 * u + turn[2 * step + 1])
        folds = np.sin(2.0 * u + 0.9 * v + turn[9]) + 0.42 * np.sin(4.4 * v - 1.7 * u + turn[10])
        folds += 0.16 * np.sin(9.0 * u + 4.0 * v + turn[11])
        down, across = (slope * self._unit * 0.060 for slope in np.gradient(folds))
        facing = 1.0 / np.sqrt(down * down + across * across + 1.0)
        light = np.clip((0.52 * across + 0.58 * down + 0.62) * facing, 0.0, 1.15)
        shine = np.clip((0.36 * across + 0.44 * down + 0.82) * facing, 0.0, 1.0) ** 26
        level = np.clip(0.46 + 0.20 * np.sin(0.9 * u - 0.7 * v + turn[12]) + 0.20 * folds, 0.0, 1.0)
        colour: Field = self.table[(level * 255).astype(np.int32)] * (0.10 + 1.08 * light**1.25)[..., None]
        colour += (255.0 - colour) * (0.62 * shine)[..., None]
        return colour

    def frame(self, t_seconds: float) -> Image.Image:
        """Picture at a time."""
        return self.enlarged(self.light(t_seconds))

    def enlarged(self, colour: Field) -> Image.Image:
        """RGB picture of full size from colours at the reduced one."""
        pixels = np.clip(colour + self._dither, 0, 255).astype(np.uint8)
        return Image.fromarray(pixels).resize((self._shot.width, self._shot.height), Image.Resampling.BICUBIC)


def _ramp(rng: np.random.Generator) -> Field:
    """Colours for 256 levels."""
    stops = np.array([rgb(code) for code in _SCHEMES[int(rng.integers(len(_SCHEMES)))].split()])
    places, levels = np.linspace(0, 1, len(stops)), np.linspace(0, 1, 256)
    return np.stack([np.interp(levels, places, band) for band in stops.T], axis=1).astype(np.float32)
