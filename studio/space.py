"""Draws outer space: a domain-warped nebula, stars, a lit, turning, banded planet, and a moon that crosses."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.brief import Brief
from studio.noise import fractal, sample, smoothstep
from studio.palette import Colour, mix, rgb
from studio.picture import STARLIGHT, Shot, from_rgba, opaque, place, sprite, starry

# Of gas, from dark to hot, and of planets: their middle, dark and pale bands.
_SCHEMES = ("06040f 5a1a5c e0642e ffd9a0", "03061a 1c3f8e 22b4c8 e6f6ff", "07041a 4a1f9a f04a9a ffd6ec",
            "03100f 0f5f5c 5ac86a f4ffd0", "0a0514 6a1538 c83cc8 9ad8ff")  # fmt: skip
_PLANETS = "e8c79a a8683c f6ead2", "8a9ae8 2c3674 d4dcff", "e8925a 8c3420 ffd8a8", "6ad0c0 1c5c74 e0fff4"
_OVERSCAN = 1.5


class Space:
    """A space scene, through which the camera flies; every frame is a pure function of time."""

    def __init__(self, _brief: Brief, rng: np.random.Generator, shot: Shot) -> None:
        self._shot, self._side = shot, float(rng.choice([-1.0, 1.0]))
        first, second = rng.permutation(len(_SCHEMES))[:2]
        scheme = [rgb(code) for code in (*_SCHEMES[first].split(), _SCHEMES[second].split()[2])]
        size = int(shot.width * _OVERSCAN), int(shot.height * _OVERSCAN)
        least = min(shot.width, shot.height)
        self._nebula = _nebula(rng, size, scheme)
        self._stars = starry(rng, size, count=min(1000, size[0] * size[1] // 1000), unit=max(0.6, least / 720.0))
        self._planet, self._moon = (
            Planet(rng, [rgb(code) for code in colours.split()], scheme[2], radius=radius * least, side=self._side)
            for colours, radius in zip(rng.permutation(_PLANETS), (0.26, 0.075), strict=False)
        )

    def frame(self, t_seconds: float) -> Image.Image:
        """Picture at a time."""
        share, (wide, high) = self._shot.share(t_seconds), (self._shot.width, self._shot.height)
        frame = self._seen(self._nebula, share, 0.20)
        frame.paste(STARLIGHT, (0, 0), self._seen(self._stars, share, 0.30))
        x, y = wide * (0.5 - self._side * (0.17 - 0.24 * share)), high * (0.55 - 0.04 * share)
        self._planet.paint(frame, x, y, zoom=0.84 + 0.4 * share, turn=0.3 * share)
        x, y = wide * (0.5 - self._side * (0.58 - 1.16 * share)), high * (0.64 - 0.32 * share)
        self._moon.paint(frame, x, y, zoom=0.9 + 0.5 * share, turn=0.2 * share)
        return opaque(frame)

    def _seen(self, image: Image.Image, share: float, depth: float) -> Image.Image:
        """What is seen of an overscanned picture; it narrows and shifts as the camera flies, more when near."""
        seen = (1.16 - depth * share) / _OVERSCAN
        wide, high = image.width * seen, image.height * seen
        left = (image.width - wide) * (0.5 + self._side * min(1.0, 3.2 * depth) * (0.5 - share))
        top = (image.height - high) * (0.5 - 0.5 * depth * (share - 0.5))
        size, box = (self._shot.width, self._shot.height), (left, top, left + wide, top + high)
        return image.resize(size, Image.Resampling.BILINEAR, box=box)


def _nebula(rng: np.random.Generator, size: tuple[int, int], scheme: list[Colour]) -> Image.Image:
    """Picture of glowing gas, by noise whose place is bent by other noise; drawn at a third of `size`."""
    wide, high = max(16, size[0] // 3), max(16, size[1] // 3)
    unit, y, x = min(wide, high), *np.mgrid[0:high, 0:wide].astype(np.float32)

    def gas(cells: float, octaves: int, by: float, gain: float = 0.5) -> NDArray[np.float32]:
        field = fractal(rng, high, wide, (cells * high / unit, cells * wide / unit), octaves, gain)
        return sample(field, y + bent[0] * by * unit, x + bent[1] * by * unit).astype(np.float32)

    bent = np.zeros((2, high, wide), np.float32)
    bent = np.stack([gas(2.0, 5, 0.0), gas(2.0, 5, 0.0)]) - 0.5
    bent = np.stack([gas(2.0, 5, 0.5), gas(2.0, 5, 0.5)]) - 0.5
    fine, dust = gas(7.0, 6, 0.7, 0.6), gas(4.0, 6, -0.7, 0.58)
    density = np.clip((gas(2.4, 7, 0.85, 0.56) + fine * 0.24 - 0.38) * 1.6, 0.0, 1.0)
    density = (density * (1.0 - 0.80 * smoothstep(0.52, 0.80, dust)))[..., None]
    dark, low, warm, hot, other = np.array(scheme, np.float32)
    warm = warm + (other - warm) * smoothstep(0.42, 0.68, gas(1.8, 3, 0.9))[..., None]  # so that it has two tones
    colour = dark + low * density**0.9
    colour += (warm - low * 0.4) * np.clip(density - 0.22, 0.0, 1.0) ** 1.15
    colour += hot * np.clip(density - 0.58, 0.0, 1.0) ** 1.6 * (0.6 + fine[..., None])
    colour = 255.0 * (1.0 - np.exp(-np.maximum(colour, 0.0) / 175.0))
    return sprite(colour, np.ones((high, wide), np.float32)).resize(size, Image.Resampling.BICUBIC)


class Planet:
    """A banded globe; the light stands still and the clouds turn under it."""

    def __init__(
        self, rng: np.random.Generator, colours: list[Colour], rim: Colour, *, radius: float, side: float
    ) -> None:
        half = int(radius * 1.8) + 2
        axis = (np.arange(-half, half, dtype=np.float32) + 0.5) / radius
        x, y = np.meshgrid(axis, axis)
        distance = np.hypot(x, y)
        z = np.sqrt(np.clip(1.0 - distance**2, 0.0, 1.0))
        # Where on the map each pixel looks: the axis leans to the side and the pole a little to the viewer.
        tilt, nod = -0.32 * side, 0.22
        across, down = x * np.cos(tilt) + y * np.sin(tilt), y * np.cos(tilt) - x * np.sin(tilt)
        latitude = np.arcsin(np.clip(down * np.cos(nod) - z * np.sin(nod), -1.0, 1.0)) / np.pi + 0.5
        longitude = np.arctan2(across, z * np.cos(nod) + down * np.sin(nod)) / (2 * np.pi) + 0.25
        self._map = _bands(rng, colours, max(48, int(2.4 * radius)))
        self._disc = np.flatnonzero(distance <= 1.01)
        self._row = (np.clip(latitude, 0.0, 0.9999) * len(self._map)).astype(np.int32).ravel()[self._disc]
        self._column = (np.clip(longitude, 0.0, 0.5) * self._map.shape[1]).ravel()[self._disc]
        facing = (-0.80 * side * x - 0.40 * y + 0.36 * z) / 0.96
        light = 0.012 + 1.04 * smoothstep(-0.10, 0.85, facing) * (0.55 + 0.45 * z)
        self._light = light.ravel()[self._disc][:, None].astype(np.float32)
        glow = np.array(mix(rim, (255.0, 255.0, 255.0), 0.25), np.float32)
        edge = 0.85 * (1.0 - z) ** 3.2 * smoothstep(-0.05, 0.6, facing)
        self._rim = (edge.ravel()[self._disc][:, None] * glow).astype(np.float32)
        toward = smoothstep(-0.5, 0.85, facing / np.maximum(distance, 0.2))
        halo = 0.75 * np.exp(-np.maximum(distance - 1.0, 0.0) * 12.0) * toward * smoothstep(1.44, 1.2, distance)
        cover = np.clip((1.0 - distance) * radius + 0.5, 0.0, 1.0)
        self._patch = np.empty((2 * half, 2 * half, 4), np.uint8)
        self._patch[..., :3], self._patch[..., 3] = glow, 255.0 * (cover + halo * (1.0 - cover))

    def paint(self, frame: Image.Image, x: float, y: float, *, zoom: float, turn: float) -> None:
        """Draw onto a frame with the centre at (x, y); `turn` is in revolutions, at most 0.45."""
        wide = self._map.shape[1]
        column = np.minimum((self._column + turn * wide).astype(np.int32), wide - 1)
        ground = self._map.reshape(-1)[self._row * wide + column].view(np.uint8).reshape(-1, 4)
        patch = self._patch.copy()
        patch.reshape(-1, 4)[self._disc, :3] = np.minimum(ground[:, :3] * self._light + self._rim, 255.0)
        place(frame, from_rgba(patch), x, y, zoom=zoom)


def _bands(rng: np.random.Generator, colours: list[Colour], high: int) -> NDArray[np.uint32]:
    """Map of cloud bands bent by turbulence as packed RGBA, shape (high, 6 high), uint32."""
    wide = 6 * high
    y = np.arange(high, dtype=np.float32)[:, None] / high
    # Turbulence dies away at the poles, where the map is pinched to a point.
    turbulence = (fractal(rng, high, wide, (7, 22), 6, 0.55) - 0.5) * np.sin(np.pi * y) ** 1.5
    bands, streak = fractal(rng, high, 4, (13, 1), 4, 0.55), fractal(rng, high, wide, (46, 10), 3, 0.6)
    level = sample(bands, (y + turbulence * 0.06) * high, np.ones((high, wide), np.float32))
    share = np.clip((level - 0.5) * 1.5 + 0.35 + streak * 0.30 + turbulence * 0.25, 0.0, 1.0)[..., None]
    middle, dark, pale = np.array(colours, np.float32)
    packed = np.full((high, wide, 4), 255, np.uint8)
    low = dark + (middle - dark) * np.minimum(share * 2, 1.0)
    packed[..., :3] = low + (pale - middle) * np.maximum(share * 2 - 1.0, 0.0)
    return packed.view(np.uint32)[..., 0]
