"""Reads a prompt for the key words that the studio can draw, in English and Indonesian."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

Words = tuple[str, ...]

_KINDS: Mapping[str, Words] = {
    "space": (
        "space ",
        "galax",
        "nebula",
        "planet",
        "cosmos",
        "cosmic",
        "universe",
        "astronaut",
        "spaceship",
        "rocket",
        "asteroid",
        "saturn",
        "jupiter",
        "mars ",
        "orbit",
        "milky way",
        "supernova",
        "black hole",
        "outer space",
        "luar angkasa",
        "antariksa",
        "galaksi",
        "alam semesta",
        "astronot",
        "roket",
        "saturnus",
        "yupiter",
        "bima sakti",
    ),
    "silk": (
        "abstract",
        "silk",
        "satin",
        "fabric",
        "fluid",
        "liquid",
        "gradient",
        "wavy",
        "pattern",
        "texture",
        "marble",
        "abstrak",
        "sutra",
        "kain ",
        "cairan",
        "gradasi",
        "pola ",
        "tekstur",
        "marmer",
        "batik",
    ),
}
_TERRAINS: Mapping[str, Words] = {
    "city": (
        "city",
        "cities",
        "skyline",
        "street",
        "downtown",
        "urban",
        "skyscraper",
        "cyberpunk",
        "building",
        "traffic",
        "tokyo",
        "new york",
        "jakarta",
        "surabaya",
        "bandung",
        "kota ",
        "gedung",
        "jalan raya",
        "perkotaan",
        "pencakar",
    ),
    "dunes": ("dune", "desert", "sahara", "sand ", "sands ", "camel", "gurun", "padang pasir", "bukit pasir", "unta "),
    "forest": (
        "forest",
        "wood ",
        "woods",
        "jungle",
        "tree",
        "pine",
        "rainforest",
        "grove",
        "hutan",
        "rimba",
        "pohon",
        "pinus",
        "kebun",
        "taman ",
        "park ",
        "garden",
        "meadow",
        "padang rumput",
        "sawah",
        "field",
        "farm",
        "village",
        "desa ",
    ),
    "sea": (
        "sea ",
        "seas ",
        "ocean",
        "beach",
        "coast",
        "wave",
        "island",
        "surf",
        "shore",
        "harbor",
        "harbour",
        "bay ",
        "laut",
        "samudra",
        "samudera",
        "pantai",
        "ombak",
        "pulau",
        "pesisir",
        "teluk",
        "pelabuhan",
    ),
    "mountain": (
        "mountain",
        "alps",
        "peak",
        "hill",
        "valley",
        "volcano",
        "cliff",
        "canyon",
        "fjord",
        "himalaya",
        "highland",
        "gunung",
        "pegunungan",
        "bukit",
        "lembah",
        "puncak",
        "tebing",
        "ngarai",
        "bromo",
        "merapi",
        "rinjani",
    ),
}
_WATER: Words = (
    "lake",
    "river",
    "reflection",
    "pond",
    "mirror",
    "fjord",
    "lagoon",
    "boat",
    "ship",
    "sail",
    "danau",
    "sungai",
    "pantulan",
    "refleksi",
    "kolam",
    "telaga",
    "perahu",
    "kapal",
    "layar",
)
_PALETTES: Mapping[str, Words] = {
    "ember": (
        "lava",
        "volcan",
        "eruption",
        "fire ",
        "flame",
        "inferno",
        "ember",
        "apocalyp",
        "gunung api",
        "gunung berapi",
        "letusan",
        "kebakaran",
        "bara ",
        "neraka",
    ),
    "neon": ("neon", "cyberpunk", "synthwave", "vaporwave", "futuris", "retrowave"),
    "storm": ("storm", "thunder", "hurricane", "tempest", "overcast", "badai", "petir", "topan", "mendung"),
    "sunset": (
        "sunset",
        "dusk",
        "golden hour",
        "evening",
        "twilight",
        "senja",
        "matahari terbenam",
        "sore ",
        "magrib",
        "maghrib",
        "golden",
    ),
    "night": ("night", "midnight", "moon", "starry", "malam", "rembulan", "bulan ", "bintang", "dark "),
    "mist": ("mist", "fog", "haze", "hazy", "kabut", "berkabut"),
    "dawn": ("sunrise", "dawn", "daybreak", "fajar", "subuh", "matahari terbit", "morning", "pagi"),
    "winter": ("snow", "winter", "ice ", "frozen", "blizzard", "salju", "musim dingin", "beku", "christmas", "natal "),
    "desert": ("desert", "dune", "sahara", "gurun", "padang pasir", "bukit pasir"),
    "day": (
        "day ",
        "daylight",
        "sunny",
        "noon",
        "summer",
        "blue sky",
        "spring",
        "siang",
        "cerah",
        "terang",
        "musim panas",
        "langit biru",
        "tropical",
        "tropis",
    ),
}
_WEATHER: Mapping[str, Words] = {
    "embers": ("ember", "lava", "volcan", "fire ", "flame", "spark", "bara ", "api ", "berapi"),
    "fireflies": ("firefl", "fairy", "magic", "enchanted", "kunang kunang", "peri ", "ajaib"),
    "snow": ("snowfall", "snowing", "snow", "blizzard", "salju", "winter", "christmas"),
    "rain": ("rain ", "rainy", "raining", "rainfall", "drizzle", "storm", "hujan", "gerimis", "badai"),
}
_AURORA: Words = ("aurora", "northern light", "polar light", "cahaya utara")
_MIST: Words = ("mist", "fog", "haze", "hazy", "kabut", "berkabut", "steam", "mystic")
_SNOWY: Words = (
    "snow",
    "winter",
    "ice ",
    "glacier",
    "arctic",
    "alps",
    "himalaya",
    "frozen",
    "salju",
    "aurora",
    "arktik",
)
_BOAT: Words = ("boat", "ship", "sail", "yacht", "perahu", "kapal", "layar")
_BIRDS: Words = ("bird", "gull", "eagle", "flock", "seagull", "burung", "camar", "elang")
_NO_CITY_WATER: Words = ("street", "jalan")
_RINGS: Words = ("ring", "saturn", "cincin")
_EARTH: Words = ("earth", "blue planet", "bumi")


@dataclass(frozen=True, slots=True)
class Look:
    """What is drawn. `kind` is landscape, space or silk; `weather` snow, rain, fireflies, embers or none."""

    seed: int
    kind: str
    palette: str
    terrain: str = "mountain"
    water: bool = False
    weather: str = ""
    aurora: bool = False
    mist: bool = False
    snowy: bool = False
    storm: bool = False
    boat: bool = False
    birds: bool = False
    rings: bool = False
    earth: bool = False


def read(prompt: str) -> Look:
    """The look of a prompt; what it leaves open is decided by its hash, so it repeats."""
    digest = hashlib.sha256(prompt.encode("utf-8", "replace")).digest()
    seed = int.from_bytes(digest[:8], "big")
    rng = np.random.default_rng([seed, 1])
    words = " ".join(re.findall(r"[^\W_]+", prompt.lower()))
    text = f" {words} "
    terrain = _first(text, _TERRAINS)
    weather = _first(text, _WEATHER) or ""
    aurora = _any(text, _AURORA)
    palette = "polar" if aurora else _first(text, _PALETTES)
    water = _any(text, _WATER)
    kind = _first(text, _KINDS)
    if kind == "space" and terrain in ("city", "forest", "dunes", "sea", "mountain") and not text.count("planet"):
        kind = "landscape" if palette else kind
    if kind is None:
        said_nothing = not (terrain or weather or palette or water)
        kind = "silk" if said_nothing and rng.random() < 0.3 else "landscape"
    terrain = terrain or (
        "sea" if _any(text, _BOAT) and not water else str(rng.choice(["mountain", "mountain", "forest"]))
    )
    palette = palette or _usual_palette(terrain, weather, rng)
    return Look(
        seed=seed,
        kind=kind,
        palette=palette,
        terrain=terrain,
        water=water or terrain == "sea" or _standing_water(text, terrain, rng),
        weather=weather,
        aurora=aurora,
        mist=palette == "mist" or _any(text, _MIST),
        snowy=_any(text, _SNOWY),
        storm=palette == "storm",
        boat=_any(text, _BOAT),
        birds=_any(text, _BIRDS)
        or (terrain in ("sea", "mountain") and palette in ("sunset", "dawn") and rng.random() < 0.6),
        rings=_any(text, _RINGS) or rng.random() < 0.3,
        earth=_any(text, _EARTH),
    )


def _any(text: str, words: Words) -> bool:
    return any(f" {word}" in text for word in words)


def _first(text: str, table: Mapping[str, Words]) -> str | None:
    return next((name for name, words in table.items() if _any(text, words)), None)


def _usual_palette(terrain: str, weather: str, rng: np.random.Generator) -> str:
    if weather == "fireflies":
        return "night"
    if weather == "rain":
        return "neon" if terrain == "city" else "storm"
    usual = {"city": ["night", "sunset", "neon"], "dunes": ["desert"], "forest": ["dawn", "mist", "day"]}
    return str(rng.choice(usual.get(terrain, ["sunset", "dawn", "day"])))


def _standing_water(text: str, terrain: str, rng: np.random.Generator) -> bool:
    if terrain == "city":
        return not _any(text, _NO_CITY_WATER) or _any(text, ("rain", "hujan", "neon"))
    return terrain == "mountain" and rng.random() < 0.5
