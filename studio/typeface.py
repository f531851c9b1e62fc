"""The two typefaces: which of them can write a text, and the text without what neither can."""

import functools
import unicodedata
from pathlib import Path

from PIL import ImageFont

FONTS = Path(__file__).parent / "fonts"
DISPLAY = FONTS / "PlusJakartaSans-ExtraBold.ttf"
BROAD = FONTS / "DejaVuSans.ttf"  # plainer, with many more alphabets
MISSING = "\U0010ffff"  # a noncharacter: every font answers with its missing-glyph box
MOST_CHARACTERS = 600  # no clip shows more, and measuring text takes time
MOST_LETTERS = 16  # of a word that stays whole


def drawable(text: str) -> str:
    """The text on one line, without what no typeface has a glyph for and without invisible controls."""
    one_line = " ".join(unicodedata.normalize("NFC", text[: MOST_CHARACTERS * 4]).split())
    kept = "".join(character for character in one_line if character == " " or _has_glyph(BROAD, character))
    return " ".join(kept.split())[:MOST_CHARACTERS].rstrip()


def displayed(word: str) -> Path:
    """The display face if it has every character of the word, else the broad one."""
    return DISPLAY if all(_has_glyph(DISPLAY, character) for character in word) else BROAD


@functools.lru_cache(maxsize=64)
def font(face: Path, size: float) -> ImageFont.FreeTypeFont:
    """A face at a size in pixels."""
    return ImageFont.truetype(face, size)


@functools.lru_cache(maxsize=4096)
def _has_glyph(face: Path, character: str) -> bool:
    """Whether a face draws it as anything but its missing-glyph box (Pillow offers no look at the character map)."""
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"}:
        return character == "\u200c"  # the non-joiner shapes Persian words; every other one is a control
    small = ImageFont.truetype(face, 32, layout_engine=ImageFont.Layout.BASIC)
    return bytes(small.getmask(character)) != bytes(small.getmask(MISSING))


def words(text: str) -> list[str]:
    """The words of a text, with those parted that no line could hold."""
    return [word[at : at + MOST_LETTERS] for word in text.split() for at in range(0, len(word), MOST_LETTERS)]
