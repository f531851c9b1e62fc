"""Light and colour of the hours and weathers a clip can have."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Colour = NDArray[np.float32]


def colour(text: str) -> Colour:
    """`#rrggbb` as three numbers from 0 to 1."""
    return np.array([int(text[place : place + 2], 16) / 255 for place in (1, 3, 5)], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Palette:
    """`sky` from zenith to horizon, evenly spaced; colours as `#rrggbb`.

    `sun_height` is the disc's place between horizon (0) and upper edge (1); None: it is not seen. `sunlight` and
    `ambient` light the ground, with their strengths; `haze` is what distance turns into; `stars` from 0 to 1.
    """

    sky: tuple[str, ...]
    disc: str
    glow: str
    glow_strength: float
    sun_height: float | None
    sun_size: float
    sunlight: str
    sun_strength: float
    ambient: str
    ambient_strength: float
    haze: str
    cloud_light: str
    cloud_shade: str
    cloud_cover: float
    deep: str
    stars: float = 0.0
    moon: bool = False


PALETTES: Mapping[str, Palette] = {
    "sunset": Palette(
        sky=("#141a46", "#2d2560", "#62306f", "#a83f6d", "#e2655a", "#fb9a58", "#ffca82"),
        disc="#fff3cf", glow="#ff9a52", glow_strength=0.75, sun_height=0.16, sun_size=0.062,
        sunlight="#ff9d5c", sun_strength=1.15, ambient="#6a4a86", ambient_strength=0.62, haze="#e8826a",
        cloud_light="#ffb27a", cloud_shade="#6d3a6c", cloud_cover=0.45, deep="#231a44", stars=0.35,
    ),
    "dawn": Palette(
        sky=("#3a5a9c", "#6a7fba", "#9c9cc8", "#d0b0c4", "#f3c1b0", "#fbd6ac", "#ffedc6"),
        disc="#fffbe6", glow="#ffc98e", glow_strength=0.46, sun_height=0.2, sun_size=0.055,
        sunlight="#ffd2a0", sun_strength=1.2, ambient="#8f9ccc", ambient_strength=0.72, haze="#eec4bc",
        cloud_light="#ffe2c4", cloud_shade="#a892bc", cloud_cover=0.4, deep="#35507e",
    ),
    "day": Palette(
        sky=("#1c62b8", "#2f7bcb", "#5297da", "#7ab3e4", "#a3ccec", "#c8e0f0", "#e4eff4"),
        disc="#ffffff", glow="#fff4d8", glow_strength=0.35, sun_height=None, sun_size=0.05,
        sunlight="#fff3dc", sun_strength=1.3, ambient="#9dbbdc", ambient_strength=0.62, haze="#bcd6e8",
        cloud_light="#ffffff", cloud_shade="#a8bdd2", cloud_cover=0.5, deep="#0f4f7c",
    ),
    "night": Palette(
        sky=("#04061a", "#070c2a", "#0c163e", "#142252", "#1d3266", "#2b4579", "#41608f"),
        disc="#f6f4e6", glow="#8fb0ee", glow_strength=0.42, sun_height=0.62, sun_size=0.06,
        sunlight="#9fbcf0", sun_strength=0.62, ambient="#22345f", ambient_strength=0.62, haze="#33517f",
        cloud_light="#5f7cb0", cloud_shade="#10193a", cloud_cover=0.3, deep="#060e26", stars=1.0, moon=True,
    ),
    "neon": Palette(
        sky=("#070418", "#10072c", "#200a48", "#3d1066", "#6c177e", "#a7218a", "#ee4a96"),
        disc="#ffd0ec", glow="#ff4fa8", glow_strength=0.42, sun_height=0.04, sun_size=0.0,
        sunlight="#ff6ac0", sun_strength=0.7, ambient="#3b2a7c", ambient_strength=0.6, haze="#8a2390",
        cloud_light="#b03a9c", cloud_shade="#190a38", cloud_cover=0.5, deep="#0b0622", stars=0.25,
    ),
    "desert": Palette(
        sky=("#2f5f98", "#5a83ae", "#93a8ba", "#c9bfae", "#eccb9c", "#f9cf8e", "#ffdf9e"),
        disc="#fffbe2", glow="#ffc070", glow_strength=0.5, sun_height=0.2, sun_size=0.058,
        sunlight="#ffc583", sun_strength=1.3, ambient="#8c7ca4", ambient_strength=0.52, haze="#efc394",
        cloud_light="#ffe6bc", cloud_shade="#c39c94", cloud_cover=0.22, deep="#3c4a6c",
    ),
    "mist": Palette(
        sky=("#7f9dab", "#96b0b9", "#aec2c6", "#c4d2d1", "#d7dfd9", "#e6e8dd", "#f3efdf"),
        disc="#fffdf0", glow="#fff2cf", glow_strength=0.42, sun_height=0.5, sun_size=0.055,
        sunlight="#fff0cc", sun_strength=0.75, ambient="#a4bcc0", ambient_strength=0.8, haze="#d7e0da",
        cloud_light="#ffffff", cloud_shade="#a3b5b8", cloud_cover=0.35, deep="#3c5a60",
    ),
    "winter": Palette(
        sky=("#5f86b6", "#7b9cc4", "#97b2d0", "#b3c7dc", "#cedae6", "#e4e8ea", "#f7efe4"),
        disc="#fffdf4", glow="#fff0d6", glow_strength=0.36, sun_height=0.34, sun_size=0.05,
        sunlight="#ffeeda", sun_strength=0.95, ambient="#93aed4", ambient_strength=0.8, haze="#d3dfe8",
        cloud_light="#ffffff", cloud_shade="#9fb4cc", cloud_cover=0.45, deep="#2c4c6e",
    ),
    "polar": Palette(
        sky=("#02040f", "#040a1e", "#071430", "#0c2144", "#143358", "#20496c", "#37677f"),
        disc="#eef4ff", glow="#6fb0c8", glow_strength=0.2, sun_height=None, sun_size=0.045,
        sunlight="#93d8d8", sun_strength=0.62, ambient="#2a4a78", ambient_strength=0.72, haze="#274d6c",
        cloud_light="#456f92", cloud_shade="#0a1730", cloud_cover=0.12, deep="#04101f", stars=1.0, moon=True,
    ),
    "ember": Palette(
        sky=("#0b0508", "#1d080b", "#38100f", "#5f1a12", "#942d14", "#cf4d18", "#ff8a34"),
        disc="#ffe0a0", glow="#ff6a20", glow_strength=0.8, sun_height=0.12, sun_size=0.07,
        sunlight="#ff7430", sun_strength=1.0, ambient="#4a1f28", ambient_strength=0.6, haze="#b8431c",
        cloud_light="#e0622a", cloud_shade="#23090c", cloud_cover=0.6, deep="#1d0a0d", stars=0.1,
    ),
    "storm": Palette(
        sky=("#141a22", "#1f2831", "#2e3943", "#414f59", "#586871", "#75858b", "#98a5a4"),
        disc="#dfe6e6", glow="#b9c8c8", glow_strength=0.25, sun_height=None, sun_size=0.05,
        sunlight="#b8c6c8", sun_strength=0.6, ambient="#5b6c78", ambient_strength=0.75, haze="#7d8d92",
        cloud_light="#8b989d", cloud_shade="#161c24", cloud_cover=0.95, deep="#12242c",
    ),
}  # fmt: skip
"""By name; compact on purpose: a row of this table is one mood."""
