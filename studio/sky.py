"""Paints the sky of a landscape: gradient, sun or moon, clouds and stars."""

import numpy as np
from PIL import Image

from studio.noise import fractal, sample, smoothstep
from studio.palette import Palette, mix
from studio.picture import STARLIGHT, Camera, place, sprite, starry

REDUCTION = 4
SINKS = 0.16  # how far the sun goes down, or up, during the clip, as a share of the sky's height
OVERSCAN = 1.06
CLOUD_WIDTH = 1.9  # of a sheet, in frame widths


class Sky:
    """Everything behind the land. Drawn at quarter size and enlarged: it is soft, apart from sun and stars."""

    def __init__(self, rng: np.random.Generator, colours: Palette, camera: Camera, *, falling: bool) -> None:
        self._camera, self._colours, self._falling = camera, colours, falling
        self._width, self._height = -(-camera.width // REDUCTION), -(-camera.horizon // REDUCTION)
        self.sun_x = camera.width * (0.5 - camera.direction * float(rng.uniform(0.02, 0.16)))
        self._sun_y = camera.horizon * (1.0 - colours.sun_elevation - SINKS / 2)
        self._gradient = self._glowing()
        self._disc = self._sun_disc((0.034 if colours.moon else 0.052) * min(camera.width, camera.height * 0.9))
        self._clouds = [self._cloud_sheet(rng, share) for share in (0.0, 1.0)]
        size = int(camera.width + (OVERSCAN - 1) * camera.reach), int(camera.horizon * OVERSCAN)
        count = int(min(700, size[0] * size[1] / 1500) * colours.stars)
        self._stars = starry(rng, size, count=count, unit=max(0.6, min(camera.width, camera.height) / 720.0))

    def _glowing(self) -> Image.Image:
        """Picture of the sky with the glow about the sun, wider and taller than what is seen of it."""
        camera, colours = self._camera, self._colours
        above, beside = int(self._height * SINKS) + 2, int((OVERSCAN - 1) * camera.reach / REDUCTION / 2) + 1
        y, x = np.mgrid[-above : self._height, -beside : self._width + beside].astype(np.float32) * REDUCTION
        stops, rows = np.array(colours.sky, np.float32), np.linspace(0, 1, len(y))
        places = np.linspace(0, 1, len(stops)) ** 0.85
        column = np.stack([np.interp(rows, places, stops[:, band]) for band in range(3)], axis=1)
        away = np.hypot(x - self.sun_x, (y - self._sun_y) * 1.25) / min(camera.height, camera.width * 1.3)
        glow = (1.0 - 0.7 * colours.sun_elevation) * (0.55 * np.exp(-away * 3.6) + 0.50 * np.exp(-((away * 7.5) ** 2)))
        # "Screen" blending: light is added but nothing clips to flat white.
        screen = 1.0 - glow[..., None] * np.array(colours.glow, np.float32) / 255.0
        return sprite(255.0 - (255.0 - column[:, None, :]) * screen, np.ones_like(away))

    def _cloud_sheet(self, rng: np.random.Generator, near: float) -> Image.Image:
        height, width = self._height, int(self._width * CLOUD_WIDTH)
        cells = (5.0 + 3 * near, 5.0 * width / max(self._height * 2.2, 1.0))
        raw, warp = fractal(rng, height * 2, width, cells, 6, 0.55), fractal(rng, height, width, (3, 6), 3)
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        # Rows crowd towards the horizon as a flat cloud deck does in perspective.
        squash = (y / height) ** 1.7 * height * 1.9
        density = sample(raw, squash + (warp - 0.5) * height * 0.35, x + (warp - 0.5) * width * 0.06)
        body = smoothstep(0.56 - 0.03 * near, 0.86 - 0.03 * near, density)
        fade = smoothstep(1.02, 0.72, y / height) * smoothstep(-0.1, 0.25, y / height)
        toward = np.roll(density, -max(1, height // 40), axis=0) - density
        light = np.clip(0.45 + toward * 5.0 + 0.35 * (1 - body), 0, 1)[..., None]
        colours = self._colours
        lit = mix(colours.lit, colours.sky[2], 0.6 if colours.moon else 0.0)
        lit, shade = np.array((lit, mix(colours.sky[2], colours.far, 0.5)), np.float32)
        return sprite(shade + (lit - shade) * light, body * fade * (0.45 if colours.moon else 0.72))

    def _sun_disc(self, radius: float) -> Image.Image:
        """Sun, redder below, or moon; a high sun has no edge."""
        side = int(radius * 2 + 6)
        y, x = np.mgrid[0:side, 0:side].astype(np.float32) + 0.5 - side / 2
        high = self._colours.sun_elevation > 0.3 and not self._colours.moon
        alpha = smoothstep(radius + 0.5, 0.0 if high else radius - 0.5, np.hypot(x, y))
        top, low = np.array((self._colours.sun, self._colours.glow), np.float32)
        return sprite(top + (low - top) * np.clip((y / radius + 0.2) * 0.5, 0, 1)[..., None], alpha)

    def paint(self, frame: Image.Image, t: float) -> None:
        """Draw onto the rows of a frame above the horizon."""
        camera, share = self._camera, self._camera.share(t)
        shift, sunk = camera.shift(t, 0.0), camera.horizon * SINKS * (share if self._falling else 1.0 - share)
        soft = Image.new("CMYK", (self._width, self._height))
        x, y = soft.width / 2, soft.height - self._gradient.height / 2
        place(soft, self._gradient, x + shift / REDUCTION, y + sunk / REDUCTION)
        for sheet, speed in zip(self._clouds, (0.20, 0.34), strict=True):
            place(soft, sheet, x + camera.direction * speed * soft.width * (share - 0.5), soft.height / 2)
        box = 0, 0, camera.width / REDUCTION, camera.horizon / REDUCTION
        frame.paste(soft.resize((camera.width, camera.horizon), Image.Resampling.BICUBIC, box=box))
        place(frame, self._disc, self.sun_x + shift, self._sun_y + sunk)
        place(frame, self._stars, camera.width / 2 + shift, camera.horizon * 0.5 + sunk * 0.3, ink=STARLIGHT)
