"""Puts a landscape together: sky, land, water, figures and weather, seen by a slowly moving camera."""

import numpy as np
from PIL import Image

from core.studio import sky, terrain, water
from core.studio.layer import Camera, Pixels
from core.studio.palette import PALETTES, Brief


class Landscape:
    """A landscape scene; every frame is a pure function of time."""

    def __init__(self, brief: Brief, rng: np.random.Generator, width: int, height: int, seconds: float) -> None:
        colours = PALETTES[brief.palette]
        share = 0.58 if height <= width else 0.60
        horizon = int(height * (share if brief.water else share - 0.04))
        direction = 1.0 if rng.random() < 0.5 else -1.0
        self._camera = Camera(width, height, horizon, direction, 0.07)
        self._sky = sky.Sky(rng, brief, colours, self._camera)
        self._layers = terrain.layers(rng, brief, colours, self._camera)
        self._water = water.Water(rng, brief, colours, self._camera, self._sky.sun_x) if brief.water else None

    def frame(self, t_seconds: float) -> Pixels:
        camera = self._camera
        frame = Image.new("RGBA", (camera.width, camera.height))
        frame.paste(self._sky.paint(t_seconds), (0, 0))
        bottom = camera.horizon if self._water else camera.height
        for layer in self._layers:
            layer.paint(frame, camera, t_seconds, bottom)
        if self._water:
            above = frame.resize((camera.width // 2, camera.horizon), Image.Resampling.BOX, box=(0, 0, camera.width, bottom))
            self._water.paint(frame, above, t_seconds)
        return np.ascontiguousarray(np.asarray(frame)[..., :3])
