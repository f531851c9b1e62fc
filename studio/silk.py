"""Draws flowing silk: folds made by bending a field with itself, lit from one side, and a ribbon that runs through."""

import numpy as np
from PIL import Image

from studio.brief import Brief
from studio.noise import Field
from studio.palette import PALETTES, Colour, mix, rgb
from studio.picture import Shot

_SCHEMES = (
    "1a1040 7a3cf0 ff9a6a", "06203c 1f7ac8 9af0e0", "2a0a2c d83c7c ffc890", "0a2a28 1f9a7a f0e8a0",
    "14142e 4a5ae0 f0a8e8",
)  # fmt: skip


class Silk:
    """An abstract scene, drawn at a share of its size and enlarged; every frame is a pure function of time."""

    def __init__(self, brief: Brief, rng: np.random.Generator, shot: Shot, *, reduction: int = 3) -> None:
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
        self.table = _ramp(brief, rng)
        self._dither = np.random.default_rng(3).random((high, wide, 1), dtype=np.float32)

    def _cloth(self, t: float) -> tuple[Field, Field, Field]:
        """(height, hue, place along the cloth), the first two about -1..1."""
        travel = np.float32(0.75 * (self._shot.share(t) - 0.5))
        u, v = (self._x + travel) * 2.1, (self._y - 0.4 * travel) * 2.1
        turn = (self._phase + self._rate * 0.30 * t).astype(np.float32)
        for step in range(4):
            strength = 0.62 / (1.0 + 0.45 * step)
            pace = 1.25 + 0.75 * step
            u = u + strength * np.sin(pace * v + turn[2 * step])
            v = v + strength * np.sin(pace * 0.9 * u + turn[2 * step + 1])
        folds = np.sin(2.0 * u + 0.9 * v + turn[9]) + 0.42 * np.sin(4.4 * v - 1.7 * u + turn[10])
        folds += 0.16 * np.sin(9.0 * u + 4.0 * v + turn[11])
        return folds, np.sin(0.9 * u - 0.7 * v + turn[12]), v

    def light(self, t_seconds: float) -> Field:
        """Colours at a time at the reduced size, shape (rows, columns, 3), 0 to 255."""
        folds, hue, along = self._cloth(t_seconds)
        # The ribbon: a narrow fold that runs from one side of the cloth to the other during the clip.
        ribbon = np.exp(-(((along - 5.2 * (self._shot.share(t_seconds) - 0.5)) / 0.30) ** 2))
        folds += 0.55 * ribbon
        scale = self._unit * 0.060
        down, across = np.gradient(folds)
        down, across = down * scale, across * scale
        facing = 1.0 / np.sqrt(down * down + across * across + 1.0)
        light = (0.52 * across + 0.58 * down + 0.62) * facing
        shine = np.clip((0.36 * across + 0.44 * down + 0.82) * facing, 0, 1) ** 26
        sheen = (1.0 - facing) ** 2
        level = np.clip(0.46 + 0.20 * hue + 0.20 * folds, 0, 1)
        colour: Field = self.table[(level * 255).astype(np.int32)]
        colour = colour * (0.10 + 1.08 * np.clip(light, 0, 1.15) ** 1.25)[..., None]
        colour += (255.0 - colour) * (0.62 * shine)[..., None]
        colour += self.table[-1] * ((0.16 * sheen + 0.22 * ribbon) * np.clip(light + 0.2, 0, 1))[..., None]
        return colour

    def frame(self, t_seconds: float) -> Image.Image:
        """Picture at a time."""
        return self.enlarged(self.light(t_seconds))

    def enlarged(self, colour: Field) -> Image.Image:
        """RGB picture of full size from colours at the reduced one."""
        pixels = np.clip(colour + self._dither, 0, 255).astype(np.uint8)
        return Image.fromarray(pixels).resize((self._shot.width, self._shot.height), Image.Resampling.BICUBIC)


def _ramp(brief: Brief, rng: np.random.Generator) -> Field:
    """Colours for 256 levels, from the colours that the prompt names, its light, or a scheme of our own."""
    stops: list[Colour] = [rgb(code) for code in _SCHEMES[int(rng.integers(len(_SCHEMES)))].split()]
    named = list(brief.accents[:4])
    if len(named) >= 2:
        stops = [mix(named[-1], (8.0, 4.0, 16.0), 0.55), *named[::-1], mix(named[0], (255.0, 250.0, 235.0), 0.45)]
    elif named:
        stops = [mix(named[0], (8.0, 6.0, 20.0), 0.75), named[0], mix(named[0], (255.0, 255.0, 255.0), 0.55)]
    elif brief.light:
        stops = [mix(PALETTES[brief.light].sky[0], (8.0, 6.0, 20.0), 0.4), *PALETTES[brief.light].sky[1:]]
    places, levels = np.linspace(0, 1, len(stops)), np.linspace(0, 1, 256)
    bands = [np.interp(levels, places, [stop[band] for stop in stops]) for band in range(3)]
    return np.stack(bands, axis=1).astype(np.float32)
