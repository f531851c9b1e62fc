"""A skyline: rows of towers with lit windows, signs and the glow they throw into the air."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from core.demo_studio import canvas
from core.demo_studio.canvas import Layer, Size
from core.demo_studio.noise import Floats
from core.demo_studio.palette import colour
from core.demo_studio.terrain import MARGIN, Light, Stand

_WARM = ("#ffd9a0", "#ffc27a", "#ffe9c8", "#dbe8ff", "#ffb060")
_NEON = ("#ff4fd8", "#35e6ff", "#9b5cff", "#ff7a3c", "#46ffb0", "#ffd9a0")


def skyline(
    size: Size, stand: Stand, light: Light, rng: np.random.Generator, *, darkness: float, neon: bool, skirt: float = 0.0
) -> Layer:
    """One row of buildings up to `stand.peak` screen pixels; `darkness` 0..1 is how many windows are lit."""
    width = int(size.width * MARGIN) + 4
    height = max(6, int(stand.peak * 1.12) + 4)
    body = np.zeros((height, width, 3), dtype=np.float32)
    glow = np.zeros((height, width, 3), dtype=np.float32)
    cover = np.zeros((height, width), dtype=np.float32)
    row = _Row(body, glow, cover, size.unit, stand, light, rng, darkness, neon)
    x = -int(20 * size.unit)
    while x < width:
        wide = max(3, int(rng.uniform(26, 72) * size.unit * (0.55 + 0.6 * stand.near)))
        share = 0.22 + 0.55 * rng.random() ** 1.5 + 0.3 * np.exp(-(((x / width - 0.5) / 0.16) ** 2)) * rng.random()
        row.building(x, wide, max(3, int(min(1.0, share) * stand.peak)))
        x += int(wide * rng.uniform(0.72, 1.12)) + 1
    image = _with_light(body, glow, cover, unit=size.unit, darkness=darkness, rng=rng)
    if skirt:
        ground = Image.new("RGBa", (width, height + int(skirt)))
        ground.paste(image, (0, 0))
        tone = light.on(colour("#20242c")[None, None], np.full((1, 1), 0.3, np.float32), stand.far * 0.5)[0, 0]
        ground.paste((*(int(255 * min(1.0, value)) for value in tone), 255), (0, height, width, height + int(skirt)))
        image = ground
    return Layer(image, base=height, base_y=stand.base_y, near=stand.near)


@dataclass(frozen=True, slots=True)
class _Row:
    """The three pictures that a row of buildings is made of (drawn into in place), and what decides their look."""

    _body: Floats
    _glow: Floats
    _cover: Floats
    _unit: float
    _stand: Stand
    _light: Light
    _rng: np.random.Generator
    _darkness: float
    _neon: bool

    def building(self, x: int, wide: int, tall: int) -> None:
        """One tower with its roof, windows and perhaps a sign."""
        rng, unit = self._rng, self._unit
        height, width = self._cover.shape
        left, right = max(0, x), min(width, x + wide)
        if right - left < 2:
            return
        self._block(left, right, tall)
        if rng.random() < 0.4 and tall > 40 * unit:
            inset = int(wide * rng.uniform(0.15, 0.3))
            if right - left > 2 * inset + 2:
                self._block(left + inset, right - inset, min(height - 2, int(tall * rng.uniform(1.04, 1.1))))
        if rng.random() < 0.3 and tall > 60 * unit:
            middle, top = (left + right) // 2, min(height - 2, tall + int(rng.uniform(14, 40) * unit))
            thick = max(1, round(1.5 * unit))
            self._cover[height - top : height - tall, middle : middle + thick] = 1
            self._body[height - top : height - tall, middle : middle + thick] = self._body[height - tall + 1, middle]
            if self._darkness > 0.3:
                self._glow[height - top : height - top + thick + 1, middle : middle + thick] = colour("#ff3b30")
        if self._darkness > 0:
            self._windows(left, right, tall)
        if self._neon and rng.random() < 0.4 * (0.4 + self._stand.near):
            self._sign(left, right, tall)

    def _block(self, left: int, right: int, tall: int) -> None:
        height = self._cover.shape[0]
        rng, stand = self._rng, self._stand
        grey = colour("#6b7280") * rng.uniform(0.5, 1.1) + np.array([0.03, 0, -0.02], np.float32) * rng.uniform(-1, 1.5)
        toward = 0.75 if (left + right) / 2 < self._cover.shape[1] / 2 else 0.3
        across = np.linspace(toward, 1.05 - toward, right - left, dtype=np.float32)[None, :] * 0.55 + 0.1
        up = np.linspace(1, 0, tall, dtype=np.float32)[:, None]
        far = np.clip(stand.far + (1 - up) * 0.3 * (0.25 + stand.far), 0, 0.97) + 0 * across
        facade = np.broadcast_to(grey, (tall, right - left, 3))
        if self._darkness < 0.3:
            cell = max(2, int(5 * self._unit))
            lines = ((np.arange(tall) // cell) % 2)[:, None, None] * 0.16
            facade = facade * (1 - lines)
        tones = self._light.on(facade, np.broadcast_to(across, (tall, right - left)), far.astype(np.float32))
        self._body[height - tall :, left:right] = tones
        self._cover[height - tall :, left:right] = 1
        self._glow[height - tall :, left:right] = 0

    def _windows(self, left: int, right: int, tall: int) -> None:
        rng, near = self._rng, self._stand.near
        height = self._cover.shape[0]
        cell_x = max(2, round((4.2 + 4 * near) * self._unit))
        cell_y = max(2, round((5.6 + 5 * near) * self._unit))
        columns, rows = (right - left - 2) // cell_x, (tall - 3) // cell_y
        if columns < 1 or rows < 1:
            return
        share = self._darkness * rng.uniform(0.15, 0.62)
        lit = rng.random((rows, columns)) < share
        lit &= rng.random((rows, 1)) < 0.93
        tints = np.array([colour(text) for text in (_NEON if self._neon and rng.random() < 0.35 else _WARM)])
        main = tints[rng.integers(0, len(tints))]
        tone = np.where(
            rng.random((rows, columns, 1)) < 0.75, main, tints[rng.integers(0, len(tints), (rows, columns))]
        )
        tone = tone * (lit * rng.uniform(0.35, 1.0, (rows, columns)))[..., None] * (1 - self._stand.far * 0.65)
        pane = np.zeros((cell_y, cell_x), dtype=np.float32)
        pane[: max(1, int(cell_y * 0.62)), : max(1, int(cell_x * 0.66))] = 1
        wall = np.kron(tone.transpose(2, 0, 1), pane).transpose(1, 2, 0)
        top = height - tall + 3
        part = self._glow[top : top + wall.shape[0], left + 1 : left + 1 + wall.shape[1]]
        part[:] = wall[: part.shape[0], : part.shape[1]]

    def _sign(self, left: int, right: int, tall: int) -> None:
        rng, unit = self._rng, self._unit
        height = self._cover.shape[0]
        tint = colour(_NEON[rng.integers(0, len(_NEON) - 1)]) * (1.15 - self._stand.far * 0.5)
        thick = max(1, round(2.2 * unit))
        if rng.random() < 0.55:
            x = left + 1 if rng.random() < 0.5 else right - thick - 1
            self._glow[height - int(tall * 0.97) : height - int(tall * rng.uniform(0.1, 0.5)), x : x + thick] = tint
            return
        wide, high = max(2, int((right - left) * 0.34)), max(3, int(rng.uniform(16, 46) * unit))
        x, y = int(rng.integers(left, max(left + 1, right - wide))), height - int(tall * rng.uniform(0.35, 0.85))
        panel = self._glow[y : y + high, x : x + wide]
        panel[:] = tint * 0.85
        strokes = rng.random((max(1, high // max(1, round(5 * unit))), 1, 1)) < 0.5
        bars = np.repeat(strokes, max(1, round(5 * unit)), axis=0)[: panel.shape[0]]
        panel[: bars.shape[0]] *= np.where(bars, 1.0, 0.35).astype(np.float32)


def _with_light(
    body: Floats, glow: Floats, cover: Floats, *, unit: float, darkness: float, rng: np.random.Generator
) -> Image.Image:
    """Windows shine, and what shines has a halo, also over the edges of the buildings."""
    shining = Image.fromarray(np.clip(glow * 255, 0, 255).astype(np.uint8))
    halo = np.zeros_like(glow)
    for radius, power in ((2.4, 0.55), (11.0, 0.75)):
        blurred = shining.filter(ImageFilter.GaussianBlur(max(0.5, radius * unit)))
        halo += np.asarray(blurred).astype(np.float32) / 255 * power
    halo *= darkness
    light = body + (1 - body) * np.clip(glow + halo, 0, 1)
    air = np.clip(halo.max(axis=2) * 0.9, 0, 0.8)
    alpha = np.maximum(cover, air)
    tone = np.where(cover[..., None] > 0, light, halo / np.maximum(air, 1e-3)[..., None])
    return canvas.picture(np.clip(tone, 0, 1), alpha.astype(np.float32), rng)
