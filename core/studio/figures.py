"""Draws the small figures of a landscape: a sailing boat and a flock of birds."""

import numpy as np
from PIL import Image, ImageDraw

from core.studio.layer import Camera
from core.studio.palette import Colour, Palette, mix

_OVERSAMPLE = 4


def _ink(colour: Colour, alpha: int = 255) -> tuple[int, int, int, int]:
    return round(colour[0]), round(colour[1]), round(colour[2]), alpha


def _arc(start: tuple[float, float], end: tuple[float, float], bulge: float) -> list[tuple[float, float]]:
    """Points of a bowed line; `bulge` is how far its middle lies to the left, as a share of its length."""
    share = np.linspace(0, 1, 16)
    across = (-(end[1] - start[1]) * bulge, (end[0] - start[0]) * bulge)
    bow = 4 * share * (1 - share)
    x = start[0] + (end[0] - start[0]) * share + across[0] * bow
    y = start[1] + (end[1] - start[1]) * share + across[1] * bow
    return list(zip(x.tolist(), y.tolist(), strict=True))


class Boat:
    """A small sloop under sail that drifts and rocks."""

    def __init__(self, rng: np.random.Generator, colours: Palette, camera: Camera) -> None:
        self._camera = camera
        self._size = max(8, int(min(camera.height, camera.width * 1.1) * 0.27))
        self._heading = -camera.direction
        self._x = camera.width * (0.5 + camera.direction * float(rng.uniform(0.10, 0.16)))
        self.below = int(camera.height * 0.055)
        self._picture = self._drawn(colours)
        self._phase = float(rng.uniform(0, 6.28))

    def _drawn(self, colours: Palette) -> Image.Image:
        side = self._size * _OVERSAMPLE
        image = Image.new("RGBA", (side, side), _ink(mix(colours.lit, colours.near, 0.5), 0))
        pen = ImageDraw.Draw(image)
        pale = mix(mix(colours.lit, (255.0, 250.0, 240.0), 0.55), colours.near, 0.35 if colours.moon else 0.06)
        shade = mix(pale, mix(colours.near, colours.glow, 0.3), 0.42)
        hull, wood = mix(colours.near, (0.0, 0.0, 0.0), 0.2), mix(colours.near, colours.lit, 0.45)

        def at(x: float, y: float) -> tuple[float, float]:
            return x * side, y * side

        main = [*_arc(at(0.50, 0.06), at(0.24, 0.80), 0.10), *_arc(at(0.24, 0.80), at(0.505, 0.82), -0.03)]
        pen.polygon(main, fill=_ink(pale))
        pen.polygon([*_arc(at(0.50, 0.06), at(0.40, 0.81), 0.10), at(0.505, 0.82)], fill=_ink(mix(pale, shade, 0.55)))
        jib = [*_arc(at(0.53, 0.14), at(0.545, 0.80), 0.05), *_arc(at(0.545, 0.80), at(0.80, 0.82), -0.02)]
        pen.polygon([*jib, *_arc(at(0.80, 0.82), at(0.53, 0.14), 0.02)], fill=_ink(shade))
        for level in (0.30, 0.47, 0.64):
            pen.line(
                _arc(at(0.5 - 0.24 * (level - 0.03), level), at(0.5, level + 0.015), -0.06), fill=_ink(shade), width=3
            )
        pen.rectangle((*at(0.505, 0.03), *at(0.518, 0.88)), fill=_ink(hull))
        pen.polygon([at(0.518, 0.035), at(0.60, 0.055), at(0.518, 0.08)], fill=_ink(colours.glow))
        pen.line([at(0.22, 0.825), at(0.515, 0.835)], fill=_ink(hull), width=max(1, side // 90))
        body = [*_arc(at(0.13, 0.86), at(0.88, 0.845), 0.025), at(0.78, 0.955), at(0.24, 0.955)]
        pen.polygon(body, fill=_ink(hull))
        pen.line(_arc(at(0.13, 0.862), at(0.88, 0.847), 0.025), fill=_ink(wood), width=max(2, side // 70))
        if self._heading < 0:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return image.reduce(_OVERSAMPLE)

    def paint(self, frame: Image.Image, t: float, *, mirror_source: bool) -> None:
        """Draw onto a frame; with `mirror_source` onto the half-width picture that the water mirrors."""
        camera, size = self._camera, self._size
        zoom, pan = camera.view(t, 0.62)
        zoom = 1.0 + (zoom - 1.0) * 0.5
        x = self._x + pan + self._heading * camera.width * 0.006 * t
        waterline = camera.horizon + (-self.below if mirror_source else self.below)
        y = waterline + 0.0035 * camera.height * np.sin(1.3 * t + self._phase)
        angle = 0.022 * np.sin(1.05 * t + self._phase * 2)
        across = (2.0 if mirror_source else 1.0) / zoom
        left = int(x - size * 0.75) // 2 * 2
        top = int(waterline - size * 1.25)
        high = int(size * 1.4)
        wide = int(size * 1.5) // (2 if mirror_source else 1)
        cos, sin = float(np.cos(angle)), float(np.sin(angle))
        # Maps frame pixels back to the picture, turning about the waterline amidships.
        dx, dy = left - x, top - y
        matrix = (
            across * cos, sin / zoom, cos * dx / zoom + sin * dy / zoom + size * 0.5,
            -across * sin, cos / zoom, -sin * dx / zoom + cos * dy / zoom + size * 0.935,
        )  # fmt: skip
        turned = self._picture.transform((wide, high), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
        if not mirror_source:
            turned = turned.crop((0, 0, wide, min(high, waterline + 2 - top)))
        frame.paste(turned, (left // (2 if mirror_source else 1), top), turned)


class Birds:
    """A flock that beats its wings and glides across the sky."""

    def __init__(self, rng: np.random.Generator, colours: Palette, camera: Camera) -> None:
        self._camera = camera
        count = int(rng.integers(7, 12))
        rank = np.arange(count)
        side = np.where(rank % 2 == 0, 1, -1) * ((rank + 1) // 2)
        unit = min(camera.width, camera.height) / 720.0
        self._unit = unit
        self._heading = -camera.direction
        self._back = np.abs(side) * 44 * unit + rng.normal(0, 9 * unit, count)
        self._aside = side * 17 * unit + rng.normal(0, 8 * unit, count)
        self._span = rng.uniform(15, 24, count) * unit
        self._beat = rng.uniform(4.6, 6.4, count)
        self._phase = rng.uniform(0, 6.28, count)
        self._start = camera.width * (0.5 - self._heading * 0.12)
        self._height = camera.horizon * float(rng.uniform(0.30, 0.42))
        self._ink = _ink(mix(colours.near, colours.far, 0.12))

    def paint(self, frame: Image.Image, t: float) -> None:
        """Draw onto a frame."""
        for number in range(len(self._span)):
            span, phase = float(self._span[number]), float(self._phase[number])
            x = self._start + self._heading * (t * self._camera.width * 0.03 - float(self._back[number]))
            y = (
                self._height
                + float(self._aside[number])
                - t * 2.2 * self._unit
                + 3 * self._unit * np.sin(0.7 * t + phase)
            )
            # Wings beat in bouts and glide between them.
            bout = 0.5 + 0.5 * np.sin(0.8 * t + phase * 1.7)
            lift = 0.18 + 0.55 * bout * np.sin(self._beat[number] * t + phase)
            side = int(span * 2.6) + 4
            left, top = int(x) - side // 2, int(y) - side // 2
            if left < -side or left > self._camera.width or top < -side or side < 6:
                continue
            mask = Image.new("L", (side * _OVERSAMPLE, side * _OVERSAMPLE))
            pen = ImageDraw.Draw(mask)
            mid_x, mid_y = (x - left) * _OVERSAMPLE, (y - top) * _OVERSAMPLE
            reach = span * _OVERSAMPLE
            for wing in (-1, 1):
                elbow = mid_x + wing * reach * 0.42, mid_y - reach * (lift * 0.75 + 0.08)
                tip = mid_x + wing * reach * (1.0 - 0.15 * abs(lift)), mid_y - reach * (lift * 0.8 - 0.06)
                pen.polygon(
                    [
                        (mid_x, mid_y - reach * 0.06),
                        elbow,
                        tip,
                        (elbow[0], elbow[1] + reach * 0.13),
                        (mid_x, mid_y + reach * 0.12),
                    ],
                    fill=255,
                )
            body = reach * 0.17
            pen.ellipse(
                (mid_x - body * 1.1, mid_y - body * 0.5, mid_x + body * 1.1, mid_y + body * 0.62),
                fill=255,
            )
            frame.paste(self._ink, (left, top), mask.reduce(_OVERSAMPLE))
