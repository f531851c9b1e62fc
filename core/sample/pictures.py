"""Draws the moving pictures of the sample company: layered silhouettes before a sky, swaying; pure, and it loops."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

Pixels: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
Colour: TypeAlias = tuple[int, int, int]
Outline: TypeAlias = Callable[[Pixels, np.random.Generator], Pixels]
"""Places from left (0) to right (1) -> heights of a silhouette, from its foot (0) to its tip (1)."""

SWAY = 0.028
"""How far the nearest layer moves to either side, as a share of the width."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours from the top of the sky over its foot to the farthest and the nearest layer, and of sun or moon."""

    top: Colour
    foot: Colour
    far: Colour
    near: Colour
    light: Colour


DAWN = Palette((60, 72, 130), (250, 190, 150), (196, 138, 150), (52, 40, 78), (255, 236, 200))
NOON = Palette((88, 160, 214), (226, 240, 240), (140, 182, 170), (30, 92, 86), (255, 252, 232))
DUSK = Palette((38, 24, 66), (238, 112, 84), (150, 68, 92), (34, 18, 44), (255, 214, 140))
NIGHT = Palette((8, 12, 34), (44, 62, 110), (36, 52, 92), (8, 14, 30), (236, 240, 255))
MIST = Palette((150, 168, 172), (232, 232, 222), (176, 190, 184), (64, 86, 84), (252, 250, 240))
SPICE = Palette((122, 44, 30), (246, 182, 92), (206, 110, 54), (70, 26, 22), (255, 238, 190))
MINT = Palette((20, 92, 96), (176, 232, 206), (92, 174, 156), (10, 54, 62), (246, 255, 236))
ROSE = Palette((112, 50, 92), (250, 202, 206), (214, 128, 152), (66, 24, 58), (255, 242, 230))


def _hills(x: Pixels, chance: np.random.Generator) -> Pixels:
    waves = sum(np.sin(x * 2 * np.pi * k + chance.uniform(0, 6.3)) / k**1.2 for k in (1.3, 2.7, 5.1, 9.7))
    return 0.5 + np.asarray(waves) / 4.4


def _dunes(x: Pixels, chance: np.random.Generator) -> Pixels:
    return 0.35 + 0.3 * np.abs(np.sin(x * np.pi * chance.uniform(1.2, 2.2) + chance.uniform(0, 3.1)))


def _peaks(x: Pixels, chance: np.random.Generator) -> Pixels:
    """One volcano among lower ridges."""
    summit, width = chance.uniform(0.25, 0.75), chance.uniform(0.25, 0.4)
    cone = np.clip(1 - np.abs(x - summit) / width, 0, 0.86)
    return np.maximum(cone, 0.55 * _hills(x, chance))


def _city(x: Pixels, chance: np.random.Generator) -> Pixels:
    houses = chance.uniform(0.15, 1.0, 40) ** 1.4
    return np.asarray(houses[np.clip((x * 26 + 6).astype(int), 0, 39)])


def _forest(x: Pixels, chance: np.random.Generator) -> Pixels:
    trees = chance.uniform(0.4, 1.0, 60)
    place = x * 40 + 6
    return np.asarray(trees[np.clip(place.astype(int), 0, 59)] * (1 - 1.3 * np.abs(place % 1 - 0.5)))


def _sea(x: Pixels, chance: np.random.Generator) -> Pixels:
    turn = chance.uniform(0, 6.3)
    return 0.6 + 0.04 * np.sin(x * 2 * np.pi * 4 + turn) + 0.025 * np.sin(x * 2 * np.pi * 11 + 2 * turn)


def _temple(x: Pixels, chance: np.random.Generator) -> Pixels:
    """Steps that rise to a tower in the middle."""
    centre = np.abs(x - chance.uniform(0.45, 0.55))
    steps = ((0.3, 0.3), (0.2, 0.46), (0.12, 0.64), (chance.uniform(0.05, 0.08), 0.84), (0.02, 1.0))
    return np.asarray(np.max([np.where(centre < half, height, 0.1) for half, height in steps], axis=0))


OUTLINES: Mapping[str, Outline] = {
    "hills": _hills,
    "dunes": _dunes,
    "peaks": _peaks,
    "city": _city,
    "forest": _forest,
    "sea": _sea,
    "temple": _temple,
}
"""What can be drawn, by its name."""

LAYERS = 4
_MARGIN = 0.1
"""How far a silhouette is known beyond both edges of the picture, as a share of its width."""


class Picture:
    """One looping shot; `frame(0)` and `frame(1)` are the same. The same seed gives the same picture."""

    def __init__(self, outline: str, palette: Palette, *, width: int, height: int, seed: int) -> None:
        chance = np.random.default_rng(seed)
        self._width = width
        self._sky = _sky(palette, chance, width=width, height=height)
        rows = np.arange(height)[:, None]
        x = np.linspace(-_MARGIN, 1 + _MARGIN, round(width * (1 + 2 * _MARGIN)))
        far, near = np.array(palette.far, np.float32), np.array(palette.near, np.float32)
        self._layers: list[tuple[Pixels, float]] = []
        colours = [np.zeros(3)]  # of what is no layer
        for place in range(LAYERS):
            nearness = place / (LAYERS - 1)
            tip = 0.62 - 0.34 * nearness + chance.uniform(-0.03, 0.03)  # share of the height that it reaches up to
            edge = height - OUTLINES[outline](x, chance) * tip * height
            # The number of the layer where it is, so that the nearest of several is the highest number.
            self._layers.append(
                ((rows > edge[None, :]).astype(np.uint8) * (place + 1), SWAY * (0.25 + 0.75 * nearness))
            )
            colours.append(far + (near - far) * nearness)
        self._colours = np.array(colours).astype(np.uint8)
        self._phase = chance.uniform(0, 2 * np.pi)

    def frame(self, share: float) -> Pixels:
        """The picture after `share` of the loop, as RGB in (height, width, 3)."""
        numbers = np.zeros(self._sky.shape[:2], np.uint8)
        for place, (layer, sway) in enumerate(self._layers):
            moved = sway * np.sin(2 * np.pi * share + self._phase + 0.4 * place)
            start = round((_MARGIN + moved) * self._width)
            np.maximum(numbers, layer[:, start : start + self._width], out=numbers)
        pixels = np.take(self._colours, numbers, axis=0)
        np.copyto(pixels, self._sky, where=(numbers == 0)[..., None])
        return pixels


def _sky(palette: Palette, chance: np.random.Generator, *, width: int, height: int) -> Pixels:
    """A gradient with a sun or moon, its glow, and stars where it is dark."""
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None] ** 0.9
    top, foot, light = (np.array(each, np.float32) for each in (palette.top, palette.foot, palette.light))
    sky = np.broadcast_to(top + (foot - top) * down, (height, width, 3)).copy()
    across, along = np.meshgrid(np.arange(width), np.arange(height))
    size = min(width, height)
    centre = chance.uniform(0.25, 0.75) * width, chance.uniform(0.18, 0.4) * height
    distance = np.hypot(across - centre[0], along - centre[1])[..., None] / size
    glow = np.clip(np.exp(-distance * 5) * 0.55 + np.clip((0.09 - distance) * 60, 0, 1), 0, 1)
    sky += (light - sky) * glow.astype(np.float32)
    if sum(palette.top) < 150:  # dark enough for stars
        for _star in range(90):
            row, column = int(chance.uniform(0, 0.55) * height), int(chance.uniform(0, 1) * width)
            sky[row, column] = light
    return sky.astype(np.uint8)
