"""Paints the sky of a landscape: gradient, sun or moon, clouds, stars and aurora."""

import numpy as np
from PIL import Image

from studio import stars
from studio.layer import Camera
from studio.noise import Field, fractal, sample, smoothstep
from studio.palette import Palette
from studio.picture import place, sprite, stamp

REDUCTION = 4
SINKS = 0.16  # how far the sun goes down, or up, during the clip, as a share of the sky's height
OVERSCAN = 1.06
CLOUD_WIDTH = 1.9  # of a sheet, in frame widths
GREEN, TEAL, VIOLET = np.array(((60, 255, 150), (50, 210, 220), (150, 70, 230)), np.float32)


class Sky:
    """Everything behind the land. Drawn at quarter size and enlarged: it is soft, apart from sun and stars."""

    def __init__(
        self, rng: np.random.Generator, colours: Palette, camera: Camera, *, aurora: bool, falling: bool
    ) -> None:
        self._camera, self._colours, self._aurora, self._falling = camera, colours, aurora, falling
        self._width, self._height = max(8, camera.width // REDUCTION), max(8, -(-camera.horizon // REDUCTION))
        self.sun_x = camera.width * (0.5 - camera.direction * float(rng.uniform(0.02, 0.16)))
        self._sun_y = camera.horizon * (1.0 - colours.sun_elevation - SINKS / 2)
        self._gradient = self._glowing()
        self._disc = self._sun_disc(colours.sun_radius * min(camera.width, camera.height * 0.9))
        self._clouds = [self._cloud_sheet(rng, share) for share in (0.0, 1.0)]
        size = int(camera.width + (OVERSCAN - 1) * camera.reach), int(camera.horizon * OVERSCAN)
        count = int(min(700, size[0] * size[1] / 1500) * colours.stars)
        unit = max(0.6, min(camera.width, camera.height) / 720.0)
        sheet = np.asarray(stars.sheet(rng, size, count=count, near=False, unit=unit), np.float32)
        fade = 1.4 * (1.0 - 0.85 * np.linspace(0, 1, size[1]))[:, None]
        self._stars = Image.fromarray(np.clip(sheet * fade, 0, 255).astype(np.uint8))
        self._curtains = rng.uniform(0, 100, (3, 5))
        self._ray_noise = fractal(rng, 6, 2048, (2, 220), 3, 0.55) if aurora else np.zeros((6, 2048), np.float32)

    def _glowing(self) -> Image.Image:
        """Picture of the sky with the glow about the sun, wider and taller than what is seen of it."""
        camera, colours = self._camera, self._colours
        height, width = (
            int(self._height * (1.0 + SINKS)),
            int(self._width + (OVERSCAN - 1) * camera.reach / REDUCTION) + 2,
        )
        stops, rows = np.array(colours.sky, np.float32), np.linspace(0, 1, height)
        places = np.linspace(0, 1, len(stops)) ** 0.85
        column = np.stack([np.interp(rows, places, stops[:, band]) for band in range(3)], axis=1)
        y, x = np.mgrid[0:height, 0:width].astype(np.float32) * REDUCTION
        x, y = x - (width - self._width) * REDUCTION / 2 - self.sun_x, y - camera.horizon * SINKS - self._sun_y
        away = np.hypot(x, y * 1.25) / min(camera.height, camera.width * 1.3)
        glow = colours.glow_strength * (0.55 * np.exp(-away * 3.6) + 0.50 * np.exp(-((away * 7.5) ** 2)))
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
        lit, shade = np.array((self._colours.cloud_lit, self._colours.cloud_shade), np.float32)
        strength = (0.72 if self._colours.stars < 0.9 else 0.45) * (0.35 if self._aurora else 1.0)
        return sprite(shade + (lit - shade) * light, body * fade * strength)

    def _sun_disc(self, radius: float) -> Image.Image:
        """Sun, redder below, or moon with a few darker plains; a high sun has no edge."""
        side = int(radius * 2 + 6)
        y, x = np.mgrid[0:side, 0:side].astype(np.float32) + 0.5 - side / 2
        distance = np.hypot(x, y)
        alpha = np.clip(radius - distance + 0.5, 0, 1)
        top, low = np.array((self._colours.sun, self._colours.glow), np.float32)
        if self._colours.moon:
            plains = fractal(np.random.default_rng(4), side, side, (2, 2), 3, 0.4)
            return sprite(top * (1.0 - 0.20 * smoothstep(0.40, 0.80, plains))[..., None], alpha)
        if self._colours.sun_elevation > 0.3:
            alpha = np.exp(-((distance / max(radius * 0.8, 0.1)) ** 4))
        return sprite(top + (low - top) * np.clip((y / max(radius, 1.0) + 0.2) * 0.5, 0, 1)[..., None], alpha)

    def _aurora_light(self, t: float) -> Field:
        """Curtains of light, shape (quarter height, quarter width, 3), to be added."""
        x = np.linspace(0, 1, self._width, dtype=np.float32) * (self._camera.width / max(self._camera.height, 1)) ** 0.5
        y = np.linspace(0, 1, self._height, dtype=np.float32)[:, None]
        light = np.zeros((self._height, self._width, 3), np.float32)
        for number, seeds in enumerate(self._curtains):
            sway = x + 0.05 * np.sin(5 * x + seeds[0] + 0.35 * t)
            foot = 0.62 - 0.13 * number + 0.13 * np.sin(4.2 * sway + seeds[1] + 0.16 * t)
            foot += 0.05 * np.sin(9.5 * sway + seeds[2] - 0.23 * t)
            along = (sway * (260 + 60 * number) + seeds[3] * 7 + t * 3.0).astype(np.float32)
            rays = sample(self._ray_noise, np.full_like(along, 2.0 + 0.3 * np.sin(0.5 * t)), along)
            fine = sample(self._ray_noise, np.full_like(along, 3.4), along * 3.1 - t * 5.0)
            fold = 0.5 + 0.5 * np.sin(3.1 * sway + seeds[4] + 0.21 * t)
            rays = (0.25 + 1.1 * rays**2 + 0.25 * fine) * (0.42 + 0.58 * fold)
            above = ((foot - y) / (0.16 + 0.22 * rays)).astype(np.float32)
            body = np.exp(-np.maximum(above, 0) * 1.5) * smoothstep(-0.10, 0.06, above) * rays * (1.45 - 0.3 * number)
            foot_colour, top = TEAL if number == 1 else GREEN, np.clip(above * 0.55, 0, 1)[..., None]
            light += body[..., None] * (foot_colour + (VIOLET - foot_colour) * top)
        return light

    def paint(self, t: float) -> Image.Image:
        """Picture of frame width and `horizon` rows."""
        camera, size = self._camera, (self._width, self._height)
        share = camera.share(t)
        shift, sunk = camera.shift(t, 0.0), camera.horizon * SINKS * (share if self._falling else 1.0 - share)
        left = max(0.0, (self._gradient.width - self._width) / 2 - shift / REDUCTION)
        top = max(0.0, self._gradient.height - self._height - sunk / REDUCTION)
        box = (left, top, min(left + self._width, self._gradient.width), top + self._height)
        seen = self._gradient.resize(size, Image.Resampling.BILINEAR, box=box)
        if self._aurora:
            kept = 1.0 - np.minimum(self._aurora_light(t * 2.0), 250.0) / 255.0
            lit = 255.0 - (255.0 - np.asarray(seen)[..., :3]) * kept
            seen = sprite(lit, np.ones(lit.shape[:2], np.float32))
        for number, sheet in enumerate(self._clouds):
            room = sheet.width - self._width
            gone = room * (0.22 + 0.16 * number) * (share + 0.5)
            left = gone if camera.direction < 0 else room - gone
            part = sheet.resize(size, Image.Resampling.BILINEAR, box=(left, 0, left + self._width, self._height))
            stamp(seen, part, (0, 0))
        box = (0, 0, min(self._width, camera.width / REDUCTION), min(self._height, camera.horizon / REDUCTION))
        full = seen.resize((camera.width, camera.horizon), Image.Resampling.BICUBIC, box=box)
        place(full, self._disc, self.sun_x + shift, self._sun_y + sunk)
        place(full, self._stars, camera.width / 2 + shift, camera.horizon * 0.5 + sunk * 0.3, ink=stars.STARLIGHT)
        return full
