"""Reads a prompt into a brief: which scene, which colours, which weather; draws nothing."""

import re
from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float]


def rgb(code: str) -> Colour:
    """Colour 0..255 from a six-digit hexadecimal code."""
    return int(code[0:2], 16), int(code[2:4], 16), int(code[4:6], 16)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Colour between `first` (share 0) and `second` (share 1)."""
    return (
        first[0] + (second[0] - first[0]) * share,
        first[1] + (second[1] - first[1]) * share,
        first[2] + (second[2] - first[2]) * share,
    )


@dataclass(frozen=True)
class Palette:
    """Colours and light of a landscape. `sky` runs from zenith to horizon; elevations are shares of the sky height."""

    sky: tuple[Colour, ...]
    sun: Colour
    glow: Colour
    far: Colour
    near: Colour
    lit: Colour
    cloud_lit: Colour
    cloud_shade: Colour
    water: Colour
    sun_elevation: float
    sun_radius: float = 0.05
    glow_strength: float = 0.8
    stars: float = 0.0
    moon: bool = False


def _palette(sky: str, colours: str, elevation: float, **light: float | bool) -> Palette:
    sun, glow, far, near, lit, cloud_lit, cloud_shade, water = (rgb(code) for code in colours.split())
    return Palette(
        tuple(rgb(code) for code in sky.split()), sun, glow, far, near, lit, cloud_lit, cloud_shade, water, elevation,
        **light,  # type: ignore[arg-type]  # the keyword values are the float and bool fields above
    )  # fmt: skip


PALETTES: dict[str, Palette] = {
    "sunset": _palette(
        "1d1a4a 4a2468 9a3468 e2605a ffa860",
        "fff0c4 ffb45c b4586a 160c20 ffb070 ffb27c 7a3a6e 5a2450",
        0.20, sun_radius=0.062, glow_strength=1.0, stars=0.35,
    ),
    "dawn": _palette(
        "33508e 6f82b8 c59bb4 f4b8a4 ffdcb0",
        "fff6dc ffd09a a58fb0 2b2740 ffd2a8 ffe2cc 9a88b4 6a7aa6",
        0.16, sun_radius=0.05, glow_strength=0.8, stars=0.12,
    ),
    "day": _palette(
        "1a62b4 3f8ad2 74b2e6 a8d2f0 dcecf4",
        "fffdf0 fff2d0 8fb2cc 1c3c3c fff0cc ffffff a9bdd2 1e5a86",
        0.72, sun_radius=0.042, glow_strength=0.5,
    ),
    "night": _palette(
        "03061a 08102e 0f1d48 1b3262 33548a",
        "f2f4ff 90b0ec 24406c 03060f 88a4dc 3c5484 101c3c 0a1630",
        0.66, sun_radius=0.045, glow_strength=0.45, stars=1.0, moon=True,
    ),
    "neon": _palette(
        "07051c 160a38 3a0f5c 7a1a7c d63a8c",
        "ffd8f4 ff4ab0 3a2470 06040f ff5ac8 b04aa8 2a1450 1a0c3c",
        0.30, sun_radius=0.07, glow_strength=0.6, stars=0.25, moon=True,
    ),
    "desert": _palette(
        "3c5c94 7c88ac d0a08c f2bc80 ffe0a8",
        "fff4d8 ffc878 c48a6a 54281c ffc07c fff0d4 b08a84 8a6a5c",
        0.24, sun_radius=0.056, glow_strength=0.85,
    ),
    "mist": _palette(
        "7f97a4 98adb4 b4c4c4 d0d9d0 eceadc",
        "fffdf2 fff2d0 a9bab8 16281f fff0cc f4f4ea a4b4b6 7c9294",
        0.34, sun_radius=0.05, glow_strength=0.75,
    ),
    "winter": _palette(
        "3c5c8c 6484b0 94b0d0 c4d4e4 f0e8e4",
        "fffaf0 ffe4cc 8fa6c4 1e2c44 fff0e4 fff6f0 94a8c4 5a7898",
        0.30, sun_radius=0.045, glow_strength=0.65,
    ),
    "ember": _palette(
        "0c0508 220a0c 50140e 98300f f07a24",
        "ffe0a0 ff6a1e 5a2014 080304 ff7a30 b04018 200a0c 2c0c0a",
        0.12, sun_radius=0.06, glow_strength=1.0, stars=0.1,
    ),
    "storm": _palette(
        "10161f 1f2a36 364652 566a74 8c9c9c",
        "dfe8e8 b4c8c8 4a5c66 0a1016 a8bcc0 8496a0 161e28 16242c",
        0.40, sun_radius=0.0, glow_strength=0.4,
    ),
}  # fmt: skip

# English and Indonesian. A word ending in * matches every word that begins so.
_PALETTE_WORDS: tuple[tuple[str, str], ...] = (
    (
        "ember",
        "ember embers volcano* lava fire fires fiery api flame* burning bonfire campfire bara gunung_berapi inferno",
    ),
    ("neon", "neon cyberpunk synthwave vaporwave futuristic futuristik"),
    ("storm", "storm* thunder* badai tempest hurricane petir guntur"),
    ("sunset", "sunset* dusk senja golden matahari_terbenam evening sore petang twilight romantic"),
    ("night", "night* malam midnight moon* bulan aurora northern_lights star* bintang* starry dark"),
    ("desert", "desert* gurun sahara dune dunes padang_pasir"),
    ("winter", "snow* winter* salju ice icy arctic glacier* frozen es kutub frost*"),
    ("mist", "mist* fog* kabut berkabut haze hazy rain hujan rainy rainforest drizzle gerimis"),
    ("dawn", "dawn fajar sunrise morning pagi subuh matahari_terbit"),
    ("day", "day siang noon sunny cerah summer blue tropical tropis beach pantai"),
    ("night", "firefl* kunang"),
)
_TERRAIN_WORDS: tuple[tuple[str, str], ...] = (
    (
        "city",
        "city cities kota skyline building* skyscraper* gedung urban street* jalan downtown tokyo jakarta cyberpunk",
    ),
    ("forest", "forest* hutan jungle tree* pohon wood woods rimba pine* rainforest taiga"),
    ("dunes", "dune dunes desert* gurun sahara padang_pasir sand pasir savanna*"),
    (
        "mountain",
        "mountain* gunung pegunungan peak* hill* bukit valley lembah alps himalaya* volcano* cliff* fjord* puncak",
    ),
    ("sea", "sea seas ocean* laut lautan samudra beach* pantai coast* wave waves ombak island* pulau horizon"),
)
_WATER_WORDS = (
    "lake* danau sea seas ocean* laut lautan samudra river* sungai water* air reflection* pantulan beach* pantai "
    "coast* wave waves ombak boat* perahu sail* ship* kapal harbour harbor pelabuhan "
    "fjord* pond bay teluk island* pulau telaga"
)
_SPACE_WORDS = (
    "space planet* nebula* galax* galaksi cosmos cosmic kosmos universe alam_semesta luar_angkasa antariksa orbit* "
    "saturn* jupiter* mars asteroid* spaceship* spacecraft astronaut* astronot milky_way"
)
_SILK_WORDS = (
    "abstract* abstrak silk* sutra sutera fluid marble* marmer satin gradient* swirl* liquid pattern* texture*"
)
_FEATURE_WORDS: dict[str, str] = {
    "aurora": "aurora northern_lights borealis cahaya_utara",
    "snow": "snow* salju blizzard winter* arctic",
    "rain": "rain rainy raining hujan drizzle gerimis storm* badai thunder*",
    "fireflies": "firefl* kunang magic* ajaib fairy",
    "embers": "ember embers fire fires api volcano* lava bara spark* campfire bonfire inferno flame*",
    "rings": "ring rings ringed cincin saturn*",
    "planet": "planet* saturn* jupiter* mars orbit*",
    "palms": "palm* beach* pantai tropical tropis island* pulau kelapa",
    "boat": "boat* perahu sail* ship* kapal yacht*",
    "birds": "bird* burung seagull* camar eagle* elang flock",
    "mist": "mist* fog* kabut berkabut haze hazy rainforest",
    "jungle": "jungle* rainforest* rimba hutan_hujan tropical tropis",
    "stars": "star stars starry bintang* milky_way",
    "storm": "storm* badai thunder* tempest hurricane",
    "snowy": "snow* salju winter* arctic glacier* frozen alps himalaya*",
}
_COLOUR_WORDS: dict[str, tuple[str, str]] = {
    "gold": ("f2b544", "gold* emas yellow kuning amber"),
    "violet": ("7a3cf0", "violet purple ungu lavender lilac"),
    "blue": ("2f6cf2", "blue biru azure sapphire"),
    "red": ("e2342f", "red merah crimson scarlet ruby"),
    "green": ("2fb872", "green hijau emerald jade"),
    "pink": ("ff5fa8", "pink rose magenta merah_muda"),
    "orange": ("ff7a2a", "orange jingga oranye copper"),
    "teal": ("22c4c8", "teal turquoise cyan toska aqua"),
    "silver": ("c8d2e2", "silver perak white putih pearl"),
    "black": ("20242e", "black hitam obsidian"),
}


def _pattern(words: str) -> re.Pattern[str]:
    forms = [re.escape(word).replace(r"\*", r"\w*").replace("_", r"[\s-]+") for word in words.split()]
    return re.compile(r"\b(?:" + "|".join(forms) + r")\b")


_PALETTE_PATTERNS = tuple((name, _pattern(words)) for name, words in _PALETTE_WORDS)
_TERRAIN_PATTERNS = tuple((name, _pattern(words)) for name, words in _TERRAIN_WORDS)
_FEATURE_PATTERNS = {name: _pattern(words) for name, words in _FEATURE_WORDS.items()}
_COLOUR_PATTERNS = {name: _pattern(words) for name, (_, words) in _COLOUR_WORDS.items()}
_WATER, _SPACE, _SILK = _pattern(_WATER_WORDS), _pattern(_SPACE_WORDS), _pattern(_SILK_WORDS)


@dataclass(frozen=True)
class Brief:
    """What a prompt asks for. `kind` is landscape, space or silk; `features` are names of _FEATURE_WORDS."""

    kind: str
    palette: str
    terrain: str
    water: bool
    features: frozenset[str]
    accents: tuple[Colour, ...] = ()


def read(prompt: str, rng: np.random.Generator) -> Brief:
    """Brief for a prompt; what the words leave open is chosen by `rng` (so by the prompt's hash)."""
    text = prompt.casefold()
    palette = next((name for name, words in _PALETTE_PATTERNS if words.search(text)), None)
    terrain = next((name for name, words in _TERRAIN_PATTERNS if words.search(text)), None)
    features = {name for name, words in _FEATURE_PATTERNS.items() if words.search(text)}
    water = bool(_WATER.search(text)) or terrain == "sea"
    known = palette is not None or terrain is not None or water or bool(features)
    chance = rng.random(4)
    # Order of the draws is fixed so that a word added to one list never changes the luck of another prompt.
    if _SPACE.search(text):
        kind = "space"
    elif _SILK.search(text) or (not known and chance[0] < 0.15):
        kind = "silk"
    else:
        kind = "landscape"
    if palette is None:
        choices = ("sunset", "dawn", "day", "night", "mist", "sunset")
        palette = "night" if "aurora" in features else choices[int(chance[1] * len(choices))]
    if terrain is None:
        terrain = "sea" if water and chance[2] < 0.25 else ("mountain", "mountain", "forest")[int(chance[2] * 3)]
        water = water or (not known and chance[3] < 0.7)
    if terrain == "city" and chance[3] < 0.8:
        water = True
    if "boat" in features or ("aurora" in features and terrain == "mountain"):
        water = True
    if palette == "winter" and "aurora" in features:
        palette = "night"
    return Brief(kind, palette, terrain, water or terrain == "sea", frozenset(features), accents(text))


def accents(text: str) -> tuple[Colour, ...]:
    """Colours that a case-folded text names, in the order of the words, each once."""
    found = {name: match.start() for name, words in _COLOUR_PATTERNS.items() if (match := words.search(text))}
    return tuple(rgb(_COLOUR_WORDS[name][0]) for name in sorted(found, key=lambda name: found[name]))
