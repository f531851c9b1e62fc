"""Draws outer space: a domain-warped nebula, stars, a lit, turning, banded planet, and a comet that crosses."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio import stars
from studio.brief import Brief
from studio.noise import Field, fractal, sample, smoothstep
from studio.palette import Colour, mix, rgb
from studio.picture import Shot, from_rgba, opaque, place, sprite

_SCHEMES = ("06040f 5a1a5c e0642e ffd9a0", "03061a 1c3f8e 22b4c8 e6f6ff", "07041a 4a1f9a f04a9a ffd6ec",
            "03100f 0f5f5c 5ac86a f4ffd0", "0a0514 6a1538 c83cc8 9ad8ff")  # fmt: skip
_PLANETS = "e8c79a a8683c f6ead2", "8a9ae8 2c3674 d4dcff", "e8925a 8c3420 ffd8a8", "6ad0c0 1c5c74 e0fff4"
_OVERSCAN = 1.5


class Space:
    """A space scene, through which the camera flies; every frame is a pure function of time."""

    def __init__(self, brief: Brief, rng: np.random.Generator, shot: Shot) -> None:
        self._shot = shot
        width, height = shot.width, shot.height
        choice = int(rng.integers(len(_SCHEMES)))
        scheme = [rgb(code) for code in _SCHEMES[choice].split()]
        other = (choice + 1 + int(rng.integers(len(_SCHEMES) - 1))) % len(_SCHEMES)
        scheme.append(rgb(_SCHEMES[other].split()[2]))
        planet = [rgb(code) for code in _PLANETS[int(rng.integers(len(_PLANETS)))].split()]
        if brief.accents:
            scheme[1] = mix(brief.accents[0], scheme[0], 0.45)
            scheme[2] = brief.accents[-1]
            scheme[4] = brief.accents[len(brief.accents) // 2]
        self._side = -1.0 if rng.random() < 0.5 else 1.0
        chance = rng.random(3)
        self._nebula = _nebula(rng, width, height, scheme)
        unit = max(0.6, min(width, height) / 720.0)
        size = int(width * _OVERSCAN), int(height * _OVERSCAN)
        crowd = min(1.0, size[0] * size[1] / 900_000 + 0.05)
        self._stars = [
            stars.sheet(rng, size, count=int(count * crowd), near=near, unit=unit)
            for count, near in ((1000, False), (140, True))
        ]
        self._planet = None
        if "planet" in brief.features or chance[0] < 0.6:
            radius = min(width, height) * (0.27 if "planet" in brief.features else 0.19)
            ring = "rings" in brief.features or chance[1] < 0.3
            self._planet = Planet(rng, planet, scheme[2], radius=radius * (0.85 if ring else 1.0), ring=ring,
                                  side=self._side)  # fmt: skip
        self._comet = _comet(min(width, height), self._side)

    def frame(self, t_seconds: float) -> Image.Image:
        """Picture at a time."""
        share, size = self._shot.share(t_seconds), (self._shot.width, self._shot.height)
        frame = self._nebula.resize(size, Image.Resampling.BILINEAR, box=self._window(self._nebula, share, 0.20))
        for number, sheet in enumerate(self._stars):
            light = sheet.resize(size, Image.Resampling.BILINEAR, box=self._window(sheet, share, 0.26 + 0.12 * number))
            frame.paste(stars.STARLIGHT, (0, 0), light)
        away = share * 1.5 - 0.25
        height = 0.12 + 0.3 * away - 0.1 * away * away
        place(frame, self._comet, size[0] * (0.5 + self._side * (away - 0.5)), size[1] * height)
        if self._planet:
            x = size[0] * (0.5 - self._side * (0.17 - 0.24 * share))
            self._planet.paint(frame, x, size[1] * (0.55 - 0.04 * share), 0.84 + 0.4 * share, 0.3 * share)
        return opaque(frame)

    def _window(self, image: Image.Image, share: float, depth: float) -> tuple[float, float, float, float]:
        """Part of an overscanned picture that is seen; it narrows and shifts as the camera flies, more when near."""
        seen = (1.16 - depth * share) / _OVERSCAN
        wide, high = image.width * seen, image.height * seen
        left = (image.width - wide) * (0.5 + self._side * min(1.0, 3.2 * depth) * (0.5 - share))
        top = (image.height - high) * (0.5 - 0.5 * depth * (share - 0.5))
        return left, top, left + wide, top + high


def _comet(unit: int, side: float) -> Image.Image:
    """Sprite of a comet that flies to the right (side 1) or left: a bright head, a coma and a tail that fades."""
    high, wide = max(24, int(unit * 0.16)), max(64, int(unit * 0.75))
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
    behind = (wide - high * 0.5 - x) / (wide - high * 0.5)
    aside = np.abs(y - high / 2 + 0.5 + behind * high * 0.22) / high
    tail = np.exp(-((aside / (0.022 + 0.15 * np.clip(behind, 0, 1))) ** 2)) * np.clip(1 - behind, 0, 1) ** 2.2
    tail *= smoothstep(-0.01, 0.02, behind)
    head = np.hypot(behind * wide / high, aside)
    light = np.clip(0.85 * tail + np.exp(-((head / 0.06) ** 2)) + 0.5 * np.exp(-head / 0.09), 0, 1)
    edge = smoothstep(0, 0.12, np.minimum(y, high - 1 - y) / high) * smoothstep(0, 0.04, (wide - 1 - x) / wide)
    white = (1 - np.clip(behind * 2.5, 0, 1))[..., None]
    colour = np.array((150, 205, 255)) + white * np.array((95, 48, 0))
    comet = sprite(colour, light * edge)
    return comet if side > 0 else comet.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def _nebula(rng: np.random.Generator, width: int, height: int, scheme: list[Colour]) -> Image.Image:
    """Overscanned picture of glowing gas with dark dust, by noise whose place is bent by other noise."""
    wide, high = int(width * _OVERSCAN * 0.66), int(height * _OVERSCAN * 0.66)
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
    dark, low, warm, hot, other = np.array(scheme, np.float32)
    glow = density[..., None]
    hue = smoothstep(0.35, 0.70, bend_x * 0.6 + shape * 0.4)[..., None]
    # A second colour owns part of the gas, so that no nebula is of one tone.
    second_gas = sample(field(1.8, 3), y + (bend_x - 0.5) * unit, x + (bend_y - 0.5) * unit)
    share = smoothstep(0.42, 0.68, second_gas)[..., None]
    warm = warm + (other - warm) * share
    low = low + (other * 0.45 - low) * share * 0.8
    colour = dark + low * (glow**0.9) * 1.05
    colour += (warm - low * 0.4) * np.clip(glow - 0.22, 0, 1) ** 1.15 * 1.25 * (0.25 + 0.75 * hue)
    colour += hot * np.clip(glow - 0.58, 0, 1) ** 1.6 * 1.6 * (0.4 + 0.6 * fine[..., None])
    colour = 255.0 * (1.0 - np.exp(-np.maximum(colour, 0) / 175.0))
    size = int(width * _OVERSCAN), int(height * _OVERSCAN)
    return sprite(colour, np.ones(small, np.float32)).resize(size, Image.Resampling.BICUBIC)


class Planet:
    """A banded globe; the light stands still and the clouds turn under it."""

    def __init__(
        self, rng: np.random.Generator, colours: list[Colour], rim: Colour, *, radius: float, ring: bool, side: float
    ) -> None:
        half = int(radius * (2.92 if ring else 1.8)) + 2
        axis = (np.arange(-half, half, dtype=np.float32) + 0.5) / radius
        x, y = np.meshgrid(axis, axis)
        tilt, nod = -0.32 * side, 0.22
        squared = x * x + y * y
        z = np.sqrt(np.clip(1.0 - squared, 0, 1))
        spin_x, spin_y = x * np.cos(tilt) + y * np.sin(tilt), -x * np.sin(tilt) + y * np.cos(tilt)
        lat_y, front = spin_y * np.cos(nod) - z * np.sin(nod), z * np.cos(nod) + spin_y * np.sin(nod)
        latitude = np.arcsin(np.clip(lat_y, -1, 1)) / np.pi + 0.5
        longitude = np.arctan2(spin_x, front) / (2 * np.pi) + 0.25
        self._texture = _bands(rng, colours, max(48, int(2.4 * radius)))
        high, wide = self._texture.shape
        self._disc = np.flatnonzero(squared <= 1.02)
        self._row = (np.clip(latitude, 0, 0.9999) * high).astype(np.int32).ravel()[self._disc] * wide
        self._column = (np.clip(longitude, 0, 0.5) * wide).ravel()[self._disc]
        sun = np.array([-0.80 * side, -0.40, 0.36], np.float32)
        sun /= np.linalg.norm(sun)
        facing = x * sun[0] + y * sun[1] + z * sun[2]
        day = smoothstep(-0.10, 0.85, facing)
        edge = (1.0 - z) ** 3.2 * smoothstep(-0.05, 0.6, facing)
        light = 0.012 + 1.04 * day * (0.55 + 0.45 * z)
        self._light = light.ravel()[self._disc][:, None].astype(np.float32)
        glow = np.array(mix(rim, (255.0, 255.0, 255.0), 0.25), np.float32)
        self._rim = (edge.ravel()[self._disc][:, None] * glow * 0.85).astype(np.float32)
        outside = np.clip(np.sqrt(squared) - 1.0, 0, None)
        toward = smoothstep(-0.55, 0.9, (x * sun[0] + y * sun[1]) / np.maximum(np.sqrt(squared), 0.2))
        halo = (0.75 * np.exp(-outside * 16) + 0.22 * np.exp(-outside * 5)) * toward * smoothstep(0.44, 0.2, outside)
        cover = np.clip((1.0 - np.sqrt(squared)) * radius + 0.5, 0, 1)
        self._patch = np.empty((2 * half, 2 * half, 4), np.uint8)
        self._patch[..., :3] = glow
        self._patch[..., 3] = np.clip((cover + halo * (1 - cover)) * 255, 0, 255)
        self._rings = _rings(rng, (x, y), (spin_x, spin_y), sun, colours) if ring else None

    def paint(self, frame: Image.Image, x: float, y: float, zoom: float, turn: float) -> None:
        """Draw onto a frame with the centre at (x, y); `turn` is in revolutions, at most 0.45."""
        wide = self._texture.shape[1]
        column = (self._column + turn * wide).astype(np.int32)
        ground = self._texture.reshape(-1)[self._row + np.minimum(column, wide - 1)].view(np.uint8).reshape(-1, 4)
        lit = ground[:, :3] * self._light
        lit += self._rim
        patch = self._patch.copy()
        flat = patch.reshape(-1, 4)
        flat[self._disc, :3] = np.minimum(lit, 255.0)
        place(frame, from_rgba(patch), x, y, zoom=(zoom, zoom))
        if self._rings:
            place(frame, self._rings, x, y, zoom=(zoom, zoom))


def _bands(rng: np.random.Generator, colours: list[Colour], high: int) -> NDArray[np.uint32]:
    """Cloud bands as packed RGBA, shape (high, 6 high), uint32; bent by turbulence, with one great storm."""
    wide = 6 * high
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32) / high
    # Turbulence dies away at the poles, where the map is pinched to a point.
    turbulence = (fractal(rng, high, wide, (7, 22), 6, 0.55) - 0.5) * np.sin(np.pi * y) ** 1.5
    spot = y - float(rng.uniform(0.58, 0.66))
    near = np.exp(-((spot / 0.066) ** 2 + ((x - 1.8) / 0.29) ** 2))
    rows = y + turbulence * 0.059 + near * spot * 0.9
    profile = fractal(rng, high, 4, (13, 1), 4, 0.55)[:, 1]
    level = np.interp(rows.ravel(), np.arange(high) / high, profile).reshape(high, wide).astype(np.float32)
    streak = fractal(rng, high, wide, (46, 10), 3, 0.6)
    share = np.clip((level - 0.5) * 1.5 + 0.5 + (streak - 0.5) * 0.30 + turbulence * 0.25, 0, 1)[..., None]
    base, dark, pale = np.array(colours, np.float32)
    colour = np.where(share < 0.5, dark + (base - dark) * share * 2, base + (pale - base) * (share - 0.5) * 2)
    colour += (dark + (pale - dark) * 0.35 - colour) * (0.7 * smoothstep(0.35, 0.85, near)[..., None])
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
    return sprite(colour, (alpha * 0.93).astype(np.float32))
