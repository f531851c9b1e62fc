"""Chooses and paints the planes of land of a landscape, the farthest first."""

import numpy as np

from core.studio import relief
from core.studio.layer import Camera, Layer
from core.studio.palette import Brief, Palette


def layers(rng: np.random.Generator, brief: Brief, colours: Palette, camera: Camera) -> list[Layer]:
    """Planes of the brief's terrain, the farthest first."""
    span = camera.height - camera.horizon
    floor = camera.horizon + 1 if brief.water else camera.height
    if brief.terrain == "sea":
        return []
    if brief.terrain == "dunes":
        depths = (0.0, 0.35, 0.7, 1.0)
        return [
            relief.dunes(rng, colours, camera, depth=d, base=camera.horizon + span * (0.06 + 0.72 * d), floor=floor)
            for d in depths
        ]
    snow = "snowy" in brief.features
    depths = (0.0, 0.45, 1.0) if brief.water else (0.0, 0.35, 0.7, 1.0)
    return [
        relief.mountains(
            rng, colours, camera, depth=d, floor=floor, snow=snow,
            base=camera.horizon + (1 if brief.water else span * (0.08 + 0.95 * d)),
        )
        for d in depths
    ]  # fmt: skip
