"""One form for texts that people take for the same, so that they are found however they are written; pure.

Signs that look alike are one (Unicode's compatibility forms, NFKC), large and small letters are one, and marks that
are left out in haste or by another keyboard are left out: accents, Hebrew and Arabic points, Devanagari's dot below.
Marks that spell another sound stay, as the vowel signs of Hindi and Thai and the voicing of Japanese.
"""

import re
import unicodedata
from collections.abc import Callable

WORD_CHARS = 64
"""Words are compared by so many characters at most; PostgreSQL keeps no word of more than 2,046 bytes."""

_IGNORED = re.compile(
    "[\u00ad\u034f\u0640\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
"""What nobody sees (Unicode's Default_Ignorable_Code_Point), and the stroke that only makes an Arabic word longer."""

_LETTERS = str.maketrans({"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "æ": "ae", "œ": "oe"})
_SPOKEN_CLASSES = frozenset({8, 9, 84, 91, 103, 107, 118, 122, 129, 130, 132})
"""Combining classes of marks that spell a sound: voicing, viramas, vowels and tones of Telugu, Thai, Lao, Tibetan."""

_WITHOUT_SPACES = re.compile("[\u3005\u3007\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
"""Characters of Chinese and Japanese, which stand without spaces between words: each counts as a word."""

_ASCII_WORD = re.compile(r"[0-9a-z]+")


def normal(text: str) -> str:
    """The text in its normal form; doing it twice is doing it once."""
    if text.isascii():
        return text.lower()
    bare = unicodedata.normalize("NFKD", text).translate(_WITHOUT_MARKS)
    folded = unicodedata.normalize("NFKD", bare.casefold().translate(_LETTERS)).translate(_WITHOUT_MARKS)
    return unicodedata.normalize("NFKC", folded)


def words(text: str) -> list[str]:
    """The words of a text in their normal form, each once, in the order they come; other signs only separate them."""
    found = normal(text)
    parts = _ASCII_WORD.findall(found) if found.isascii() else found.translate(_WORDS_APART).split(" ")
    return list(dict.fromkeys(part[:WORD_CHARS] for part in parts if part))


def is_without_spaces(letter: str) -> bool:
    """Whether a letter is of a script that is written without spaces between words, as Chinese and Japanese."""
    return not letter.isascii() and _WITHOUT_SPACES.match(letter) is not None


def canonical(text: str) -> str:
    """The text with each letter written in the one way that all systems agree on (NFC); it looks as it did.

    For what tells things apart (tags, addresses): nothing is folded that could make two of them one.
    """
    return unicodedata.normalize("NFC", text)


class _ByLetter(dict[int, str]):
    """A table for `str.translate` that asks once for each character what it becomes."""

    def __init__(self, become: Callable[[str], str]) -> None:
        super().__init__()
        self._become = become

    def __missing__(self, code: int) -> str:
        self[code] = found = self._become(chr(code))
        return found


def _without_mark(letter: str) -> str:
    if unicodedata.category(letter) == "Me" or _IGNORED.match(letter):
        return ""
    kind = unicodedata.combining(letter)
    return letter if kind == 0 or kind in _SPOKEN_CLASSES else ""


def _word_apart(letter: str) -> str:
    if _WITHOUT_SPACES.match(letter):
        return f" {letter} "
    return letter if unicodedata.category(letter)[0] in "LMN" else " "


_WITHOUT_MARKS = _ByLetter(_without_mark)
_WORDS_APART = _ByLetter(_word_apart)
