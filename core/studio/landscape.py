"""Puts a landscape together: sky, land, water, figures and weather, seen by a slowly moving camera."""

import numpy as np
from PIL import Image

from core.studio import figures, sky, terrain, trees, water, weather
from core.studio.layer import Camera, Layer, Pixels
from core.studio.palette import PALETTES, Brief, Palette, mix


class Landscape:
    """A landscape scene; every frame is a pure function of time."""

    def __init__(self, brief: Brief, rng: np.random.Generator, width: int, height: int, seconds: float) -> None:
        colours = PALETTES[brief.palette]
        share = 0.58 if height <= width else 0.60
        horizon = int(height * (share if brief.water else share - 0.04))
        direction = 1.0 if rng.random() < 0.5 else -1.0
        camera = self._camera = Camera(width, height, horizon, direction, 0.35 / max(seconds, 5.0))
        self._sky = sky.Sky(rng, brief, colours, camera)
        self._layers = _with_mist(rng, brief, colours, camera, terrain.layers(rng, brief, colours, camera))
        low = mix(colours.sky[-1], colours.far, 0.5)
        self._ground = (round(low[0]), round(low[1]), round(low[2]), 255)
        self._water = water.Water(rng, brief, colours, camera, self._sky.sun_x) if brief.water else None
        wanted = brief.features
        self._boat = figures.Boat(rng, colours, camera) if "boat" in wanted else None
        self._birds = figures.Birds(rng, colours, camera) if "birds" in wanted else None
        self._rain = weather.Rain(rng, colours, camera) if "rain" in wanted else None
        self._palms = trees.palm_corner(rng, colours, camera) if "palms" in wanted and self._water else None
        self._motes = [weather.Motes(rng, kind, camera) for kind in ("snow", "fireflies", "embers") if kind in wanted]

    def frame(self, t_seconds: float) -> Pixels:
        """Picture at a time, shape (height, width, 3), RGB."""
        camera = self._camera
        frame = Image.new("RGBA", (camera.width, camera.height), self._ground)
        frame.paste(self._sky.paint(t_seconds), (0, 0))
        bottom = camera.horizon if self._water else camera.height
        limits = [bottom]
        for layer in reversed(self._layers):
            limits.append(min(limits[-1], layer.hides_from(camera, t_seconds)))
        for layer, limit in zip(self._layers, limits[-2::-1], strict=True):
            layer.paint(frame, camera, t_seconds, limit)
        if self._birds:
            self._birds.paint(frame, t_seconds)
        if self._water:
            size = (camera.width // 2, camera.horizon)
            above = frame.resize(size, Image.Resampling.BOX, box=(0, 0, camera.width, camera.horizon))
            if self._boat:
                self._boat.paint(above, t_seconds, mirror_source=True)
            self._water.paint(frame, above, t_seconds)
            if self._boat:
                self._boat.paint(frame, t_seconds, mirror_source=False)
        if self._palms:
            self._palms.paint(frame, camera, t_seconds, camera.height)
        if self._rain:
            self._rain.paint(frame, t_seconds)
        pixels = np.frombuffer(frame.convert("RGB").tobytes(), np.uint8).reshape(camera.height, camera.width, 3).copy()
        for motes in self._motes:
            motes.paint(pixels, t_seconds)
        return pixels


def _with_mist(
    rng: np.random.Generator, brief: Brief, colours: Palette, camera: Camera, land: list[Layer]
) -> list[Layer]:
    """The planes of land with banks of mist between them where the prompt or the terrain asks for it."""
    if "mist" not in brief.features and brief.terrain not in ("forest", "mountain"):
        return land
    out: list[Layer] = []
    foot = camera.height - camera.horizon
    for place, layer in enumerate(land):
        out.append(layer)
        if place == len(land) - 1 or place > 2 or ("mist" not in brief.features and place > 1):
            continue
        row = camera.horizon + (-0.03 * camera.height if brief.water else foot * (0.04 + 0.18 * place))
        tall = camera.height * (0.16 if "mist" not in brief.features else 0.22)
        out.append(weather.mist_bank(rng, colours, camera, row=row, tall=tall, near=min(0.75, layer.nearness + 0.08)))
    return out
