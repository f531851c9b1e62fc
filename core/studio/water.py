"""Draws water: a true mirror of what stands above it, broken by waves, with the sun's glitter."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.studio.layer import Camera
from core.studio.noise import Field
from core.studio.palette import Brief, Palette

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

    def __init__(self, rng: np.random.Generator, brief: Brief, colours: Palette, camera: Camera, sun_x: float) -> None:
        self._camera, self._rows = camera, camera.height - camera.horizon
        self._columns = camera.width // 2
        rough = 2.6 if "storm" in brief.features else (1.5 if brief.terrain == "sea" else 0.9)
        depth = (np.arange(self._rows, dtype=np.float32) + 1.0) / self._rows
        x = (np.arange(self._columns, dtype=np.float32) + 0.5) / self._columns - 0.5
        ratio = camera.width / camera.height
        # A wave's phase is k*x + f(row) + w*t; sin(a + b) splits into a small matrix product: a dozen waves are cheap.
        along = rng.uniform(4.0, 34.0, _WAVES).astype(np.float32) * ratio * rng.choice([-1.0, 1.0], _WAVES)
        deep = rng.uniform(5.0, 30.0, _WAVES).astype(np.float32)
        self._speed = rng.uniform(0.8, 2.2, _WAVES)
        self._row_phase = deep[None, :] * np.log(depth + 0.035)[:, None] * 3.2 + rng.uniform(0, 6.28, _WAVES)
        # Short waves fade towards the horizon, where the eye would no longer part them.
        fine = np.exp(-((np.abs(along)[None, :] / (ratio * 34.0)) ** 2) * (1.0 - depth[:, None]) * 0.5)
        self._strength = (fine / np.sqrt(_WAVES)).astype(np.float32)
        self._across = np.concatenate([np.cos(along[:, None] * x), np.sin(along[:, None] * x)]).astype(np.float32)
        unit = camera.height / 720.0
        self._lift = (rough * unit * (1.2 + 19.0 * depth**1.1)).astype(np.float32)[:, None]
        self._shift = (rough * unit * (1.0 + 7.0 * depth)).astype(np.float32)[:, None]
        count = _WAVES
        keen = rng.uniform(30.0, 120.0, count).astype(np.float32) * ratio * rng.choice([-1.0, 1.0], count)
        self._spark_phase = rng.uniform(40.0, 95.0, count) * np.log(depth + 0.06)[:, None] * 1.6 + rng.uniform(
            0, 6.28, count
        )
        self._spark_speed = rng.uniform(1.5, 4.0, count)
        self._spark_across = np.concatenate([np.cos(keen[:, None] * x), np.sin(keen[:, None] * x)]).astype(np.float32)
        self._glitter = self._sun_path(x, depth, sun_x / camera.width - 0.5, brief, colours)
        self._sun = np.array(colours.sun, np.float32) * (0.55 if colours.moon else 0.92)
        self._tone, self._keep = self._tinted(depth, colours, brief)
        self._mirror_rows = np.arange(self._rows, dtype=np.float32)[:, None]

    def _sun_path(self, x: Field, depth: Field, centre: float, brief: Brief, colours: Palette) -> Field:
        """Threshold that a wave must pass to catch the sun; low along the path below it."""
        spread = (0.045 + 0.11 * depth)[:, None]
        away = np.abs(x[None, :] - centre) / spread
        if colours.sun_radius == 0:
            # No sun: only the highest waves break white.
            foam: Field = np.full(away.shape, 1.04, np.float32) - 0.06 * depth[:, None]
            return foam
        bar: Field = (0.16 + 0.62 * away + 0.30 * depth[:, None] + 0.45 * colours.sun_elevation).astype(np.float32)
        return bar

    def _tinted(self, depth: Field, colours: Palette, brief: Brief) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
        """(what is added, what is kept of the mirror in 1/256) for each row and channel; deep water mirrors less."""
        far = np.array(colours.water, np.float32)
        colour = far * (1.0 - 0.42 * depth[:, None])
        share = (0.12 + (0.62 if brief.terrain == "sea" else 0.46) * depth**0.9)[:, None]
        noise = np.random.default_rng(5).random((self._rows, self._columns, 1), dtype=np.float32)
        added = np.zeros((self._rows, self._columns, 4), np.uint16)
        added[..., :3] = (colour * share * 256.0)[:, None, :] + noise * 255.0
        kept = np.full((self._rows, 1, 4), 256, np.uint16)
        kept[:, 0, :3] = (1.0 - share) * 254.0
        return added, kept

    def paint(self, frame: Image.Image, above: Image.Image, t: float) -> None:
        """Draw onto rows below the horizon; `above` is what is mirrored: RGBA, half width, `horizon` rows."""
        source = np.asarray(above)
        high, wide = source.shape[:2]
        phase = self._row_phase + self._speed * t
        rows = np.concatenate([np.sin(phase) * self._strength, np.cos(phase) * self._strength], axis=1)
        waves = _product(rows.astype(np.float32), self._across)
        # The slope is the sum's derivative along the row, up to the waves' own rates.
        tilt = np.concatenate([np.cos(phase) * self._strength, -np.sin(phase) * self._strength], axis=1)
        slope = _product(tilt.astype(np.float32), self._across)
        up = self._mirror_rows * (high / max(self._rows, 1) if self._rows > high else 1.0) + waves * self._lift
        row = np.clip(high - 1.5 - np.abs(up), 0, high - 1).astype(np.int32)
        column = np.arange(wide, dtype=np.float32)[None, :] + slope * self._shift
        np.clip(column, 0, wide - 1, out=column)
        row *= wide
        row += column.astype(np.int32)
        mirrored = source.view(np.uint32).reshape(-1)[row].view(np.uint8).reshape(self._rows, wide, 4)
        mirrored = self._tone + np.multiply(mirrored, self._keep, dtype=np.uint16)
        np.right_shift(mirrored, 8, out=mirrored)
        mirrored = mirrored.astype(np.uint8)
        turn = self._spark_phase + self._spark_speed * t
        fine = np.concatenate([np.sin(turn), np.cos(turn)], axis=1).astype(np.float32) / np.float32(np.sqrt(_WAVES))
        fine_waves = _product(fine, self._spark_across)
        spark = np.clip((waves * 0.55 + fine_waves * 0.75 - self._glitter) * 1.6, 0.0, 1.0)
        lit = np.flatnonzero(spark)
        if lit.size:
            flat = mirrored.reshape(-1, 4)
            strength = spark.reshape(-1)[lit][:, None]
            old = flat[lit, :3].astype(np.float32)
            flat[lit, :3] = (old + (self._sun - old) * strength).astype(np.uint8)
        low = Image.frombuffer("CMYK", (wide, self._rows), mirrored.tobytes(), "raw", "CMYK", 0, 1)
        full = low.resize((self._camera.width, self._rows), Image.Resampling.BILINEAR)
        water = Image.frombuffer("RGBA", full.size, full.tobytes(), "raw", "RGBA", 0, 1)
        frame.paste(water, (0, self._camera.horizon))
