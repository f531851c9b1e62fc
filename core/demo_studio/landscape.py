"""A landscape under a sky: the camera moves through layers of ground, water mirrors, weather passes."""

import numpy as np
from PIL import Image

from core.demo_studio import figures, ground, weather
from core.demo_studio.canvas import Bytes, Size
from core.demo_studio.figures import Birds, Boat
from core.demo_studio.palette import PALETTES
from core.demo_studio.reading import Look
from core.demo_studio.sky import Sky
from core.demo_studio.terrain import Light
from core.demo_studio.water import Water

MIST_SPEED = 9.0


class Landscape:
    """Sky, ground layers from far to near, water, figures, weather."""

    def __init__(self, size: Size, look: Look, seconds: float) -> None:
        self._size = size
        self._seconds = seconds
        rng = np.random.default_rng([look.seed, 2])
        palette = PALETTES[look.palette]
        upright = size.height > size.width
        self._horizon = round(size.height * ((0.585 if look.water else 0.6) + (0.02 if upright else 0)))
        self._sky = Sky(size, self._horizon, palette, rng, aurora=look.aurora)
        sun_x = self._sky.sun[0]
        self._layers = ground.layers(size, self._horizon, look, Light(sun_x, palette), rng)
        self._mist = ground.mists(size, self._horizon, look, palette, rng)
        self._water = None
        if look.water:
            rough = 1.0 if look.storm else 0.5 if look.terrain == "sea" else 0.25
            seen = sun_x if palette.sun_height is not None else None
            self._water = Water(size, self._horizon, palette, rng, sun_x=seen, rough=rough)
        self._boat = Boat(size, self._horizon, palette, rng, sun_x) if look.boat and look.water else None
        self._birds = Birds(size, self._horizon, palette, rng) if look.birds else None
        self._weather = weather.over(look.weather, size, rng, self._horizon) if look.weather else None
        self._way = float(rng.choice([-1.0, 1.0]))

    def frame(self, seconds: float) -> Bytes:
        """The picture at this moment."""
        unit = self._size.unit
        share = seconds / max(self._seconds, 1.0)
        travel = 0.45 + 0.55 * min(1.0, self._seconds / 12)
        zoom = 1.02 + 0.12 * travel * share
        pan = self._way * 70 * unit * travel * (share - 0.5)
        picture = self._sky.draw(seconds)
        centre = (self._size.width / 2, float(self._horizon))
        for number, layer in enumerate(self._layers):
            layer.draw(picture, centre=centre, zoom=zoom, pan=pan)
            if (bank := self._mist.get(number)) is not None:
                drift = pan + (seconds - self._seconds / 2) * MIST_SPEED * unit * (1 if number % 2 else -1) / bank.near
                bank.draw(picture, centre=centre, zoom=zoom, pan=drift)
        pixels = np.array(picture)
        if self._birds is not None:
            self._birds.draw(pixels, seconds)
        if self._water is not None:
            self._flood(pixels, picture, seconds)
        if self._weather is not None:
            self._weather(pixels, seconds)
        return pixels

    def _flood(self, pixels: Bytes, above: Image.Image, seconds: float) -> None:
        """Put the water in, and the boat upon it and into its mirror."""
        if self._water is None:
            return
        if self._boat is None:
            pixels[self._horizon :] = self._water.draw(above, seconds)
            return
        sprite, x, y = self._boat.at(seconds)
        mirrored = np.array(above)
        figures.blend(mirrored, sprite, x, y - 2 * (self._boat.waterline - self._horizon))
        mirror = Image.frombuffer("RGBa", above.size, mirrored, "raw", "RGBa", 0, 1)
        pixels[self._horizon :] = self._water.draw(mirror, seconds)
        figures.blend(pixels, sprite, x, y)
