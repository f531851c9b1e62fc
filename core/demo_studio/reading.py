"""Reads a prompt for the key words that the studio can draw, in English and Indonesian."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.demo_studio import words


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
    text = " ".join(["", *re.findall(r"[^\W_]+", prompt.lower()), ""])
    terrain = _first(text, words.TERRAINS)
    weather = _first(text, words.WEATHER) or ""
    aurora = _any(text, words.AURORA)
    palette = "polar" if aurora else _first(text, words.PALETTES)
    water = _any(text, words.WATER)
    kind = _first(text, words.KINDS)
    if kind == "space" and terrain in ("city", "forest", "dunes", "sea", "mountain") and not text.count("planet"):
        kind = "landscape" if palette else kind
    if kind is None:
        said_nothing = not (terrain or weather or palette or water)
        kind = "silk" if said_nothing and rng.random() < 0.3 else "landscape"
    terrain = terrain or (
        "sea" if _any(text, words.BOAT) and not water else str(rng.choice(["mountain", "mountain", "forest"]))
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
        mist=palette == "mist" or _any(text, words.MIST),
        snowy=_any(text, words.SNOWY),
        storm=palette == "storm",
        boat=_any(text, words.BOAT),
        birds=_any(text, words.BIRDS)
        or (terrain in ("sea", "mountain") and palette in ("sunset", "dawn") and rng.random() < 0.6),
        rings=_any(text, words.RINGS) or rng.random() < 0.3,
        earth=_any(text, words.EARTH),
    )


def _any(text: str, known: words.Words) -> bool:
    return any(f" {word}" in text for word in known)


def _first(text: str, table: Mapping[str, words.Words]) -> str | None:
    return next((name for name, known in table.items() if _any(text, known)), None)


def _usual_palette(terrain: str, weather: str, rng: np.random.Generator) -> str:
    if weather == "fireflies":
        return "night"
    if weather == "rain":
        return "neon" if terrain == "city" else "storm"
    usual = {"city": ["night", "sunset", "neon"], "dunes": ["desert"], "forest": ["dawn", "mist", "day"]}
    return str(rng.choice(usual.get(terrain, ["sunset", "dawn", "day"])))


def _standing_water(text: str, terrain: str, rng: np.random.Generator) -> bool:
    if terrain == "city":
        return not _any(text, words.NO_CITY_WATER) or _any(text, ("rain", "hujan", "neon"))
    return terrain == "mountain" and rng.random() < 0.5
