"""The sky: gradient, sun or moon, stars, clouds and northern lights."""

import numpy as np
from PIL import Image

from core.demo_studio import canvas, noise
from core.demo_studio.canvas import Bytes, Layer, Size
from core.demo_studio.noise import Floats
from core.demo_studio.palette import Palette, colour


class Sky:
    """Everything above the horizon that is not ground. `sun` is its place on the screen."""

    def __init__(self, size: Size, horizon: int, palette: Palette, rng: np.random.Generator, *, aurora: bool) -> None:
        self.size = size
        self.horizon = horizon
        self.palette = palette
        low = palette.sun_height if palette.sun_height is not None else 0.9
        self.sun = (size.width * rng.uniform(0.36, 0.64), horizon * (1 - low))
        light = _gradient(size, horizon, palette)
        light = _with_glow(light, self.sun, size, palette)
        self._stars = _Stars(size, horizon, palette, rng)
        self._stars.bake(light)
        if palette.sun_height is not None:
            _disc(light, self.sun, size, palette, rng)
        self._still = canvas.picture(np.clip(light, 0, 1), rng=rng)
        self._clouds = [_clouds(size, horizon, self.sun, palette, rng, number=n) for n in range(2)]
        self._aurora = _Aurora(size, horizon, rng) if aurora else None

    def draw(self, seconds: float) -> Image.Image:
        """The sky alone, as large as the picture."""
        found = self._still.copy()
        if self._aurora is not None or self._stars.count:
            pixels = np.array(found)
            self._stars.twinkle(pixels, seconds)
            if self._aurora is not None:
                canvas.screen(pixels, self._aurora.light(seconds))
            found = Image.frombytes("RGBa", found.size, pixels)
        for number, cloud in enumerate(self._clouds):
            drift = seconds * self.size.unit * (5.0, 11.0)[number]
            cloud.draw(found, centre=(self.size.width / 2, self.horizon), zoom=1, pan=drift)
        return found


def _gradient(size: Size, horizon: int, palette: Palette) -> Floats:
    stops = np.array([colour(text) for text in palette.sky])
    rows = np.arange(size.height, dtype=np.float32) / max(1, horizon)
    column = np.stack([np.interp(rows, np.linspace(0, 1, len(stops)), stops[:, n]) for n in range(3)], axis=1)
    reach = max(1, int(horizon * 0.07))
    padded = np.pad(column, ((reach, reach), (0, 0)), mode="edge")
    kernel = np.hanning(2 * reach + 3)[1:-1]
    smooth = np.stack([np.convolve(padded[:, n], kernel / kernel.sum(), "valid") for n in range(3)], axis=1)
    return np.repeat(smooth[:, None, :], size.width, axis=1).astype(np.float32)


def _with_glow(light: Floats, sun: tuple[float, float], size: Size, palette: Palette) -> Floats:
    y, x = np.mgrid[0 : size.height, 0 : size.width].astype(np.float32)
    reach = np.hypot((x - sun[0]) * 0.8, (y - sun[1])) / max(size.width, size.height)
    glow = np.exp(-reach * 5.5) * 0.6 + np.exp(-reach * reach * 60) * 0.35 + np.exp(-reach * 34) * 0.5
    share = np.clip(glow * palette.glow_strength, 0, 1)[..., None]
    found: Floats = light + (1 - light * 0.55) * colour(palette.glow) * share * 0.85
    return found


def _disc(light: Floats, sun: tuple[float, float], size: Size, palette: Palette, rng: np.random.Generator) -> None:
    radius = palette.sun_size * min(size.width, size.height)
    y0, y1 = max(0, int(sun[1] - radius - 3)), min(size.height, int(sun[1] + radius + 3))
    x0, x1 = max(0, int(sun[0] - radius - 3)), min(size.width, int(sun[0] + radius + 3))
    y, x = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    if not y.size or radius <= 0:
        return
    away = np.hypot(x - sun[0], y - sun[1])
    cover = np.clip(radius - away + 0.5, 0, 1)[..., None]
    face = np.broadcast_to(colour(palette.disc), (*away.shape, 3)).copy()
    if palette.moon:
        texture = noise.field(rng, y1 - y0, x1 - x0, largest=radius * 0.9, smallest=radius * 0.1, slope=1.6)
        face *= (1 - 0.16 * noise.smoothstep(0.1, 0.9, texture))[..., None]
        face *= (0.82 + 0.18 * np.sqrt(np.clip(1 - (away / radius) ** 2, 0, 1)))[..., None]
    light[y0:y1, x0:x1] = light[y0:y1, x0:x1] * (1 - cover) + face * cover


class _Stars:
    """Small ones are part of the still sky; the brighter ones twinkle."""

    def __init__(self, size: Size, horizon: int, palette: Palette, rng: np.random.Generator) -> None:
        area = size.width * horizon / size.unit**2
        self._unit = size.unit
        self._small = self._places(rng, int(area / 1500 * palette.stars), size, horizon)
        self._bright = self._places(rng, int(area / 9000 * palette.stars), size, horizon)
        self.count = len(self._bright[0])
        self._power = (rng.random(self.count).astype(np.float32) ** 2) * 0.7 + 0.3
        self._pace = rng.uniform(0.8, 2.6, self.count).astype(np.float32)
        self._phase = rng.uniform(0, 7, self.count).astype(np.float32)
        warm = rng.random(self.count).astype(np.float32)[:, None]
        self._tint = (1 - warm) * np.array([0.78, 0.88, 1.0], np.float32) + warm * np.array(
            [1.0, 0.93, 0.82], np.float32
        )
        self._power_small = (rng.random(len(self._small[0])).astype(np.float32) ** 3) * 0.6 + 0.12

    @staticmethod
    def _places(rng: np.random.Generator, count: int, size: Size, horizon: int) -> tuple[Floats, Floats, Floats]:
        x = rng.uniform(0, size.width, count).astype(np.float32)
        y = (horizon * rng.random(count) ** 1.35).astype(np.float32)
        return x, y, np.clip(1.15 - y / max(1, horizon), 0, 1).astype(np.float32)

    def bake(self, light: Floats) -> None:
        """Draw the small ones for good."""
        x, y, high = self._small
        pixels = np.zeros((*light.shape[:2], 4), dtype=np.uint8)
        radius = max(0.75, 0.85 * self._unit)
        canvas.splat(pixels, x, y, radius=radius, colour=(0.86, 0.92, 1.0), strength=self._power_small * high)
        light += pixels[..., :3].astype(np.float32) / 255 * (1 - np.clip(light, 0, 1))

    def twinkle(self, target: Bytes, seconds: float) -> None:
        """Draw the bright ones as they are now."""
        x, y, high = self._bright
        now = self._power * high * (0.78 + 0.22 * np.sin(seconds * self._pace + self._phase))
        radius = max(0.8, 1.15 * self._unit)
        canvas.splat(target, x, y, radius=radius, colour=self._tint, strength=now)
        large = now > 0.62
        glow = np.where(large, (now - 0.62) * 0.9, 0).astype(np.float32)
        canvas.splat(target, x, y, radius=4.2 * self._unit, colour=self._tint, strength=glow, falloff=3)


def _clouds(
    size: Size,
    horizon: int,
    sun: tuple[float, float],
    palette: Palette,
    rng: np.random.Generator,
    *,
    number: int,
) -> Layer:
    """One bank of clouds, lit from the sun; the second is lower, larger and drifts faster."""
    scale, cover = 0.5, palette.cloud_cover
    width = int(size.width * scale * 1.25 + 220 * size.unit * scale) + 2
    height = max(8, int(horizon * scale))
    unit = size.unit * scale
    shape = noise.field(
        rng, height, width, largest=(330, 420)[number] * unit, smallest=2.2 * unit, slope=2.05, stretch=(1.0, 3.0)
    )
    warp = noise.field(rng, height, width, largest=160 * unit, smallest=8 * unit, slope=2.2, stretch=(1, 1.6))
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    shape = noise.sample(shape, y + warp * 5 * unit, x + warp * 22 * unit)
    up = y / height
    band = np.exp(-(((up - (0.42, 0.74)[number]) / (0.4, 0.24)[number]) ** 2)) * noise.smoothstep(0, 0.1, up)
    threshold = 1.35 - cover * 1.9
    density = noise.smoothstep(threshold, threshold + 1.7, shape + (band - 1) * (1.6 - cover))
    toward = _toward_sun(shape, sun, size, scale, unit)
    lit = np.clip(0.5 + toward * 0.6 + (0.35 - density * 0.45), 0, 1)[..., None]
    tone = colour(palette.cloud_shade) * (1 - lit) + colour(palette.cloud_light) * lit
    alpha = density * (0.62 + 0.36 * cover) * np.clip((1 - up) * 9, 0, 1)
    image = canvas.picture(np.clip(tone, 0, 1), alpha.astype(np.float32), rng)
    image, base = canvas.trimmed(image, height)
    return Layer(image, base=base, base_y=horizon, near=1.0, scale=scale)


def _toward_sun(shape: Floats, sun: tuple[float, float], size: Size, scale: float, unit: float) -> Floats:
    """How much a cloud's edge faces the sun, about -1 to 1."""
    height, width = shape.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    away_x = sun[0] * scale + (width - size.width * scale) / 2 - x
    away_y = sun[1] * scale - y
    length = np.hypot(away_x, away_y) + 20 * unit
    step = max(1, int(5 * unit))
    slope_x = np.roll(shape, step, 1) - np.roll(shape, -step, 1)
    slope_y = np.roll(shape, step, 0) - np.roll(shape, -step, 0)
    facing = (slope_x * away_x + slope_y * away_y) / length
    found: Floats = np.tanh(facing * 1.2) * (0.45 + 0.55 * np.exp(-length / (width * 0.35)))
    return found


class _Aurora:
    """Curtains of light: each a wandering lower edge with rays standing on it."""

    SCALE = 4

    def __init__(self, size: Size, horizon: int, rng: np.random.Generator) -> None:
        self._size = (size.width, max(self.SCALE, horizon))
        self._width = max(4, size.width // self.SCALE)
        self._height = max(4, horizon // self.SCALE)
        self._rays = noise.field(rng, 64, 1024, largest=90, smallest=2.5, slope=1.1, stretch=(4, 1))
        self._curtains = [
            (rng.uniform(0, 7, 4), base, power, reach)
            for base, power, reach in ((0.72, 1.0, 0.42), (0.5, 0.75, 0.4), (0.36, 0.5, 0.32))
        ]

    def light(self, seconds: float) -> Bytes:
        """Light to add to the sky, (horizon, width, 4)."""
        x = np.linspace(0, 1, self._width, dtype=np.float32)
        y = np.linspace(0, 1, self._height, dtype=np.float32)[:, None]
        total = np.zeros((self._height, self._width, 3), dtype=np.float32)
        for number, (_phase, _base, power, _reach) in enumerate(self._curtains):
            total += self._curtain(x, y, seconds, number) * np.float32(power)
        pixels = np.zeros((self._height, self._width, 4), dtype=np.uint8)
        pixels[..., :3] = np.clip(255 * (1 - np.exp(-total * 1.15)), 0, 255)
        image = Image.frombuffer("RGBA", (self._width, self._height), pixels, "raw", "RGBA", 0, 1)
        image.putalpha(255)
        return np.asarray(image.resize(self._size, Image.Resampling.BICUBIC))

    def _curtain(self, x: Floats, y: Floats, seconds: float, number: int) -> Floats:
        phase, base, _power, reach = self._curtains[number]
        slow = seconds * 0.22
        wave = (
            0.11 * np.sin(x * 4.1 + phase[0] + slow)
            + 0.06 * np.sin(x * 8.7 + phase[1] - slow * 1.4)
            + 0.022 * np.sin(x * 19 + phase[2] + slow * 2.1)
        )
        edge = (base + wave).astype(np.float32)
        folds = np.cos(x * 8.7 + phase[1] - slow * 1.4) * 0.5 + 0.5
        place = np.broadcast_to(np.float32(number * 20 + seconds * 0.55), x.shape)
        fine = noise.sample(self._rays, place, (x * 480 + folds * 40 + phase[3] * 60 + seconds * 5).astype(np.float32))
        broad = noise.sample(self._rays, place * 0.6 + 9, (x * 90 + phase[2] * 60).astype(np.float32))
        rays = np.clip(0.55 + 0.3 * fine, 0.06, 1.6) * noise.smoothstep(-1.1, 1.2, broad)
        above = edge[None, :] - y
        height = np.float32(reach) * (0.7 + 0.3 * rays)[None, :]
        body = np.exp(-np.clip(above, 0, None) / height * 2.6) * noise.smoothstep(-0.035, 0.03, above)
        light = body * rays[None, :]
        up = np.clip(above / height, 0, 1)[..., None]
        green, teal, violet = (
            np.array(c, np.float32) for c in ([0.22, 1.0, 0.56], [0.10, 0.62, 0.66], [0.42, 0.24, 0.82])
        )
        tone = (
            green * np.clip(1 - up * 2.2, 0, 1)
            + teal * (1 - np.abs(up * 2.2 - 1)).clip(0, 1)
            + violet * np.clip(up * 1.6 - 0.5, 0, 1)
        )
        found: Floats = light[..., None] * tone
        return found
