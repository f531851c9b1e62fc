"""Chooses and paints the planes of land of a landscape, the farthest first."""

import numpy as np

from core.studio import city, relief, trees
from core.studio.layer import Camera, Layer
from core.studio.palette import Brief, Palette


def layers(rng: np.random.Generator, brief: Brief, colours: Palette, camera: Camera) -> list[Layer]:
    """Planes of the brief's terrain, the farthest first."""
    floor = camera.horizon + 1 if brief.water else camera.height
    span = camera.height - camera.horizon
    if brief.terrain == "sea":
        return []
    if brief.terrain == "dunes":
        rows = ((0.0, 0.05), (0.35, 0.25), (0.7, 0.55), (1.0, 0.95))
        return [
            relief.dunes(rng, colours, camera, depth=depth, base=camera.horizon + span * low, floor=floor)
            for depth, low in rows
        ]
    if brief.terrain == "city":
        neon = brief.palette == "neon" or "neon" in brief.features
        return [
            city.row(rng, colours, camera, depth=depth, foot=camera.horizon + int(span * low), floor=floor, neon=neon)
            for depth, low in (
                ((0.0, 0.0), (0.5, 0.0), (1.0, 0.0)) if brief.water else ((0.0, 0.0), (0.5, 0.3), (1.0, 0.9))
            )
        ]
    if brief.terrain == "forest":
        return _forest(rng, brief, colours, camera, floor)
    return _ranges(rng, brief, colours, camera, floor)


def _ranges(rng: np.random.Generator, brief: Brief, colours: Palette, camera: Camera, floor: int) -> list[Layer]:
    snow = "snowy" in brief.features
    span = camera.height - camera.horizon
    low = 1.0 if brief.water else span * 0.12
    out = [
        relief.mountains(
            rng, colours, camera, depth=depth, base=camera.horizon + (low if brief.water else 0.6 * low * depth - 2),
            floor=min(camera.height, floor if brief.water else int(camera.horizon + span * 0.62)), snow=snow,
        )
        for depth in ((0.0, 0.45, 0.95) if brief.water else (0.0, 0.5))
    ]  # fmt: skip
    if not brief.water:
        for depth, down in ((0.45, 0.30), (0.72, 0.62), (1.0, 1.12)):
            out.append(
                trees.row(
                    rng, colours, camera, depth=depth, foot=camera.horizon + span * down, floor=floor, kind="conifer",
                    size=camera.height * (0.06 + 0.22 * depth), haze=0.55 * (1 - depth * 0.8),
                )
            )  # fmt: skip
    elif "storm" not in brief.features and brief.palette not in ("ember", "desert"):
        out.append(
            trees.row(
                rng, colours, camera, depth=0.8, foot=camera.horizon - camera.height * 0.004, floor=floor,
                kind="conifer", size=camera.height * 0.055, haze=0.12,
            )
        )  # fmt: skip
    return out


def _forest(rng: np.random.Generator, brief: Brief, colours: Palette, camera: Camera, floor: int) -> list[Layer]:
    kind = "broadleaf" if "jungle" in brief.features else "conifer"
    misty = 0.95 if "mist" in brief.features else 0.75
    span = camera.height - camera.horizon
    out = [
        relief.mountains(
            rng, colours, camera, depth=0.0, base=camera.horizon + 1,
            floor=min(floor, camera.horizon + span * 2 // 3 + 1),
            snow="snowy" in brief.features,
        )
    ]  # fmt: skip
    rows = ((0.12, 0.02, 0.10), (0.32, 0.12, 0.15), (0.55, 0.32, 0.24), (0.78, 0.66, 0.36), (1.0, 1.14, 0.66))
    for depth, low, size in rows[: 3 if brief.water else 5]:
        foot = camera.horizon - camera.height * 0.006 if brief.water else camera.horizon + span * low
        share = misty * (1.0 - 0.66 * depth**2) * (0.5 if brief.water else 1.0)
        tall = size * (0.62 if brief.water else 1.0) * min(camera.height, camera.width * 1.2)
        out.append(
            trees.row(rng, colours, camera, depth=depth, foot=foot, floor=floor, kind=kind, size=tall, haze=share)
        )
    return out
