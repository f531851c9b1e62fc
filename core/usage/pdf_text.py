"""Text as our PDF files draw it: the typeface, what it has no sign for, and lines that fit a width; pure.

The typeface has Latin, Vietnamese, Greek, Cyrillic, Armenian and Georgian letters. What it lacks, and what would need
shaping or runs from right to left, is replaced by a sign and can be told by its code points, so that no name is lost.
"""

import functools
import threading
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

TYPEFACE = "DejaVu Sans"
REPLACEMENT = "\u25a1"
_FILE = Path(__file__).parents[2] / "studio" / "fonts" / "DejaVuSans.ttf"
_UNDRAWN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_FROM_RIGHT = frozenset({"R", "AL", "AN"})
_HIGHEST = 0xFFFF
"""Signs beyond it are not found again by who searches or copies the text."""

DRAWING = threading.RLock()
"""Held while a file is drawn, one at a time a process: the library (5.1) mixes up the signs of files made at once."""


def register() -> TTFont:
    """The typeface, known to the library from then on."""
    with DRAWING:
        return _registered()


@functools.cache
def _registered() -> TTFont:
    font = TTFont(TYPEFACE, str(_FILE))
    pdfmetrics.registerFont(font)
    return font


def drawable(text: str) -> str:
    """The text on one line, with a sign in place of each that cannot be drawn."""
    one_line = " ".join(unicodedata.normalize("NFC", text).split())
    return "".join(character if _is_drawn(character) else REPLACEMENT for character in one_line)


def undrawn(text: str) -> list[str]:
    """The code points of what cannot be drawn, in their order: `U+6E56`."""
    one_line = " ".join(unicodedata.normalize("NFC", text).split())
    return [f"U+{ord(character):04X}" for character in one_line if not _is_drawn(character)]


def width(text: str, size: float) -> float:
    """In points."""
    register()
    return float(pdfmetrics.stringWidth(text, TYPEFACE, size))


def lines(text: str, size: float, within: float) -> list[str]:
    """The text in lines of at most so many points, broken between words, and within one that is longer."""
    found = [""]
    for part in _parts(text, size, within):
        joined = f"{found[-1]} {part}".strip()
        if width(joined, size) <= within:
            found[-1] = joined
        else:
            found.append(part)
    return [line for line in found if line] or [""]


def _parts(text: str, size: float, within: float) -> Iterator[str]:
    for word in text.split():
        part = ""
        for character in word:
            if part and width(part + character, size) > within:
                yield part
                part = ""
            part += character
        yield part


@functools.lru_cache(maxsize=8192)
def _is_drawn(character: str) -> bool:
    if unicodedata.category(character) in _UNDRAWN or unicodedata.bidirectional(character) in _FROM_RIGHT:
        return False
    return ord(character) <= _HIGHEST and ord(character) in register().face.charToGlyph
