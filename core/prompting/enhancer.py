"""Improves a prompt without asking anybody: finds what it does not say yet, and adds that in its own language; pure.

The person's words stay as they are and stand first. The same prompt always gives the same result, and a result has
nothing to add to itself.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from core.prompting.lexicon import ENGLISH, FOREIGN, INDONESIAN, Aspect, Language

LONG_SECONDS = 8
"""From this length on a clip has time for a movement of the camera that comes to rest."""

_NEEDED_FIRST = (Aspect.MOVEMENT, Aspect.CAMERA, Aspect.LIGHT, Aspect.STYLE, Aspect.SOUND, Aspect.SETTING)
"""What goes in first where there is not room for everything."""

_FIXED_BY_IMAGE = (Aspect.SETTING, Aspect.LIGHT, Aspect.STYLE)


@dataclass(frozen=True, slots=True)
class Improvement:
    """The prompt with what was added to it; nothing was `added` where it says all, or is in a language not known."""

    text: str
    added: tuple[Aspect, ...]


def improve(
    prompt: str,
    *,
    limit_chars: int,
    duration_seconds: int = 5,
    aspect_ratio: str = "16:9",
    start_image: bool = False,
    with_sound: bool = False,
) -> Improvement:
    """Add setting, movement, camera, light, style and (`with_sound`) sound where the prompt has none of it.

    With a start image only movement, camera and sound are added: the picture has the rest. The result is never longer
    than `limit_chars`; what does not fit is left out.
    """
    text = prompt.strip()
    language = _language(text)
    if language is None:
        return Improvement(text, ())
    wanted = [aspect for aspect in _NEEDED_FIRST if not (start_image and aspect in _FIXED_BY_IMAGE)]
    if not with_sound:
        wanted.remove(Aspect.SOUND)
    sentences = _sentences(language, text, duration_seconds=duration_seconds, aspect_ratio=aspect_ratio)
    added: list[Aspect] = []
    for aspect in wanted:
        if sentences[aspect] and not _says(language, text, aspect):
            trial = sorted([*added, aspect], key=list(Aspect).index)
            if len(_joined(text, [sentences[one] for one in trial])) <= limit_chars:
                added = trial
    return Improvement(_joined(text, [sentences[aspect] for aspect in added]), tuple(added))


def _sentences(language: Language, text: str, *, duration_seconds: int, aspect_ratio: str) -> dict[Aspect, str]:
    """What would be added for each aspect."""
    subject = _subject(language, text)
    scene = language.scenes[subject]
    weather = None if subject else _first(language.movement_of, text)
    drawn = _found(language.drawn, text)
    light = _first(language.light_of, text) or scene.light
    camera = language.drawn_camera if drawn else scene.camera
    if aspect_ratio == "9:16":
        camera += language.upright
    if duration_seconds >= LONG_SECONDS:
        camera += language.longer
    return {
        Aspect.SETTING: scene.setting,
        Aspect.MOVEMENT: weather or scene.movement,
        Aspect.CAMERA: camera,
        Aspect.LIGHT: language.drawn_light if drawn else light,
        Aspect.STYLE: language.style,
        Aspect.SOUND: scene.sound,
    }


def _language(text: str) -> Language | None:
    """The language of a prompt; English where small words tell nothing, None where it is surely another."""
    letters = [char for char in text if char.isalpha()]
    if not letters or sum(char.isascii() for char in letters) < len(letters) * 0.8:
        return None
    english, indonesian, foreign = (_count(words, text) for words in (ENGLISH.small, INDONESIAN.small, FOREIGN))
    if foreign > max(english, indonesian):
        return None
    if english == indonesian:  # nouns decide, where there is no sentence around them
        english, indonesian = (_count("|".join(one.subjects.values()), text) for one in (ENGLISH, INDONESIAN))
    return INDONESIAN if indonesian > english else ENGLISH


def _subject(language: Language, text: str) -> str:
    """The kind of what is named first; empty where none is known."""
    places = {
        kind: found.start() for kind, words in language.subjects.items() if (found := _pattern(words).search(text))
    }
    return min(places, key=lambda kind: places[kind], default="")


def _says(language: Language, text: str, aspect: Aspect) -> bool:
    """Whether the prompt tells this aspect already."""
    if aspect is Aspect.SETTING:
        text = _pattern(language.circumstance).sub(",", text)
    return _found(language.said[aspect], text)


def _joined(text: str, sentences: list[str]) -> str:
    """The prompt, closed where it is open, and the sentences after it."""
    if not sentences:
        return text
    closed = text if text[-1] in ".!?…,;:" else f"{text}."
    return " ".join((closed, *(f"{sentence}." for sentence in sentences)))


def _first(sentences: Mapping[str, str], text: str) -> str | None:
    """The sentence of the first words that the prompt has."""
    return next((sentence for words, sentence in sentences.items() if _found(words, text)), None)


def _found(words: str, text: str) -> bool:
    return _pattern(words).search(text) is not None


def _count(words: str, text: str) -> int:
    return sum(1 for _ in _pattern(words).finditer(text))


@lru_cache(maxsize=128)
def _pattern(words: str) -> re.Pattern[str]:
    """Any of these words, whole, in either case."""
    return re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE)
