"""Small figures in a landscape: a sailing boat with its reflection, and birds."""

import numpy as np
from PIL import Image, ImageDraw

from core.demo_studio import canvas, noise
from core.demo_studio.canvas import Bytes, Size
from core.demo_studio.noise import Floats
from core.demo_studio.palette import Palette, colour

FINER = 4


def blend(target: Bytes, sprite: Bytes, x: int, y: int) -> None:
    """Lay a premultiplied (h, w, 4) sprite over a picture; what lies outside is cut off."""
    height, width = target.shape[:2]
    left, top, right, bottom = max(0, x), max(0, y), min(width, x + sprite.shape[1]), min(height, y + sprite.shape[0])
    if right <= left or bottom <= top:
        return
    part = sprite[top - y : bottom - y, left - x : right - x].astype(np.uint16)
    under = target[top:bottom, left:right, :3]
    under[:] = np.minimum(255, part[..., :3] + under * (255 - part[..., 3:]) // 255)


class Boat:
    """Sails slowly across, rocking; `waterline` is the row it floats on."""

    def __init__(self, size: Size, horizon: int, palette: Palette, rng: np.random.Generator, sun_x: float) -> None:
        self._size = size
        self._tall = max(8, int(132 * size.unit))
        self.waterline = horizon + int(34 * size.unit)
        side = -1.0 if sun_x > size.width / 2 else 1.0
        self._start = sun_x + side * size.width * rng.uniform(0.09, 0.15)
        self._speed = -side * size.unit * 7
        self._phase = rng.uniform(0, 6)
        self._sprite = _boat(self._tall, palette, flip=side > 0)

    def at(self, seconds: float) -> tuple[Bytes, int, int]:
        """The boat as it is now, premultiplied, and the place of its upper left corner."""
        angle = 0.028 * np.sin(seconds * 1.3 + self._phase) + 0.012 * np.sin(seconds * 2.1)
        x = self._start + self._speed * seconds - self._sprite.width / FINER / 2
        y = self.waterline - self._tall + 1.6 * self._size.unit * np.sin(seconds * 1.7 + self._phase)
        whole_x, whole_y = int(np.floor(x)), int(np.floor(y))
        width, height = self._sprite.width // FINER + 2, self._tall + 6
        cos, sin = np.cos(angle) * FINER, np.sin(angle) * FINER
        pivot_x, pivot_y = self._sprite.width / 2, self._tall * FINER * 0.96
        move_x, move_y = x - whole_x + pivot_x / FINER, y - whole_y + pivot_y / FINER
        matrix = (cos, sin, pivot_x - cos * move_x - sin * move_y, -sin, cos, pivot_y + sin * move_x - cos * move_y)
        turned = self._smaller().transform(
            (width, height), Image.Transform.AFFINE, _scaled(matrix, 2), Image.Resampling.BICUBIC
        )
        return np.asarray(turned), whole_x, whole_y

    def _smaller(self) -> Image.Image:
        return self._sprite.reduce(2)


def _scaled(matrix: tuple[float, ...], by: int) -> tuple[float, ...]:
    return tuple(float(value) / by for value in matrix)


def _boat(tall: int, palette: Palette, *, flip: bool) -> Image.Image:
    """A small yacht, FINER times as large as it is shown."""
    height = tall * FINER
    width = int(height * 0.86)
    image = Image.new("RGB", (width, height))
    cover = Image.new("L", (width, height))
    warm = colour(palette.sunlight) * min(1.0, palette.sun_strength) * 0.75 + colour(palette.ambient) * 0.35
    sail_light, sail_shade = _byte(np.array([1.0, 0.95, 0.86]) * warm * 1.1), _byte(np.array([0.72, 0.66, 0.66]) * warm)
    hull = _byte(np.array([0.16, 0.12, 0.14]) * (0.4 + warm))
    draw, mask = ImageDraw.Draw(image), ImageDraw.Draw(cover)
    mast = width * 0.47

    def shape(points: list[tuple[float, float]], tone: tuple[int, int, int]) -> None:
        placed = [(px * width, py * height) for px, py in points]
        draw.polygon(placed, fill=tone)
        mask.polygon(placed, fill=255)

    main = [(0.485, 0.03)] + [
        (0.485 + 0.4 * s + 0.05 * np.sin(np.pi * s), 0.03 + 0.77 * s) for s in np.linspace(0.05, 1, 14)
    ]
    shape([*main, (0.485, 0.81)], sail_light)
    jib = [(0.455, 0.12)] + [
        (0.455 - 0.36 * s - 0.02 * np.sin(np.pi * s), 0.12 + 0.69 * s) for s in np.linspace(0.05, 1, 14)
    ]
    shape([*jib, (0.44, 0.79)], sail_shade)
    thick = max(1.0, width * 0.012)
    shape(
        [
            ((mast - thick) / width, 0.0),
            ((mast + thick) / width, 0.0),
            ((mast + thick) / width, 0.86),
            ((mast - thick) / width, 0.86),
        ],
        hull,
    )
    shape([(0.05, 0.855), (0.97, 0.845), (0.86, 0.945), (0.78, 0.985), (0.24, 0.985), (0.14, 0.945)], hull)
    edge = _byte(np.array([0.55, 0.42, 0.36]) * warm)
    shape([(0.05, 0.855), (0.97, 0.845), (0.955, 0.862), (0.065, 0.872)], edge)
    values = np.asarray(image).astype(np.float32) / 255
    fade = np.linspace(0.86, 1.06, width, dtype=np.float32)[None, :, None]
    picture = canvas.picture(np.clip(values * fade, 0, 1), np.asarray(cover).astype(np.float32) / 255)
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip else picture


def _byte(tone: Floats) -> tuple[int, int, int]:
    red, green, blue = (int(min(255, max(0, value * 255))) for value in tone)
    return red, green, blue


class Birds:
    """A loose flock that crosses the sky, wings beating."""

    def __init__(self, size: Size, horizon: int, palette: Palette, rng: np.random.Generator) -> None:
        count = int(rng.integers(5, 9))
        self._size = size
        self._x = rng.uniform(0.12, 0.5) * size.width + rng.normal(0, 70, count) * size.unit
        self._y = horizon * rng.uniform(0.28, 0.5) + rng.normal(0, 26, count) * size.unit
        self._span = rng.uniform(9, 17, count) * size.unit
        self._phase, self._pace = rng.uniform(0, 6, count), rng.uniform(5.5, 8, count)
        dark = colour(palette.ambient) * palette.ambient_strength * 0.35
        self._tone = tuple(int(255 * value) for value in dark)

    def draw(self, target: Bytes, seconds: float) -> None:
        """Draw them where they are now."""
        for x, y, span, phase, pace in zip(self._x, self._y, self._span, self._phase, self._pace, strict=True):
            glide = noise.smoothstep(-0.4, 0.5, np.float32(np.sin(seconds * 0.7 + phase)) * np.ones(1, np.float32))[0]
            beat = float(np.sin(seconds * pace + phase)) * (0.25 + 0.75 * float(glide))
            now_x = x + seconds * 21 * self._size.unit
            now_y = y + np.sin(seconds * 0.8 + phase) * 5 * self._size.unit
            self._bird(target, now_x, now_y, float(span), beat)

    def _bird(self, target: Bytes, x: float, y: float, span: float, beat: float) -> None:
        reach = int(span * 1.3) + 3
        left, top = int(np.floor(x)) - reach, int(np.floor(y)) - reach
        mask = Image.new("L", (reach * 2 * FINER, reach * 2 * FINER))
        draw = ImageDraw.Draw(mask)
        middle = ((x - left) * FINER, (y - top) * FINER)
        for side in (-1, 1):
            bend = (middle[0] + side * span * 0.45 * FINER, middle[1] - (0.22 + 0.26 * beat) * span * FINER)
            tip = (middle[0] + side * span * FINER, middle[1] + (0.02 - 0.42 * beat) * span * FINER)
            thick = span * 0.12 * FINER
            draw.polygon(
                [(middle[0], middle[1] - thick), bend, tip, (bend[0], bend[1] + thick), (middle[0], middle[1] + thick)],
                fill=255,
            )
        draw.ellipse(
            (
                middle[0] - span * 0.16 * FINER,
                middle[1] - span * 0.09 * FINER,
                middle[0] + span * 0.2 * FINER,
                middle[1] + span * 0.1 * FINER,
            ),
            fill=255,
        )
        cover = np.asarray(mask.reduce(FINER)).astype(np.uint16)
        sprite = np.empty((*cover.shape, 4), dtype=np.uint8)
        for channel in range(3):
            sprite[..., channel] = cover * self._tone[channel] // 255
        sprite[..., 3] = cover
        blend(target, sprite, left, top)
