"""Reads a prompt into a brief: which scene and which light; draws nothing."""

import re
from dataclasses import dataclass

from studio import typeface

# English and Indonesian. A word ending in * matches every word that begins so; _ stands for a space or hyphen.
_LIGHT_WORDS = {
    "sunset": "sunset* dusk senja golden matahari_terbenam evening sore petang twilight romantic",
    "night": "night* malam midnight moon* bulan aurora northern_lights star stars bintang* starry dark",
    "winter": "snow* winter* salju ice icy arctic glacier* frozen es kutub frost*",
    "dawn": "dawn fajar sunrise morning pagi subuh matahari_terbit mist* fog* kabut berkabut",
    "day": "day siang noon sunny cerah summer tropical tropis beach pantai",
}
_SEA_WORDS = "sea seas ocean* laut lautan samudra beach* pantai coast coastal coastline ombak"
_LAND_WORDS = (
    "mountain* gunung pegunungan hill hills bukit valley lembah alps himalaya* fjord* puncak island* pulau lake* danau "
    "telaga river* sungai pond bay teluk harbour harbor pelabuhan boat boats perahu sailing sailboat* ship ships kapal "
    "yacht* aurora northern_lights borealis"
)
_SPACE_WORDS = (
    "in_space through_space outer_space deep_space planet* nebula* galax* galaksi cosmos cosmic kosmos universe comet* "
    "alam_semesta luar_angkasa antariksa orbit* saturn* jupiter* mars asteroid* spaceship* spacecraft astronaut* "
    "astronot milky_way komet"
)
_SILK_WORDS = "abstract* abstrak silk* sutra sutera satin ribbon* gradient* swirl*"


def _pattern(words: str) -> re.Pattern[str]:
    forms = [re.escape(word).replace(r"\*", r"\w*").replace("_", r"[\s-]+") for word in words.split()]
    return re.compile(r"\b(?:" + "|".join(forms) + r")\b")


_LIGHTS = {name: _pattern(words) for name, words in _LIGHT_WORDS.items()}
_SEA, _LAND, _SPACE, _SILK = map(_pattern, (_SEA_WORDS, _LAND_WORDS, _SPACE_WORDS, _SILK_WORDS))


@dataclass(frozen=True)
class Brief:
    """What a prompt asks for.

    `kind` is space, silk, landscape or words; `light` a name of palette.PALETTES, empty if nothing was said of it;
    `sea` means open water without mountains; `text` is what can be written.
    """

    kind: str
    light: str
    sea: bool
    text: str


def read(prompt: str) -> Brief:
    """Brief for a prompt. What is about none of the things drawn here is shown by its words, if they can be written."""
    folded, text = prompt.casefold(), typeface.drawable(prompt)
    sea, land = bool(_SEA.search(folded)), bool(_LAND.search(folded))
    if _SPACE.search(folded):
        kind = "space"
    elif _SILK.search(folded) or not (text or sea or land):
        kind = "silk"
    else:
        kind = "landscape" if sea or land else "words"
    light = next((name for name, words in _LIGHTS.items() if words.search(folded)), "")
    return Brief(kind, light, sea and not land, text)
