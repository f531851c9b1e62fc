"""Puts a landscape together: sky, mountains, water and a boat, seen by a travelling camera while the light changes."""

import numpy as np
from PIL import Image

from studio.boat import Boat
from studio.brief import Brief
from studio.palette import PALETTES
from studio.picture import Camera, Shot, opaque
from studio.relief import Mountains
from studio.sky import Sky
from studio.water import Water

LIGHTS = ("sunset", "dawn", "day", "night", "sunset")  # of a prompt that says nothing of the light
DARKENED = (0.20, 0.26, 0.12)  # how much of red, green and blue goes when the light does


class Landscape:
    """A landscape scene; every frame is a pure function of time."""

    def __init__(self, brief: Brief, rng: np.random.Generator, shot: Shot) -> None:
        light = brief.light or LIGHTS[int(rng.integers(len(LIGHTS)))]
        colours = PALETTES[light]
        horizon = int(shot.height * (0.58 if shot.height <= shot.width else 0.60))
        camera = self._camera = Camera(**vars(shot), horizon=horizon, direction=1.0 if rng.random() < 0.5 else -1.0)
        self._falling = light in {"sunset", "night"}
        self._sky = Sky(rng, colours, camera, falling=self._falling)
        depths = () if brief.sea else (0.0, 0.45, 0.95)
        self._land = [Mountains(rng, colours, camera, depth=depth) for depth in depths]
        self._water = Water(rng, colours, camera, sun_x=self._sky.sun_x, sea=brief.sea)
        self._boat = Boat(rng, colours, camera)

    def frame(self, t_seconds: float) -> Image.Image:
        """Picture at a time."""
        camera = self._camera
        frame = Image.new("CMYK", (camera.width, camera.height))
        self._sky.paint(frame, t_seconds)
        for mountains in self._land:
            mountains.paint(frame, t_seconds)
        above = frame.crop((0, 0, camera.width, camera.horizon))
        self._boat.paint(above, t_seconds, mirrored=True)
        self._water.paint(frame, above, t_seconds)
        self._boat.paint(frame, t_seconds, mirrored=False)
        # The day goes on: light grows towards the end of the clip, or fades into blue.
        dark = camera.share(t_seconds) if self._falling else 1.0 - camera.share(t_seconds)
        return opaque(frame).point([round(n * (1.0 - band * dark)) for band in DARKENED for n in range(256)])
