"""A landscape under a sky: chooses the layers for a look and moves the camera through them."""

import numpy as np
from PIL import Image

from core.demo_studio import terrain
from core.demo_studio.canvas import Bytes, Layer, Size
from core.demo_studio.palette import PALETTES
from core.demo_studio.reading import Look
from core.demo_studio.sky import Sky
from core.demo_studio.terrain import Light, Stand
from core.demo_studio.water import Water


class Landscape:
    """Sky, ground layers from far to near, water, weather."""

    def __init__(self, size: Size, look: Look, seconds: float) -> None:
        self._size = size
        self._seconds = seconds
        rng = np.random.default_rng([look.seed, 2])
        palette = PALETTES[look.palette]
        upright = size.height > size.width
        share = 0.585 if look.water else 0.62
        self._horizon = round(size.height * (share + (0.02 if upright else 0)))
        self._sky = Sky(size, self._horizon, palette, rng, aurora=look.aurora)
        light = Light(self._sky.sun[0], palette)
        self._layers = _layers(size, self._horizon, look, light, rng)
        self._water = None
        if look.water:
            seen = palette.sun_height is not None
            self._water = Water(
                size, self._horizon, palette, rng, sun_x=self._sky.sun[0] if seen else None, rough=0.9 if look.storm else 0.25
            )
        self._way = rng.choice([-1.0, 1.0])

    def frame(self, seconds: float) -> Bytes:
        """The picture at this moment."""
        share = seconds / max(self._seconds, 1.0)
        travel = 0.45 + 0.55 * min(1.0, self._seconds / 12)
        zoom = 1 + 0.12 * travel * share
        pan = self._way * 70 * self._size.unit * travel * (share - 0.5)
        picture = self._sky.draw(seconds)
        centre = (self._size.width / 2, float(self._horizon))
        for layer in self._layers:
            layer.draw(picture, centre=centre, zoom=zoom, pan=pan)
        pixels = np.array(picture)
        if self._water is not None:
            pixels[self._horizon :] = self._water.draw(picture, seconds)
        return pixels


def _layers(size: Size, horizon: int, look: Look, light: Light, rng: np.random.Generator) -> list[Layer]:
    unit = size.unit
    valley_x = light.sun_x / size.width
    snow = 0.75 if look.snowy else 0.3
    found = []
    for far, near, peak, valley in ((0.72, 0.12, 215, 0.45), (0.48, 0.3, 190, 0.6), (0.2, 0.6, 150, 0.88)):
        stand = Stand(horizon, peak * unit, 14 * unit, near, far, valley=valley, valley_x=valley_x)
        found.append(terrain.mountains(size, stand, light, rng, snow=snow).layer)
    return found


def blank(size: Size) -> Image.Image:
    """An empty picture."""
    return Image.new("RGBa", (size.width, size.height))
