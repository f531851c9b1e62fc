"""What all scenes draw on: premultiplied RGBA pictures, layers that move by fractions of a pixel, and points of light.

The layer pictures are Pillow's "RGBa" (premultiplied), which it resizes and pastes without converting.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.demo_studio.noise import Floats

Bytes = NDArray[np.uint8]
OVERSAMPLING = 1.08
"""Never 1: pixels that fall on pixels at some moments only would make the picture sharper and softer in turn."""


class Scene(Protocol):
    """A moving picture; any frame can be drawn at any time, also by several threads at once."""

    def frame(self, seconds: float) -> Bytes:
        """The picture at this moment: (height, width, 4), alpha without meaning."""
        ...


@dataclass(frozen=True, slots=True)
class Size:
    """Of the picture in pixels; `unit` is what a 720p picture calls one pixel."""

    width: int
    height: int

    @property
    def unit(self) -> float:
        """Scale of sizes that are written for 720 lines."""
        return min(self.width, self.height) / 720


def picture(colours: Floats, alpha: Floats | None = None, rng: np.random.Generator | None = None) -> Image.Image:
    """An RGBa picture from (h, w, 3) colours in 0..1 and (h, w) alpha; `rng` dithers it against visible steps."""
    height, width = colours.shape[:2]
    values = np.empty((height, width, 4), dtype=np.float32)
    if alpha is None:
        values[..., :3], values[..., 3] = colours * 255, 255
    else:
        values[..., :3], values[..., 3] = colours * alpha[..., None] * 255, alpha * 255
    if rng is not None:
        values[..., :3] += (rng.random((height, width, 1), dtype=np.float32) - 0.5) * 1.6
    limited = np.clip(values + 0.5, 0, 255).astype(np.uint8)
    if alpha is not None:
        limited[..., :3] = np.minimum(limited[..., :3], limited[..., 3:])
    return Image.frombytes("RGBa", (width, height), limited.tobytes())


def paste(target: Image.Image, layer: Image.Image, at: tuple[int, int]) -> None:
    """Lay one RGBa picture over another."""
    target.paste(layer, at, layer)


def trimmed(image: Image.Image, base: float) -> tuple[Image.Image, float]:
    """The picture without the empty rows above and below, and where its base row is then."""
    box = image.getbbox()
    if box is None:
        return image.crop((0, 0, image.width, 1)), base
    top, bottom = max(0, box[1] - 2), min(image.height, box[3] + 2)
    return image.crop((0, top, image.width, bottom)), base - top


@dataclass(frozen=True, slots=True)
class Layer:
    """A wide picture that stands in the landscape.

    `base` is the row of the picture that touches the ground, `base_y` where that is on screen at rest; `scale` is
    pixels of the picture per pixel on screen. `near` (0 far, 1 near) is how much it follows the camera.
    """

    image: Image.Image
    base: float
    base_y: float
    near: float
    scale: float = OVERSAMPLING

    def draw(self, target: Image.Image, *, centre: tuple[float, float], zoom: float, pan: float) -> None:
        """Draw as seen by a camera that moved in by `zoom` (1: not) towards `centre` and aside by `pan` pixels."""
        width, height = target.size
        grown = 1 + (zoom - 1) * self.near
        per_pixel = self.scale / grown
        left = self.image.width / 2 + (pan * self.near - centre[0]) * per_pixel
        ground = centre[1] + (self.base_y - centre[1]) * grown
        first = max(0, int(np.ceil(ground - self.base / per_pixel)))
        last = min(height, int(np.floor(ground + (self.image.height - self.base) / per_pixel)))
        if last <= first:
            return
        top = self.base + (first - ground) * per_pixel
        box = (left, max(0.0, top), left + width * per_pixel, min(top + (last - first) * per_pixel, self.image.height))
        if box[0] < 0 or box[2] > self.image.width:
            raise ValueError(f"the camera left the layer: {box[0]:.1f} to {box[2]:.1f} of {self.image.width}")
        strip = self.image.resize((width, last - first), Image.Resampling.BILINEAR, box=box)
        paste(target, strip, (0, first))


def splat(
    target: Bytes,
    x: Floats,
    y: Floats,
    *,
    radius: float,
    colour: Sequence[float] | Floats,
    strength: Floats,
    falloff: float = 2.0,
) -> None:
    """Add soft points of light at fractional places. `colour` is (3,) or (n, 3) in 0..1, `strength` 0..1 each."""
    height, width = target.shape[:2]
    reach = max(1, int(np.ceil(radius * 1.6)))
    inside = (strength > 0.004) & (x > -reach) & (x < width + reach) & (y > -reach) & (y < height + reach)
    if not inside.any():
        return
    x, y, strength = x[inside], y[inside], strength[inside]
    offsets = np.arange(-reach, reach + 1)
    x0, y0 = np.round(x).astype(np.int32), np.round(y).astype(np.int32)
    dx = (offsets[None, :] - (x - x0)[:, None]) / radius
    dy = (offsets[None, :] - (y - y0)[:, None]) / radius
    light = np.exp(-falloff * dy * dy)[:, :, None] * np.exp(-falloff * dx * dx)[:, None, :] * strength[:, None, None]
    columns = np.broadcast_to((x0[:, None] + offsets)[:, None, :], light.shape)
    rows = np.broadcast_to((y0[:, None] + offsets)[:, :, None], light.shape)
    seen = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height) & (light > 0.004)
    colours = np.asarray(colour, dtype=np.float32)
    if colours.ndim == 2:
        tint = np.broadcast_to(colours[inside][:, None, None, :], (*light.shape, 3))[seen]
    else:
        tint = np.broadcast_to(colours, (int(seen.sum()), 3))
    add_light(target, rows[seen], columns[seen], tint * light[seen][:, None])


def add_light(target: Bytes, rows: NDArray[np.int32], columns: NDArray[np.int32], light: Floats) -> None:
    """Screen light (n, 3) in 0..1 onto single pixels."""
    before = target[rows, columns, :3].astype(np.float32)
    after = before + (255 - before) * np.minimum(light, 1.0)
    target[rows, columns, :3] = (after + 0.5).astype(np.uint8)


def screen(target: Bytes, light: Bytes) -> None:
    """Add light (h, w, 3 or 4) to the upper part of a picture, held at white."""
    part = target[: light.shape[0], :, :3]
    room = 255 - part
    part += np.minimum(light[..., :3], room)
