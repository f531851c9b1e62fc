"""Paints the sky of a landscape: gradient, sun or moon, clouds, stars and aurora."""

import numpy as np
from PIL import Image

from core.studio.layer import Camera, picture
from core.studio.noise import Field, fractal, sample, smoothstep
from core.studio.palette import Brief, Palette

REDUCTION = 4


class Sky:
    """Everything behind the land. Drawn at quarter size and enlarged: it is soft, apart from the stars."""

    def __init__(self, rng: np.random.Generator, brief: Brief, colours: Palette, camera: Camera) -> None:
        self._camera, self._colours = camera, colours
        self._width, self._height = max(8, camera.width // REDUCTION), max(8, -(-camera.horizon // REDUCTION))
        self.sun_x = camera.width * (0.5 - camera.direction * float(rng.uniform(0.02, 0.16)))
        self.sun_y = camera.horizon * (1.0 - colours.sun_elevation)
        self.sun_radius = colours.sun_radius * min(camera.width, camera.height * 0.9) * (0.75 if colours.moon else 1.0)
        self._base = self._gradient(rng)
        self._disc = self._sun_disc()
        self._disc_at = (int(self.sun_x - self._disc.width / 2), int(self.sun_y - self._disc.height / 2))
        self._star_sprites = [_glint(level * 4 / 255.0) for level in range(64)]
        self._clouds = [self._cloud_sheet(rng, brief, share) for share in (0.0, 1.0)]
        count = int(
            min(700, camera.width * camera.horizon / 1500) * max(colours.stars, 1.9 * ("stars" in brief.features))
        )
        self._stars = rng.random((count, 2)) * (camera.width, camera.horizon * 0.97)
        self._star_light = (0.30 + 0.70 * rng.random(count) ** 4) * (1.0 - 0.85 * self._stars[:, 1] / camera.horizon)
        self._star_pulse = rng.uniform(0.8, 3.2, count), rng.uniform(0, 6.28, count)
        self._aurora = "aurora" in brief.features
        self._curtains = rng.uniform(0, 100, (3, 8))
        self._ray_noise = fractal(rng, 6, 2048, (2, 220), 3, 0.55)

    def _gradient(self, rng: np.random.Generator) -> Field:
        height, width = self._height, self._width
        stops = np.array(self._colours.sky, np.float32)
        places = np.linspace(0, 1, len(stops)) ** 0.85
        rows = np.linspace(0, 1, height)
        column = np.stack([np.interp(rows, places, stops[:, band]) for band in range(3)], axis=1).astype(np.float32)
        sky = np.repeat(column[:, None, :], width, axis=1)
        y, x = np.mgrid[0:height, 0:width].astype(np.float32) * REDUCTION
        away = np.hypot(x - self.sun_x, (y - self.sun_y) * 1.25) / min(self._camera.height, self._camera.width * 1.3)
        strength = self._colours.glow_strength
        glow = strength * (0.55 * np.exp(-away * 3.6) + 0.50 * np.exp(-((away * 7.5) ** 2)))
        if self._colours.sun_radius == 0:
            glow *= 0.4
        # "Screen" blending: light is added but nothing clips to flat white.
        sky = 255.0 - (255.0 - sky) * (1.0 - glow[..., None] * np.array(self._colours.glow, np.float32) / 255.0)
        light: Field = sky.astype(np.float32)
        return light

    def _cloud_sheet(self, rng: np.random.Generator, brief: Brief, near: float) -> Image.Image:
        height, width = self._height, int(self._width * 1.9)
        storm = "storm" in brief.features
        cells = (5.0 + 3 * near, 5.0 * width / max(self._height * 2.2, 1.0))
        raw = fractal(rng, height * 2, width, cells, 6, 0.55)
        warp = fractal(rng, height, width, (3, 6), 3)
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        # Rows crowd towards the horizon as a flat cloud deck does in perspective.
        squash = (y / height) ** 1.7 * height * 1.9
        density = sample(raw, squash + (warp - 0.5) * height * 0.35, x + (warp - 0.5) * width * 0.06)
        cover = 0.34 if storm else 0.56 - 0.03 * near
        body = smoothstep(cover, cover + (0.45 if storm else 0.30), density)
        fade = smoothstep(1.02, 0.72, y / height) * smoothstep(-0.1, 0.25, y / height + (0.3 if storm else 0.0))
        step = max(1, height // 40)
        toward = np.roll(density, -step, axis=0) - density
        light = np.clip(0.45 + toward * 5.0 + 0.35 * (1 - body), 0, 1)
        lit, shade = np.array(self._colours.cloud_lit, np.float32), np.array(self._colours.cloud_shade, np.float32)
        strength = 0.92 if storm else (0.72 if self._colours.stars < 0.9 else 0.45)
        if self._aurora_planned(brief):
            strength *= 0.35
        return picture(shade + (lit - shade) * light[..., None], body * fade * strength)

    @staticmethod
    def _aurora_planned(brief: Brief) -> bool:
        return "aurora" in brief.features

    def _aurora_light(self, t: float) -> Field:
        """Curtains of light, shape (quarter height, quarter width, 3), to be added."""
        height, width = self._height, self._width
        x = np.linspace(0, 1, width, dtype=np.float32) * (self._camera.width / max(self._camera.height, 1)) ** 0.5
        y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
        light = np.zeros((height, width, 3), np.float32)
        green, teal, violet = (np.array(c, np.float32) for c in ((60, 255, 150), (50, 210, 220), (150, 70, 230)))
        for number, seeds in enumerate(self._curtains):
            sway = x + 0.05 * np.sin(5 * x + seeds[0] + 0.35 * t)
            foot = 0.62 - 0.13 * number + 0.13 * np.sin(4.2 * sway + seeds[1] + 0.16 * t)
            foot += 0.05 * np.sin(9.5 * sway + seeds[2] - 0.23 * t)
            along = (sway * (260 + 60 * number) + seeds[3] * 7 + t * 3.0).astype(np.float32)
            rays = sample(self._ray_noise, np.full_like(along, 2.0 + 0.3 * np.sin(0.5 * t)), along)
            fine = sample(self._ray_noise, np.full_like(along, 3.4), along * 3.1 - t * 5.0)
            fold = 0.5 + 0.5 * np.sin(3.1 * sway + seeds[4] + 0.21 * t)
            rays = (0.25 + 1.1 * rays**2 + 0.25 * fine) * (0.42 + 0.58 * fold)
            tall = 0.16 + 0.22 * rays
            above = (foot - y) / tall
            body = np.exp(-np.maximum(above, 0) * 1.5) * smoothstep(-0.10, 0.06, above.astype(np.float32)) * rays
            top = np.clip(above * 0.55, 0, 1)[..., None]
            tint = (green * (1 - top) + violet * top) if number != 1 else (teal * (1 - top) + violet * top)
            light += body[..., None] * tint * (1.45 - 0.3 * number)
        return light

    def paint(self, t: float) -> Image.Image:
        """RGBA picture of frame width and `horizon` rows."""
        camera = self._camera
        base = self._base
        if self._aurora:
            aurora = self._aurora_light(t)
            base = 255.0 - (255.0 - base) * (1.0 - np.minimum(aurora, 250.0) / 255.0)
        small = picture(base, np.ones(base.shape[:2], np.float32))
        small = Image.frombuffer("RGBA", small.size, small.tobytes(), "raw", "RGBA", 0, 1)
        for number, sheet in enumerate(self._clouds):
            room = sheet.width - self._width
            speed = self._width * (0.006 + 0.006 * number)
            gone = room * (1.0 - np.exp(-t * speed / max(room, 1)))
            left = gone if camera.direction < 0 else room - gone
            part = sheet.resize(small.size, Image.Resampling.BILINEAR, box=(left, 0, left + self._width, self._height))
            cut = Image.frombuffer("RGBA", part.size, part.tobytes(), "raw", "RGBA", 0, 1)
            small.paste(cut, (0, 0), cut)
        box = (0, 0, min(self._width, camera.width / REDUCTION), min(self._height, camera.horizon / REDUCTION))
        full = small.convert("RGB").resize((camera.width, camera.horizon), Image.Resampling.BICUBIC, box=box)
        frame = full.convert("RGBA")
        frame.paste(self._disc, self._disc_at, self._disc)
        self._add_stars(frame, t)
        return frame

    def _sun_disc(self) -> Image.Image:
        """Sun or moon with a soft edge and, for the moon, a few darker plains."""
        radius = self.sun_radius
        side = int(radius * 2 + 6)
        y, x = np.mgrid[0:side, 0:side].astype(np.float32) + 0.5 - side / 2
        distance = np.hypot(x, y)
        alpha = np.clip(radius - distance + 0.5, 0, 1)
        low = np.array(self._colours.glow if not self._colours.moon else self._colours.sun, np.float32)
        top = np.array(self._colours.sun, np.float32)
        share = np.clip((y / max(radius, 1.0) + 0.2) * 0.5, 0, 1)[..., None]
        colour = top + (low - top) * share
        if self._colours.moon:
            plains = fractal(np.random.default_rng(4), side, side, (2, 2), 3, 0.4)
            colour = colour * (1.0 - 0.20 * smoothstep(0.40, 0.80, plains))[..., None]
        elif self._colours.sun_elevation > 0.3:
            alpha = np.clip(np.exp(-((distance / max(radius * 0.8, 0.1)) ** 4)), 0, 1)
        packed = picture(colour, alpha)
        return Image.frombuffer("RGBA", packed.size, packed.tobytes(), "raw", "RGBA", 0, 1)

    def _add_stars(self, frame: Image.Image, t: float) -> None:
        speed, phase = self._star_pulse
        light = self._star_light * (0.72 + 0.28 * np.sin(speed * t + phase))
        for (x, y), shine in zip(self._stars, light * 255.0, strict=True):
            level = int(shine)
            glint = self._star_sprites[min(level // 4, 63)]
            frame.paste((236, 242, 255), (int(x), int(y)), glint)


def _glint(level: float) -> Image.Image:
    """Mask of one star; bright ones are larger."""
    y, x = np.mgrid[-3:4, -3:4].astype(np.float32)
    mask = np.exp(-(x * x + y * y) / (0.35 + 1.1 * level * level)) * level * 255.0
    return Image.fromarray(mask.astype(np.uint8))
