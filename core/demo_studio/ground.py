"""Which layers of ground a landscape is made of, from far to near."""

from collections.abc import Mapping

import numpy as np

from core.demo_studio import city, plants, terrain, weather
from core.demo_studio.canvas import Layer, Size
from core.demo_studio.palette import Palette, colour
from core.demo_studio.reading import Look
from core.demo_studio.terrain import Light, Stand

GRASS = colour("#6f8a45")
SNOWFIELD = colour("#eef3fb")
SOIL = colour("#5a5145")

NIGHTS = frozenset({"night", "neon", "polar"})
TWILIGHTS = frozenset({"sunset", "ember", "storm", "mist", "dawn"})


def layers(size: Size, horizon: int, look: Look, light: Light, rng: np.random.Generator) -> list[Layer]:
    """All layers of a look."""
    makers = {"mountain": _mountains, "forest": _forest, "dunes": _dunes, "sea": _sea, "city": _city}
    return makers[look.terrain](size, horizon, look, light, rng)


def mists(size: Size, horizon: int, look: Look, palette: Palette, rng: np.random.Generator) -> Mapping[int, Layer]:
    """Banks of mist, by the number of the layer they lie before."""
    if look.mist:
        dense, places = 0.85, range(3)
    elif look.terrain in ("forest", "mountain") and look.palette in ("dawn", "winter", "night", "sunset"):
        dense, places = 0.4, range(1, 2)
    else:
        return {}
    found = {}
    for number in places:
        row = horizon + (0 if look.water else number * 26 * size.unit)
        found[number] = weather.mist(size, row, palette, rng, near=0.25 + 0.2 * number, dense=dense)
    return found


def _air(look: Look) -> float:
    """How thick the air is."""
    return 1.25 if look.mist or look.storm else 1.0


def _mountains(size: Size, horizon: int, look: Look, light: Light, rng: np.random.Generator) -> list[Layer]:
    unit, valley_x = size.unit, light.sun_x / size.width
    snow = 0.78 if look.snowy else 0.3 if look.palette not in ("ember", "desert") else 0.0
    high = 1.25 if size.height > size.width else 1.0
    found = []
    for far, near, peak, valley in ((0.66, 0.12, 235, 0.35), (0.4, 0.3, 190, 0.6), (0.16, 0.55, 150, 0.9)):
        stand = Stand(
            horizon,
            peak * unit * high,
            12 * unit,
            near,
            min(0.92, far * _air(look)),
            valley=valley,
            valley_x=valley_x,
            skirt=0 if look.water else 60 * unit,
        )
        found.append(terrain.mountains(size, stand, light, rng, snow=snow).layer)
    if look.water:
        found.append(_wooded(size, horizon, look, light, rng, near=0.8, peak=62, tall=44, far=0.05, valley=1.0))
    else:
        found += _foreground(size, horizon, look, light, rng)
    return found


def _wooded(
    size: Size,
    base_y: float,
    look: Look,
    light: Light,
    rng: np.random.Generator,
    *,
    near: float,
    peak: float,
    tall: float,
    far: float,
    valley: float = 0.0,
    tilt: float = 6,
    density: float = 0.8,
    skirt: float = 0.0,
    clearing: float = 0.0,
) -> Layer:
    """Hills with trees on them; sizes as on 720 lines."""
    unit = size.unit
    stand = Stand(
        base_y,
        peak * unit,
        tilt * unit,
        near,
        min(0.93, far * _air(look)),
        valley=valley,
        valley_x=light.sun_x / size.width,
        skirt=skirt * unit,
    )
    meadow = GRASS * 0.62 if look.palette in ("mist", "storm") or look.terrain == "forest" else GRASS * 0.8
    albedo = SNOWFIELD if look.snowy else meadow if look.palette != "ember" else SOIL
    relief = terrain.hills(size, stand, light, rng, albedo=albedo)
    broad = 0.0 if look.snowy or look.aurora else 0.75 if look.palette in ("day", "dawn") else 0.2
    return plants.plant(
        relief,
        size,
        stand,
        light,
        rng,
        tall=tall * unit,
        density=density,
        round_share=broad if tall < 100 else 0.0,
        clearing=clearing,
        snow=0.8 if look.snowy else 0.0,
    )


def _foreground(size: Size, horizon: int, look: Look, light: Light, rng: np.random.Generator) -> list[Layer]:
    """Meadows or snowfields from the horizon down to our feet."""
    below = (size.height - horizon) / size.unit
    middle = horizon + 0.42 * below * size.unit
    return [
        _wooded(
            size,
            middle,
            look,
            light,
            rng,
            near=0.72,
            peak=70,
            tall=58,
            far=0.16,
            tilt=below * 0.3,
            density=0.5,
            skirt=150,
        ),
        _wooded(
            size,
            size.height,
            look,
            light,
            rng,
            near=1.0,
            peak=96,
            tall=190,
            far=0.02,
            tilt=below * 0.5,
            density=0.3,
            skirt=60,
            clearing=1,
        ),
    ]


def _forest(size: Size, horizon: int, look: Look, light: Light, rng: np.random.Generator) -> list[Layer]:
    unit = size.unit
    below = (size.height - horizon) / unit
    stand = Stand(
        horizon,
        170 * unit,
        12 * unit,
        0.12,
        min(0.9, 0.74 * _air(look)),
        valley=0.3,
        valley_x=light.sun_x / size.width,
        skirt=0 if look.water else 60 * unit,
    )
    found = [terrain.mountains(size, stand, light, rng, snow=0.7 if look.snowy else 0.0).layer]
    rows = (
        (0.0, 0.26, 120, 46, 0.56, 0.35),
        (0.1, 0.45, 110, 78, 0.36, 0.55),
        (0.34, 0.7, 90, 132, 0.17, 0.8),
        (1.0, 1.0, 90, 330, 0.03, 1.0),
    )
    for number, (down, near, peak, tall, far, valley) in enumerate(rows):
        if look.water and number == len(rows) - 1:
            break
        base = horizon if look.water else horizon + down * below * unit
        last = number == len(rows) - 1
        found.append(
            _wooded(
                size,
                base,
                look,
                light,
                rng,
                near=near,
                peak=peak * (0.6 if look.water else 1),
                tall=tall * (0.8 if look.water else 1),
                far=far,
                valley=valley,
                tilt=below * 0.55 if last else 10 + down * below * 0.5,
                density=0.55 if last else 1.0,
                clearing=1.0 if last else 0.5 if number == 2 else 0.0,
                skirt=0 if look.water else 90,
            )
        )
    return found


def _dunes(size: Size, horizon: int, look: Look, light: Light, rng: np.random.Generator) -> list[Layer]:
    unit, below = size.unit, size.height - horizon
    found = []
    for down, far, near, peak, tilt in (
        (0.0, 0.66, 0.12, 84, 8),
        (0.1, 0.42, 0.3, 96, 22),
        (0.4, 0.2, 0.6, 120, 60),
        (1.0, 0.03, 1.0, 135, 150),
    ):
        stand = Stand(
            horizon + down * below, peak * unit, tilt * unit, near, min(0.9, far * _air(look)), skirt=70 * unit
        )
        found.append(terrain.dunes(size, stand, light, rng).layer)
    return found


def _sea(size: Size, horizon: int, look: Look, light: Light, rng: np.random.Generator) -> list[Layer]:
    unit = size.unit
    air = _air(look)
    stand = Stand(
        horizon, 58 * unit, 4 * unit, 0.1, min(0.9, 0.7 * air), valley=0.75, valley_x=light.sun_x / size.width
    )
    found = [terrain.mountains(size, stand, light, rng, snow=0.0).layer]
    side = 0.95 if light.sun_x < size.width / 2 else 0.05
    cape = Stand(horizon, 120 * unit, 6 * unit, 0.35, min(0.85, 0.3 * air), valley=1.0, valley_x=1 - side)
    found.append(terrain.mountains(size, cape, light, rng, snow=0.0).layer)
    return found if rng.random() < 0.75 else found[:1]


def _city(size: Size, horizon: int, look: Look, light: Light, rng: np.random.Generator) -> list[Layer]:
    unit = size.unit
    darkness = 1.0 if look.palette in NIGHTS else 0.75 if look.palette in TWILIGHTS else 0.0
    neon = look.palette == "neon"
    high = 1.35 if size.height > size.width else 1.0
    found = []
    for far, near, peak in ((0.68, 0.1, 235), (0.42, 0.28, 265), (0.12, 0.55, 215)):
        stand = Stand(horizon, peak * unit * high, 0, near, min(0.9, far * _air(look)))
        skirt = 0 if look.water else (size.height - horizon) * 1.2
        found.append(city.skyline(size, stand, light, rng, darkness=darkness, neon=neon, skirt=skirt))
    if not look.water:
        found += _foreground(size, horizon, look, light, rng)
    return found
