"""Water that mirrors what stands above the horizon, with waves in perspective and the sun glittering on them."""

import numpy as np
from PIL import Image

from core.demo_studio import noise
from core.demo_studio.canvas import Bytes, Size
from core.demo_studio.noise import Floats
from core.demo_studio.palette import Palette, colour

TEXTURE = 1024


class Water:
    """Fills the picture below the horizon. `rough` 0..1; columns are drawn at half size, waves being long."""

    def __init__(
        self,
        size: Size,
        horizon: int,
        palette: Palette,
        rng: np.random.Generator,
        *,
        sun_x: float | None,
        rough: float,
        glitter: float = 1.0,
    ) -> None:
        self._size = size
        self._horizon = horizon
        self._rows = size.height - horizon
        self._columns = max(2, size.width // 2)
        self._rough = rough
        self._waves = noise.field(rng, TEXTURE, TEXTURE, largest=170, smallest=5, slope=1.9, stretch=(1, 2.2))
        self._small = noise.field(rng, TEXTURE, TEXTURE, largest=40, smallest=3, slope=1.5, stretch=(1, 2.6))
        down = (np.arange(self._rows, dtype=np.float32) + 0.5) / max(1, self._rows)
        self._down = down[:, None]
        self._away = 1.0 / (down + 0.045)[:, None]
        across = (np.arange(self._columns, dtype=np.float32) + 0.5) / self._columns - 0.5
        self._u = across[None, :] * self._away * (size.width / size.height) * 250
        self._v = self._away * 330
        self._fade = np.minimum(1, down * 26)[:, None] * (0.2 + 0.8 * down[:, None])
        self._tint = self._tinted(palette)
        self._glitter = None if sun_x is None else self._path(sun_x, palette, glitter)

    def _tinted(self, palette: Palette) -> tuple[Floats, Floats]:
        """How much of the mirror is kept in each row, and what is added to it."""
        keep = 0.9 - 0.42 * self._down**0.8
        return keep[..., None].astype(np.float32), (colour(palette.deep) * 255 * (1 - keep)[..., None]).astype(
            np.float32
        )

    def _path(self, sun_x: float, palette: Palette, glitter: float) -> tuple[Floats, Floats]:
        """Where the sun can glitter, (rows, columns), and its colour."""
        x = (np.arange(self._columns, dtype=np.float32) + 0.5) / self._columns * self._size.width
        width = self._size.width * (0.028 + 0.115 * self._down)
        lane = np.exp(-(((x[None, :] - sun_x) / width) ** 2)) * np.minimum(1, self._down * 40)
        tone = colour(palette.disc) * 0.6 + colour(palette.glow) * 0.4
        return (lane * glitter * (1 - 0.3 * self._down)).astype(np.float32), tone * 255

    def draw(self, above: Image.Image, seconds: float) -> Bytes:
        """The water under this picture (RGBa, the whole frame), (rows, width, 4)."""
        wave, small = self._surface(seconds)
        mirror = np.asarray(above.crop((0, 0, self._size.width, self._horizon)).reduce((2, 1)))
        mirror = mirror[:, : self._columns]
        unit = self._size.unit
        lift = wave * (26 + 40 * self._rough) + small * (9 + 22 * self._rough)
        row = self._horizon - 1 - (self._down * self._rows * (self._horizon / max(self._rows, self._horizon)))
        row = np.clip(row - np.abs(lift) * self._fade * unit, 0, self._horizon - 1)
        column = np.arange(self._columns, dtype=np.float32)[None, :] + small * self._fade * unit * (5 + 6 * self._rough)
        column = np.clip(column, 0, self._columns - 1)
        index = row.astype(np.int32) * self._columns + column.astype(np.int32)
        seen = np.ascontiguousarray(mirror).view(np.uint32).reshape(-1).take(index).view(np.uint8)
        light = seen.reshape(self._rows, self._columns, 4)[..., :3].astype(np.float32)
        keep, deep = self._tint
        slope = (wave * 0.6 + small * 0.4) * self._fade
        light *= keep
        light += deep
        light *= (1 + np.clip(slope * (0.08 + 0.3 * self._rough**2), -0.55, 0.5))[..., None]
        if self._rough > 0.8:
            foam = noise.smoothstep(1.1, 2.4, small + wave * 0.35) * noise.smoothstep(0.2, 1.2, wave)
            light += (225 - light) * (foam * 0.8)[..., None]
        if self._glitter is not None:
            self._sparkle(light, wave, small)
        pixels = np.full((self._rows, self._columns, 4), 255, dtype=np.uint8)
        np.clip(light, 0, 255, out=light)
        pixels[..., :3] = light
        image = Image.frombuffer("RGBa", (self._columns, self._rows), pixels, "raw", "RGBa", 0, 1)
        return np.asarray(image.resize((self._size.width, self._rows), Image.Resampling.BILINEAR))

    def _surface(self, seconds: float) -> tuple[Floats, Floats]:
        """Height of the long and of the short waves at this moment."""
        speed = 1 + self._rough
        swell = 1 - 0.5 * max(0.0, self._rough - 0.5) * 2
        wave = self._at(self._waves, self._v * swell + seconds * 17 * speed, self._u * swell + seconds * 6)
        small = self._at(self._small, self._v * 1.7 - seconds * 20 * speed, self._u * 1.7 + seconds * 13)
        other = self._at(self._small, self._v * 1.3 + seconds * 26 * speed, self._u * 1.35 - seconds * 9)
        return wave, (small + other) * 0.7

    @staticmethod
    def _at(texture: Floats, v: Floats, u: Floats) -> Floats:
        row = v.astype(np.int32) & (TEXTURE - 1)
        column = u.astype(np.int32) & (TEXTURE - 1)
        return texture.reshape(-1).take(row * TEXTURE + column)

    def _sparkle(self, light: Floats, wave: Floats, small: Floats) -> None:
        if self._glitter is None:
            return
        lane, tone = self._glitter
        facing = small * 0.75 + wave * 0.45
        glint = noise.smoothstep(0.75, 1.5, facing + lane * 0.75) * lane
        soft = lane * 0.16
        light += (255 - light) * np.minimum(glint + soft, 1)[..., None] * (tone / 255)
