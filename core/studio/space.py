"""Draws outer space: a domain-warped nebula, stars, and a lit, turning, banded planet."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.studio.layer import Pixels, picture
from core.studio.noise import Field, fractal, sample, smoothstep
from core.studio.palette import Brief, Colour, mix, rgb

_SCHEMES: tuple[tuple[str, str, str, str], ...] = (
    ("06040f", "5a1a5c", "e0642e", "ffd9a0"),
    ("03061a", "1c3f8e", "22b4c8", "e6f6ff"),
    ("07041a", "4a1f9a", "f04a9a", "ffd6ec"),
    ("03100f", "0f5f5c", "5ac86a", "f4ffd0"),
    ("0a0514", "6a1538", "c83cc8", "9ad8ff"),
)
_PLANETS: tuple[tuple[str, str, str], ...] = (
    ("e8c79a", "a8683c", "f6ead2"), ("8a9ae8", "2c3674", "d4dcff"), ("e8925a", "8c3420", "ffd8a8"),
    ("6ad0c0", "1c5c74", "e0fff4"),
)  # fmt: skip
_OVERSCAN = 1.16


class Space:
    """A space scene; every frame is a pure function of time."""

    def __init__(self, brief: Brief, rng: np.random.Generator, width: int, height: int, seconds: float) -> None:
        self._width, self._height = width, height
        self._rate = 0.35 / max(seconds, 5.0)
        choice = int(rng.integers(len(_SCHEMES)))
        scheme = [rgb(code) for code in _SCHEMES[choice]]
        scheme.append(rgb(_SCHEMES[(choice + 1 + int(rng.integers(len(_SCHEMES) - 1))) % len(_SCHEMES)][2]))
        planet = [rgb(code) for code in _PLANETS[int(rng.integers(len(_PLANETS)))]]
        if brief.accents:
            scheme[1] = mix(brief.accents[0], scheme[0], 0.45)
            scheme[2] = brief.accents[-1]
            scheme[4] = brief.accents[len(brief.accents) // 2]
        self._side = -1.0 if rng.random() < 0.5 else 1.0
        chance = rng.random(3)
        self._nebula = _nebula(rng, width, height, scheme)
        self._stars = [_star_sheet(rng, width, height, near) for near in (0, 1)]
        self._planet = None
        if "planet" in brief.features or chance[0] < 0.6:
            size = min(width, height) * (0.31 if "planet" in brief.features else 0.2)
            ring = "rings" in brief.features or chance[1] < 0.3
            self._planet = Planet(
                rng, planet, rim=scheme[2], radius=size * (0.85 if ring else 1.0), ring=ring, side=self._side
            )
        self._centre = width * (0.5 - 0.07 * self._side), height * (0.5 + 0.03 * float(rng.uniform(-1, 1)))
        self._turn = 0.28 / max(seconds, 14.0)

    def frame(self, t_seconds: float) -> Pixels:
        """Picture at a time, shape (height, width, 3), RGB."""
        travel = 1.0 - float(np.exp(-t_seconds * self._rate))
        size = (self._width, self._height)
        frame = self._nebula.resize(size, Image.Resampling.BILINEAR, box=self._window(self._nebula, travel, 0.10))
        for number, sheet in enumerate(self._stars):
            light = sheet.resize(size, Image.Resampling.BILINEAR, box=self._window(sheet, travel, 0.14 + 0.14 * number))
            frame.paste((238, 243, 255), (0, 0), light)
        if self._planet:
            zoom = 1.0 + 0.22 * travel
            x = self._centre[0] + self._side * self._width * 0.05 * (travel - 0.3)
            self._planet.paint(frame, x, self._centre[1], zoom, t_seconds * self._turn)
        return np.frombuffer(frame.tobytes(), np.uint8).reshape(self._height, self._width, 3).copy()

    def _window(self, image: Image.Image, travel: float, depth: float) -> tuple[float, float, float, float]:
        """Part of an overscanned picture that is seen; it narrows as the camera goes forward."""
        share = (1.0 - depth * travel) / _OVERSCAN
        wide, high = image.width * share, image.height * share
        slack = image.width - wide
        left = slack * (0.5 + self._side * 0.35 * (travel - 0.3) * min(1.0, depth * 3))
        top = (image.height - high) * 0.5
        return left, top, left + wide, top + high


def _nebula(rng: np.random.Generator, width: int, height: int, scheme: list[Colour]) -> Image.Image:
    """Overscanned RGB picture of glowing gas with dark dust, by noise whose place is bent by other noise."""
    wide, high = int(width * _OVERSCAN * 0.75), int(height * _OVERSCAN * 0.75)
    wide, high = max(wide, 32), max(high, 32)
    small = (high // 2, wide // 2)
    aspect = wide / high

    def field(cells: float, octaves: int, gain: float = 0.5) -> Field:
        return fractal(rng, *small, (cells / max(aspect**0.5, 0.7), cells * aspect**0.5), octaves, gain)

    y, x = np.mgrid[0 : small[0], 0 : small[1]].astype(np.float32)
    unit = min(small)
    first, second = field(2.2, 5), field(2.2, 5)
    bend_y = sample(first, y + (second - 0.5) * unit * 0.5, x + (first - 0.5) * unit * 0.5)
    bend_x = sample(second, y - (first - 0.5) * unit * 0.5, x + (second - 0.5) * unit * 0.5)
    gas = sample(field(2.4, 7, 0.56), y + (bend_y - 0.5) * unit * 0.85, x + (bend_x - 0.5) * unit * 0.85)
    fine = sample(field(7.0, 6, 0.6), y + (bend_x - 0.5) * unit * 0.7, x + (bend_y - 0.5) * unit * 0.7)
    dust = sample(field(4.0, 6, 0.58), y - (bend_y - 0.5) * unit * 0.6, x + (bend_x - 0.5) * unit * 0.9)
    shape = field(1.6, 2)
    density = np.clip((gas * 0.72 + fine * 0.24 + shape * 0.45 - 0.50) * 1.75, 0, 1)
    density *= 1.0 - 0.80 * smoothstep(0.52, 0.80, dust)
    dark, low, warm, hot, other = (_vector(colour) for colour in scheme)
    glow = density[..., None]
    hue = smoothstep(0.35, 0.70, bend_x * 0.6 + shape * 0.4)[..., None]
    # A second colour owns part of the gas, so that no nebula is of one tone.
    share = smoothstep(0.42, 0.68, sample(field(1.8, 3), y + (bend_x - 0.5) * unit, x + (bend_y - 0.5) * unit))[
        ..., None
    ]
    warm = warm + (other - warm) * share
    low = low + (other * 0.45 - low) * share * 0.8
    colour = dark + low * (glow**0.9) * 1.05
    colour += (warm - low * 0.4) * np.clip(glow - 0.22, 0, 1) ** 1.15 * 1.25 * (0.25 + 0.75 * hue)
    colour += hot * np.clip(glow - 0.58, 0, 1) ** 1.6 * 1.6 * (0.4 + 0.6 * fine[..., None])
    colour = 255.0 * (1.0 - np.exp(-np.maximum(colour, 0) / 175.0))
    packed = picture(colour, np.ones(small, np.float32))
    rgba = Image.frombuffer("RGBA", packed.size, packed.tobytes(), "raw", "RGBA", 0, 1)
    return rgba.convert("RGB").resize((int(width * _OVERSCAN), int(height * _OVERSCAN)), Image.Resampling.BICUBIC)


def _vector(colour: Colour) -> Field:
    return np.array(colour, np.float32)


def _star_sheet(rng: np.random.Generator, width: int, height: int, near: int) -> Image.Image:
    """Overscanned mask of stars; nearer sheets have fewer and larger ones."""
    wide, high = int(width * _OVERSCAN), int(height * _OVERSCAN)
    light = np.zeros((high, wide), np.float32)
    unit = max(0.6, min(width, height) / 720.0)
    for _ in range(int((640, 90)[near] * min(1.0, wide * high / 500_000 + 0.05))):
        x, y = rng.random() * wide, rng.random() * high
        luck = rng.random()
        power = (0.25 + 0.75 * luck**3) * (0.65, 1.0)[near]
        radius = (0.70, 0.95 + 0.8 * luck**4)[near] * unit * (0.8 + 0.4 * rng.random())
        reach = int(radius * 6) + 2
        left, top = max(0, int(x) - reach), max(0, int(y) - reach)
        down = np.arange(top, min(high, int(y) + reach), dtype=np.float32)[:, None] - y
        across = np.arange(left, min(wide, int(x) + reach), dtype=np.float32)[None, :] - x
        distance = (down**2 + across**2) / radius**2
        spot = power * (np.exp(-distance) + (0.16 * np.exp(-distance / 9.0) if near else 0.0))
        part = light[top : top + down.shape[0], left : left + across.shape[1]]
        np.maximum(part, spot, out=part)
    return Image.fromarray((np.clip(light, 0, 1) * 255).astype(np.uint8))


class Planet:
    """A banded globe; the light stands still and the clouds turn under it."""

    def __init__(
        self, rng: np.random.Generator, colours: list[Colour], *, rim: Colour, radius: float, ring: bool, side: float
    ) -> None:
        self._radius = radius
        self._reach = radius * (2.35 if ring else 1.45)
        half = int(self._reach * 1.24) + 2
        axis = np.arange(-half, half, dtype=np.float32) + 0.5
        self._half = half
        x, y = np.meshgrid(axis / radius, axis / radius)
        tilt = -0.32 * side
        squared = x * x + y * y
        z = np.sqrt(np.clip(1.0 - squared, 0, 1))
        spin_x, spin_y = x * np.cos(tilt) + y * np.sin(tilt), -x * np.sin(tilt) + y * np.cos(tilt)
        nod = 0.22
        lat_y, front = spin_y * np.cos(nod) - z * np.sin(nod), z * np.cos(nod) + spin_y * np.sin(nod)
        latitude = np.arcsin(np.clip(lat_y, -1, 1)) / np.pi + 0.5
        longitude = np.arctan2(spin_x, front) / (2 * np.pi) + 0.25
        self._texture = _bands(rng, colours)
        high, wide = self._texture.shape
        self._row = (np.clip(latitude, 0, 0.9999) * high).astype(np.int32) * wide
        self._column = np.clip(longitude, 0, 0.5) * wide
        self._disc = np.flatnonzero(squared.ravel() <= 1.02)
        self._row, self._column = self._row.ravel()[self._disc], self._column.ravel()[self._disc]
        sun = np.array([-0.80 * side, -0.40, 0.36], np.float32)
        sun /= np.linalg.norm(sun)
        facing = x * sun[0] + y * sun[1] + z * sun[2]
        day = smoothstep(-0.10, 0.85, facing)
        edge = (1.0 - z) ** 3.2 * smoothstep(-0.05, 0.6, facing)
        light = (0.012 + 1.04 * day * (0.55 + 0.45 * z))[..., None] * np.ones(3, np.float32)
        self._light = light.reshape(-1, 3)[self._disc].astype(np.float32)
        glow = np.array(mix(rim, (255.0, 255.0, 255.0), 0.25), np.float32)
        self._rim = (edge.ravel()[self._disc][:, None] * glow * 0.85).astype(np.float32)
        outside = np.clip(np.sqrt(squared) - 1.0, 0, None)
        toward = smoothstep(-0.55, 0.9, (x * sun[0] + y * sun[1]) / np.maximum(np.sqrt(squared), 0.2))
        halo = (0.75 * np.exp(-outside * 16) + 0.22 * np.exp(-outside * 5)) * toward * smoothstep(0.44, 0.2, outside)
        cover = np.clip((1.0 - np.sqrt(squared)) * radius + 0.5, 0, 1)
        self._alpha = cover + halo * (1 - cover)
        self._patch = np.empty((2 * half, 2 * half, 4), np.uint8)
        self._patch[..., :3] = glow
        self._patch[..., 3] = np.clip(self._alpha * 255, 0, 255)
        self._rings = _rings(rng, (x, y), (spin_x, spin_y), sun, colours) if ring else None

    def paint(self, frame: Image.Image, x: float, y: float, zoom: float, turn: float) -> None:
        """Draw onto an RGB frame with the centre at (x, y); `turn` is in revolutions, at most 0.45."""
        wide = self._texture.shape[1]
        column = (self._column + turn * wide).astype(np.int32)
        ground = self._texture.reshape(-1)[self._row + np.minimum(column, wide - 1)].view(np.uint8).reshape(-1, 4)
        lit = ground[:, :3] * self._light
        lit += self._rim
        patch = self._patch.copy()
        flat = patch.reshape(-1, 4)
        flat[self._disc, :3] = np.minimum(lit, 255.0)
        side = 2 * self._half
        self._place(frame, Image.frombuffer("CMYK", (side, side), patch.tobytes(), "raw", "CMYK", 0, 1), x, y, zoom)
        if self._rings:
            self._place(frame, self._rings, x, y, zoom)

    def _place(self, frame: Image.Image, patch: Image.Image, x: float, y: float, zoom: float) -> None:
        """Paste the middle of a patch, scaled about its centre, at a sub-pixel place."""
        reach = int(self._reach * zoom)
        left, top = int(x) - reach, int(y) - reach
        first = self._half + (left - x) / zoom, self._half + (top - y) / zoom
        span = (2 * reach + 1) / zoom
        limit = float(patch.width)
        box = max(0.0, first[0]), max(0.0, first[1]), min(limit, first[0] + span), min(limit, first[1] + span)
        part = patch.resize((2 * reach + 1, 2 * reach + 1), Image.Resampling.BILINEAR, box=box)
        cut = Image.frombuffer("RGBA", part.size, part.tobytes(), "raw", "RGBA", 0, 1)
        frame.paste(cut, (left, top), cut)


def _bands(rng: np.random.Generator, colours: list[Colour]) -> NDArray[np.uint32]:
    """Cloud bands as packed RGBA, shape (512, 3072), uint32; bent by turbulence, with one great storm."""
    high, wide = 512, 3072
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
    # Turbulence dies away at the poles, where the map is pinched to a point.
    turbulence = (fractal(rng, high, wide, (7, 22), 6, 0.55) - 0.5) * np.sin(np.pi * y / high) ** 1.5
    spot_y, spot_x = high * float(rng.uniform(0.58, 0.66)), wide * 0.30
    near = np.exp(-(((y - spot_y) / 34) ** 2 + ((x - spot_x) / 150) ** 2))
    rows = y + turbulence * 30 + near * (y - spot_y) * 0.9
    profile = fractal(rng, high, 4, (13, 1), 4, 0.55)[:, 1]
    level = np.interp(rows.ravel(), np.arange(high), profile).reshape(high, wide).astype(np.float32)
    streak = fractal(rng, high, wide, (46, 10), 3, 0.6)
    level = np.clip((level - 0.5) * 1.5 + 0.5 + (streak - 0.5) * 0.30 + turbulence * 0.25, 0, 1)
    base, dark, pale = (np.array(colour, np.float32) for colour in colours)
    share = level[..., None]
    colour = np.where(share < 0.5, dark + (base - dark) * share * 2, base + (pale - base) * (share - 0.5) * 2)
    storm = smoothstep(0.35, 0.85, near)[..., None]
    colour = colour + (dark + (pale - dark) * 0.35 - colour) * storm * 0.7
    packed = np.full((high, wide, 4), 255, np.uint8)
    packed[..., :3] = np.clip(colour, 0, 255)
    return packed.view(np.uint32)[..., 0]


def _rings(
    rng: np.random.Generator, place: tuple[Field, Field], spin: tuple[Field, Field], sun: Field, colours: list[Colour]
) -> Image.Image:
    """Picture of the rings, without the part behind the globe and darkened in the globe's shadow."""
    (x, y), (spin_x, spin_y) = place, spin
    distance = np.hypot(spin_x, spin_y / 0.24)
    profile = fractal(rng, 4, 600, (1, 26), 5, 0.65)[2]
    share = (distance - 1.32) / (2.25 - 1.32)
    grooves = np.interp(share.ravel(), np.linspace(0, 1, 600), profile).reshape(x.shape).astype(np.float32)
    alpha = smoothstep(0.0, 0.04, share) * smoothstep(1.0, 0.94, share) * (0.25 + 0.75 * grooves)
    alpha *= 1.0 - 0.9 * np.exp(-(((share - 0.62) / 0.022) ** 2))
    behind = (x * x + y * y < 1.0) & (spin_y < 0)
    alpha = np.where(behind, 0.0, alpha)
    # The globe's shadow falls on the side away from the sun.
    away = -(x * sun[0] + y * sun[1]) / np.hypot(sun[0], sun[1])
    aside = np.abs(-x * sun[1] + y * sun[0]) / np.hypot(sun[0], sun[1])
    shadow = smoothstep(1.04, 0.92, aside) * smoothstep(0.0, 0.3, away)
    pale = np.array(mix(colours[0], colours[2], 0.55), np.float32)
    colour = pale * (0.55 + 0.45 * grooves[..., None]) * (1.0 - 0.94 * shadow[..., None])
    return picture(colour, (alpha * 0.93).astype(np.float32))
