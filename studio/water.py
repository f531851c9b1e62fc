"""Draws water: a true mirror of what stands above it, broken by waves, with the sun's glitter."""

import numpy as np
from PIL import Image

from studio.noise import Field
from studio.palette import Palette
from studio.picture import Camera, from_rgba

_WAVES = 14


def _product(rows: Field, across: Field) -> Field:
    """Matrix product in strips so small that the linear algebra library keeps to one thread (and to one rounding)."""
    strip = 8
    count, inner = rows.shape
    padded = np.zeros((-(-count // strip) * strip, inner), np.float32)
    padded[:count] = rows
    product: Field = np.matmul(padded.reshape(-1, strip, inner), across).reshape(-1, across.shape[1])
    return product[:count]


class Water:
    """Surface below the horizon. Worked at half the width, since ripples are long and flat."""

    def __init__(self, rng: np.random.Generator, colours: Palette, camera: Camera, *, sun_x: float, sea: bool) -> None:
        self._camera, self._rows, columns = camera, camera.height - camera.horizon, camera.width // 2
        rough = camera.height / 720.0 * (2.1 if sea else 1.1)
        depth = (np.arange(self._rows, dtype=np.float32)[:, None] + 1.0) / self._rows
        x = (np.arange(columns, dtype=np.float32) + 0.5) / columns - 0.5
        ratio = camera.width / camera.height
        # A wave's phase is k*x + f(row) + w*t; sin(a + b) splits into a small matrix product: a dozen waves are cheap.
        self._along = rng.uniform(4.0, 64.0, _WAVES) * ratio * rng.choice([-1.0, 1.0], _WAVES)
        phase = self._along[:, None] * x
        self._across = np.concatenate([np.cos(phase), np.sin(phase)]).astype(np.float32)
        self._speed = rng.uniform(3.0, 7.0, _WAVES)
        self._row_phase = rng.uniform(16.0, 140.0, _WAVES) * np.log(depth + 0.035) + rng.uniform(0, 6.28, _WAVES)
        # The surface passes sideways with the camera, faster the nearer it is.
        self._passed = camera.direction * (0.05 + 0.6 * depth)
        # Short waves fade towards the horizon, where the eye would no longer part them.
        self._strength = np.exp(-((self._along / (ratio * 50.0)) ** 2) * (1.0 - depth) * 0.5) / np.sqrt(_WAVES)
        self._lift = (rough * (1.2 + 19.0 * depth**1.1)).astype(np.float32)
        self._shift = (rough * (1.0 + 7.0 * depth)).astype(np.float32)
        # How high a wave must be to catch the sun; low along the path below it.
        away = np.abs(x[None, :] - (sun_x / camera.width - 0.5)) / (0.045 + 0.11 * depth)
        self._glitter = (0.16 + 0.62 * away + 0.40 * depth + 0.45 * colours.sun_elevation).astype(np.float32)
        self._sun = np.array(colours.sun, np.float32) * (0.55 if colours.moon else 0.92)
        # What is added to the mirror, and what is kept of it in 1/256; deep water mirrors less.
        share = 0.12 + (0.62 if sea else 0.46) * depth**0.9
        self._tone = np.zeros((self._rows, columns, 4), np.uint16)
        noise = np.random.default_rng(5).random((self._rows, columns, 1), dtype=np.float32)
        colour = np.array(colours.water, np.float32) * (1.0 - 0.42 * depth) * share
        self._tone[..., :3] = colour[:, None, :] * 256.0 + noise * 255.0
        self._keep = np.full((self._rows, 1, 4), 256, np.uint16)
        self._keep[:, 0, :3] = (1.0 - share) * 254.0

    def paint(self, frame: Image.Image, above: Image.Image, t: float) -> None:
        """Draw onto rows below the horizon; `above` is what is mirrored, `horizon` rows."""
        wide, high = above.width // 2, above.height
        source = np.asarray(above.resize((wide, high), Image.Resampling.BOX))
        passed = self._passed * (self._camera.share(t) - 0.5)
        phase = self._row_phase + self._speed * t - passed * self._along
        sine, cosine = np.sin(phase) * self._strength, np.cos(phase) * self._strength
        waves = _product(np.concatenate([sine, cosine], axis=1), self._across)
        # The slope is the sum's derivative along the row, up to the waves' own rates.
        slope = _product(np.concatenate([cosine, -sine], axis=1), self._across)
        up = np.arange(self._rows, dtype=np.float32)[:, None] * max(1.0, high / self._rows) + waves * self._lift
        row = np.clip(high - 1.5 - np.abs(up), 0, high - 1).astype(np.int32)
        column = np.arange(wide, dtype=np.float32) + slope * self._shift
        place = row * wide + np.clip(column, 0, wide - 1).astype(np.int32)
        mirrored = source.view(np.uint32).reshape(-1)[place].view(np.uint8).reshape(self._rows, wide, 4)
        surface = ((self._tone + np.multiply(mirrored, self._keep, dtype=np.uint16)) >> 8).astype(np.uint8)
        spark = np.clip((waves * 0.6 + slope * 0.9 - self._glitter) * 1.6, 0.0, 1.0).reshape(-1)
        lit = np.flatnonzero(spark)
        flat = surface.reshape(-1, 4)
        old = flat[lit, :3].astype(np.float32)
        flat[lit, :3] = (old + (self._sun - old) * spark[lit][:, None]).astype(np.uint8)
        full = from_rgba(surface).resize((self._camera.width, self._rows), Image.Resampling.BILINEAR)
        frame.paste(full, (0, self._camera.horizon))
