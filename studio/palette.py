"""The colours and light that scenes are painted in."""

from dataclasses import dataclass

Colour = tuple[float, float, float]


def rgb(code: str) -> Colour:
    """Colour 0..255 from a six-digit hexadecimal code."""
    return int(code[0:2], 16), int(code[2:4], 16), int(code[4:6], 16)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Colour between `first` (share 0) and `second` (share 1)."""
    red, green, blue = (a + (b - a) * share for a, b in zip(first, second, strict=True))
    return red, green, blue


def ink(colour: Colour) -> tuple[int, int, int]:
    """The colour as Pillow takes it."""
    return round(colour[0]), round(colour[1]), round(colour[2])


@dataclass(frozen=True)
class Palette:
    """Colours and light of a landscape. `sky` runs from zenith to horizon; elevation is a share of the sky height."""

    sky: tuple[Colour, ...]
    sun: Colour
    glow: Colour
    far: Colour
    near: Colour
    lit: Colour
    water: Colour
    sun_elevation: float
    stars: float

    @property
    def moon(self) -> bool:
        """Whether what shines is the moon: it does among stars."""
        return self.stars == 1.0


def _palette(sky: str, colours: str, *light: float) -> Palette:
    sun, glow, far, near, lit, water = map(rgb, colours.split())
    return Palette(tuple(map(rgb, sky.split())), sun, glow, far, near, lit, water, *light)


PALETTES = {
    "sunset": _palette(
        "1d1a4a 4a2468 9a3468 e2605a ffa860",
        "fff0c4 ffb45c b4586a 160c20 ffb070 5a2450", 0.20, 0.35),
    "dawn": _palette(
        "33508e 6f82b8 c59bb4 f4b8a4 ffdcb0",
        "fff6dc ffd09a a58fb0 2b2740 ffd2a8 6a7aa6", 0.16, 0.12),
    "day": _palette(
        "1a62b4 3f8ad2 74b2e6 a8d2f0 dcecf4",
        "fffdf0 fff2d0 8fb2cc 1c3c3c fff0cc 1e5a86", 0.72, 0.0),
    "winter": _palette(
        "3c5c8c 6484b0 94b0d0 c4d4e4 f0e8e4",
        "fffaf0 ffe4cc 8fa6c4 1e2c44 fff0e4 5a7898", 0.30, 0.0),
    "night": _palette(
        "03061a 08102e 0f1d48 1b3262 33548a",
        "f2f4ff 90b0ec 24406c 03060f 88a4dc 0a1630", 0.66, 1.0),
}  # fmt: skip
