"""Sets words large: how a text is parted into beats, and how the words of one beat fill a box; moves nothing."""

import functools
import itertools
import unicodedata
from dataclasses import dataclass

from PIL import Image, ImageDraw

from studio import typeface

QUIET = (
    " a an the of in on at to by as is are and or with for from over under through into onto near its his her "
    "di ke dari dan yang pada dengan untuk oleh itu ini atas dalam sebuah seekor seorang para saat "
)
MOST_WORDS = 12  # of a beat; more could not be read in its time
FINALE_SECONDS = 1.9
BEAT_SECONDS = 1.05
LARGEST = 1.6  # how much larger than the smallest line of a beat another may be
MOST_LINES = 7
GAP = 0.15  # between lines, as a share of the size
SPACE = 0.25  # between words, as a share of the size
UNIT = 100  # size at which words are measured


@dataclass(frozen=True)
class Beat:
    """What is shown at one time, from `start` to `end` in seconds."""

    words: tuple[str, ...]
    start: float
    end: float


@dataclass(frozen=True)
class Word:
    """A word ready to draw: its mask, and where its middle lies, in pixels from the middle of the box."""

    mask: Image.Image
    x: float
    y: float
    line: int
    quiet: bool
    key: bool


@dataclass(frozen=True)
class Line:
    """Words side by side, measured at size 1: width of each and of all, height above the baseline, depth below it."""

    words: tuple[str, ...]
    widths: tuple[float, ...]
    width: float
    above: float
    below: float


def is_quiet(word: str) -> bool:
    """Whether it is one of the little words that carry no picture."""
    return f" {word.casefold().strip('.,;:!?')} " in QUIET


def beats(text: str, seconds: float) -> list[Beat]:
    """The text parted into what is shown one after the other; a short text is shown whole at the end."""
    words = typeface.words(text)
    finale = 4 <= len(words) <= MOST_WORDS and seconds >= FINALE_SECONDS + BEAT_SECONDS
    room = seconds - FINALE_SECONDS * finale
    count = max(1, min(round(len(words) / 3), int(room / BEAT_SECONDS)))
    if len(words) > count * MOST_WORDS:
        words = words[: count * MOST_WORDS]
        words[-1] = words[-1].rstrip(".,;:") + "…"
    parts, rest = [], words
    for left in range(count, 0, -1):
        end = -(-len(rest) // left)
        while is_quiet(rest[end - 1]) and end < min(MOST_WORDS, len(rest) - left + 1):
            end += 1  # no beat ends in a little word
        parts.append(tuple(rest[:end]))
        rest = rest[end:]
    out = [Beat(part, room * i / count, room * (i + 1) / count) for i, part in enumerate(parts)]
    return [*out, Beat(tuple(words), room, seconds)] if finale else out


def set_words(words: tuple[str, ...], width: float, height: float) -> list[Word]:
    """The words in lines that fill a box in pixels as well as they can, each line as large as its width allows."""
    breaks = itertools.chain.from_iterable(
        itertools.combinations(range(1, len(words)), count) for count in range(min(len(words), MOST_LINES))
    )
    layouts = ([_line(words[a:b]) for a, b in itertools.pairwise((0, *cuts, len(words)))] for cuts in breaks)
    measured = ((lines, _sizes(lines, width, height)) for lines in layouts)
    lines, sizes = max(measured, key=lambda pair: sum(z * z * line.width for line, z in zip(*pair, strict=True)))
    y, out = -_tall(lines, sizes) / 2, []
    leftward = unicodedata.bidirectional(words[0][0]) in {"R", "AL"}  # as Hebrew and Arabic are written
    key = max(words, key=lambda word: (not is_quiet(word), len(word)))
    for number, (line, size) in enumerate(zip(lines, sizes, strict=True)):
        x, y = -width / 2, y + size * line.above
        for word, wide in zip(line.words, line.widths, strict=True):
            mask, middle = _mask(word, size)
            centre = (x + wide * size / 2) * (-1 if leftward else 1)
            quiet = is_quiet(word) and len(words) > 1
            out.append(Word(mask, centre, y + middle, number, quiet=quiet, key=word == key))
            x += (wide + SPACE) * size
        y += size * line.below + GAP * min(sizes[number : number + 2])
    return out


def _tall(lines: list[Line], sizes: list[float]) -> float:
    """Height of a block from the top of its first line to the bottom of its last."""
    own = sum(size * (line.above + line.below) for line, size in zip(lines, sizes, strict=True))
    return own + GAP * sum(map(min, itertools.pairwise(sizes)))


def _sizes(lines: list[Line], width: float, height: float) -> list[float]:
    """Size of each line: all fill the width, unless one would dwarf the others or all be too tall together."""
    full = [width / line.width for line in lines]
    sizes = [min(size, min(full) * LARGEST) for size in full]
    scale = min(1.0, height / _tall(lines, sizes))
    return [size * scale for size in sizes]


@functools.lru_cache(maxsize=1024)
def _line(words: tuple[str, ...]) -> Line:
    """Even heights for most words, so that lines have a rhythm: a tail may reach into the gap."""
    widths, above, below = [], 0.72, 0.02
    for word in words:
        face = typeface.displayed(word)
        left, top, right, bottom = typeface.font(face, UNIT).getbbox(word, anchor="ls")
        widths.append(max(right - left, 10) / UNIT)
        above = max(above, -top / UNIT)
        below = max(below, bottom / UNIT * (0.6 if face == typeface.DISPLAY else 1.0))
    return Line(words, tuple(widths), sum(widths) + SPACE * (len(words) - 1), above, below)


def _mask(word: str, size: float) -> tuple[Image.Image, float]:
    """Mask with a clear margin, and how far its middle lies below the baseline."""
    face = typeface.displayed(word)
    font = typeface.font(face, max(4.0, size))
    stroke = 0 if face == typeface.DISPLAY else max(1, round(size * 0.028))  # as heavy as the other
    left, top, right, bottom = font.getbbox(word, anchor="ls", stroke_width=stroke)
    mask = Image.new("L", (int(right - left) + 6, int(bottom - top) + 6))
    at = 3 - left, 3 - top
    ImageDraw.Draw(mask).text(at, word, fill=255, font=font, anchor="ls", stroke_width=stroke)
    return mask, mask.height / 2 - at[1]
