"""Draws what floats or falls before the land: mist, rain, snow, fireflies and embers."""

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from core.studio.layer import MARGIN, Camera, Layer, Pixels, picture
from core.studio.noise import Field, fractal, smoothstep
from core.studio.palette import Palette, mix


def mist_bank(
    rng: np.random.Generator, colours: Palette, camera: Camera, *, row: float, tall: float, near: float
) -> Layer:
    """A drifting bank of mist about frame row `row`; painted at a quarter of the size, for it is soft."""
    width = int(camera.width * (1 + 2 * MARGIN) * 1.3 / 4)
    height = max(4, int(tall / 4))
    wisps = fractal(rng, height, width, (2.2, 7.0), 5, 0.55)
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    body = smoothstep(0.25, 0.85, wisps) * (1 - down**2) ** 1.5 * (1 - across**8)
    colour = np.empty((height, width, 3), np.float32)
    colour[:] = mix(colours.sky[-1], colours.far, 0.15)
    drift = camera.direction * camera.width * 0.004 * (1 + near)
    return Layer(picture(colour, body * (0.62 - 0.2 * near)), row - tall / 2, near, 0.25, drift)


class Rain:
    """Two sheets of slanting streaks, the nearer one longer, brighter and faster."""

    def __init__(self, rng: np.random.Generator, colours: Palette, camera: Camera) -> None:
        self._camera = camera
        self._ink = tuple(round(band) for band in mix((205.0, 220.0, 238.0), colours.sky[-1], 0.30))
        self._sheets = [self._sheet(rng, camera, near) for near in (0, 1)]
        unit = camera.height / 720.0
        self._speeds = 820.0 * unit, 1330.0 * unit

    @staticmethod
    def _sheet(rng: np.random.Generator, camera: Camera, near: int) -> Image.Image:
        width, height = camera.width, camera.height * 2
        unit = camera.height / 720.0
        mask = Image.new("L", (width, height))
        pen = ImageDraw.Draw(mask)
        length = (34 + 34 * near) * unit
        for _ in range(int(620 - 330 * near)):
            x, y = rng.random() * (width + length), rng.random() * height
            ink = int((34 + 40 * near) * rng.uniform(0.45, 1.0))
            for turn in (0, -height):
                pen.line(
                    [(x, y + turn), (x - length * 0.16, y + length + turn)],
                    fill=ink,
                    width=1 + int(near and unit > 0.6),
                )
        return mask

    def paint(self, frame: Image.Image, t: float) -> None:
        """Draw onto a frame."""
        height = self._camera.height
        fallen = Image.new("L", (self._camera.width, height))
        for sheet, speed in zip(self._sheets, self._speeds, strict=True):
            gone = round(t * speed) % sheet.height
            start = sheet.height - gone
            mask = sheet.crop((0, start, sheet.width, start + height))
            if start + height > sheet.height:
                rest = sheet.crop((0, 0, sheet.width, start + height - sheet.height))
                mask.paste(rest, (0, sheet.height - start))
            fallen = ImageChops.lighter(fallen, mask)
        frame.paste(self._ink, (0, 0), fallen)


class Motes:
    """Soft points of light or snow that move on their own ways; they leave and enter beyond the frame's edge."""

    def __init__(self, rng: np.random.Generator, kind: str, camera: Camera) -> None:
        self._camera, self._kind = camera, kind
        count = {"snow": 190, "fireflies": 46, "embers": 90}[kind]
        self._place = rng.random((count, 2))
        self._near = rng.random(count) ** (2.2 if kind == "snow" else 1.2)
        self._phase = rng.uniform(0, 6.28, (count, 4))
        unit = min(camera.width, camera.height * 1.2) / 864.0
        size = {"snow": (1.1, 4.2), "fireflies": (1.5, 3.0), "embers": (0.9, 2.2)}[kind]
        self._radius = np.maximum(0.5, (size[0] + (size[1] - size[0]) * self._near) * unit)
        self._colour = np.array(
            {"snow": (244, 249, 255), "fireflies": (226, 255, 120), "embers": (255, 150, 50)}[kind], np.float32
        )

    def _state(self, t: float) -> tuple[Field, Field, Field]:
        """Positions in pixels and brightness 0..1."""
        width, height = self._camera.width, self._camera.height
        near, phase = self._near, self._phase
        x, y = self._place[:, 0] * 1.12 - 0.06, self._place[:, 1]
        if self._kind == "snow":
            y = np.mod(y + t * (0.035 + 0.10 * near), 1.0) * 1.12 - 0.06
            x = x + 0.012 * np.sin(0.9 * t + phase[:, 0]) + self._camera.direction * 0.006 * t * (0.4 + near)
            x = np.mod(x + 0.06, 1.12) - 0.06
            light = 0.42 + 0.40 * (1 - near)
        elif self._kind == "embers":
            y = 1.06 - np.mod(y + t * (0.05 + 0.09 * near), 1.0) * 1.12
            x = x + 0.02 * np.sin(1.3 * t + phase[:, 0]) + 0.008 * np.sin(3.1 * t + phase[:, 1])
            light = (0.55 + 0.35 * np.sin(3.5 * t + phase[:, 2])) * np.clip(y * 1.6, 0.05, 1)
        else:
            y = 0.50 + 0.46 * y + 0.022 * np.sin(0.8 * t + phase[:, 0]) + 0.012 * np.sin(1.7 * t + phase[:, 1])
            x = x + 0.03 * np.sin(0.55 * t + phase[:, 2]) + 0.012 * np.sin(1.4 * t + phase[:, 3])
            light = np.clip(0.5 + 0.75 * np.sin(1.5 * t + phase[:, 3]), 0, 1) ** 1.5
        return x * width, y * height, light

    def paint(self, frame: Pixels, t: float) -> None:
        """Add to a writable frame (height, width, 3 or 4)."""
        height, width = frame.shape[:2]
        glowing = self._kind != "snow"
        for x, y, light, radius in zip(*self._state(t), self._radius, strict=True):
            reach = radius * (5.5 if glowing else 2.4)
            left, right = max(0, int(x - reach)), min(width, int(x + reach) + 2)
            top, bottom = max(0, int(y - reach)), min(height, int(y + reach) + 2)
            if left >= right or top >= bottom or light < 0.01:
                continue
            down = (np.arange(top, bottom, dtype=np.float32)[:, None] - y) / radius
            across = (np.arange(left, right, dtype=np.float32)[None, :] - x) / radius
            core = np.exp(-(down**2)) * np.exp(-(across**2))
            if glowing:
                core += 0.24 * np.exp(-(down**2) / 7.0) * np.exp(-(across**2) / 7.0)
            part = frame[top:bottom, left:right, :3]
            share = np.minimum(core * light, 1.0)[..., None]
            bright = self._colour + (255.0 - self._colour) * (share**3 if glowing else 0.0)
            part[:] = (part + (bright - part) * share).astype(np.uint8)
