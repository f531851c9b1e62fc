"""Sets words large: how a text is parted into beats, and how the words of one beat fill a box; moves nothing."""

import functools
import itertools
import unicodedata
from collections.abc import Iterator
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
LITTLE = 0.8  # the same for a line of little words only
MOST_LINES = 7
GAP = 0.15  # between lines, as a share of the size
SPACE = 0.25  # between words, as a share of the size
STROKE = 0.028  # makes the broad face as heavy as the display face
UNIT = 100  # size at which words are measured


@dataclass(frozen=True)
class Beat:
    """What is shown at one time, from `start` to `end` in seconds."""

    words: tuple[str, ...]
    start: float
    end: float


@dataclass(frozen=True)
class Word:
    """A word ready to draw: its mask, and where its middle lies, in pixels from the middle of the box.

    `place` and `from_end` count the words of its line that stand to the left and to the right of it.
    """

    mask: Image.Image
    x: float
    y: float
    line: int
    place: int
    from_end: int
    quiet: bool
    key: bool


@dataclass(frozen=True)
class Line:
    """Words side by side, measured at size 1: width of each, height above the baseline and depth below it."""

    words: tuple[str, ...]
    widths: tuple[float, ...]
    above: float
    below: float

    @property
    def width(self) -> float:
        """Width of the line with its spaces."""
        return sum(self.widths) + SPACE * (len(self.words) - 1)


def is_quiet(word: str) -> bool:
    """Whether it is one of the little words that carry no picture."""
    return f" {word.casefold().strip('.,;:!?')} " in QUIET


def key_of(words: tuple[str, ...]) -> str:
    """The word that carries most: the longest that is not quiet."""
    return max(words, key=lambda word: (not is_quiet(word), len(word)))


def beats(text: str, seconds: float) -> list[Beat]:
    """The text parted into what is shown one after the other; a short text is shown whole at the end."""
    words = typeface.words(text)
    finale = 4 <= len(words) <= MOST_WORDS and seconds >= FINALE_SECONDS + BEAT_SECONDS
    room = seconds - (FINALE_SECONDS if finale else 0.0)
    count = max(1, min(round(len(words) / 3), int(room / BEAT_SECONDS)))
    if len(words) > count * MOST_WORDS:
        words = words[: count * MOST_WORDS]
        words[-1] = words[-1].rstrip(".,;:") + "…"
    parts: list[tuple[str, ...]] = []
    while words:
        end = _end(words, count - len(parts))
        parts.append(tuple(words[:end]))
        words = words[end:]
    weights = [1.0 + 0.22 * len(part) for part in parts]
    times = [0.0, *itertools.accumulate(room * weight / sum(weights) for weight in weights)]
    out = [Beat(part, start, end) for part, (start, end) in zip(parts, itertools.pairwise(times), strict=True)]
    if finale:
        out.append(Beat(tuple(itertools.chain(*parts)), room, seconds))
    return out


def _end(words: list[str], left: int) -> int:
    """How many of the words make the next of `left` beats: about an equal share, and no little word last."""
    if left <= 1:
        return len(words)
    share = len(words) / left

    def cost(end: int) -> float:
        last = words[end - 1]
        return abs(end - share) + 2.0 * is_quiet(last) - 1.5 * (last[-1] in ".,;:!?") + 9.0 * (end > MOST_WORDS)

    return min(range(max(1, round(share) - 2), min(len(words) - left + 1, round(share) + 2) + 1), key=cost)


def set_words(words: tuple[str, ...], width: float, height: float) -> list[Word]:
    """The words in lines that fill a box in pixels as well as they can, each line as large as its width allows."""

    def score(lines: list[Line]) -> float:
        sizes = _sizes(lines, width, height)
        area = sum(size**2 * line.width for line, size in zip(lines, sizes, strict=True))
        little = 0.07 * sum(is_quiet(line.words[-1]) for line in lines[:-1])
        return area * (1.0 - little - 0.10 * sum(all(map(is_quiet, line.words)) for line in lines))

    lines = max(_layouts(words), key=score)
    sizes = _sizes(lines, width, height)
    leftward = _is_leftward(words)
    key, out = key_of(words), []
    y = -_tall(lines, sizes) / 2
    for number, (line, size) in enumerate(zip(lines, sizes, strict=True)):
        y += size * line.above
        x = -width / 2
        for place, (word, wide) in enumerate(zip(line.words, line.widths, strict=True)):
            mask, middle = _mask(word, size)
            centre, after = x + wide * size / 2, len(line.words) - 1 - place
            x += (wide + SPACE) * size
            if leftward:
                centre, place, after = -centre, after, place  # noqa: PLW2901 -- the line is mirrored
            quiet = is_quiet(word) and len(words) > 1
            out.append(Word(mask, centre, y + middle, number, place, after, quiet=quiet, key=word == key))
        y += size * line.below + GAP * min(sizes[number : number + 2])
    return out


def _layouts(words: tuple[str, ...]) -> Iterator[list[Line]]:
    """Every way to break the words into at most MOST_LINES lines."""
    for count in range(min(len(words), MOST_LINES)):
        for cuts in itertools.combinations(range(1, len(words)), count):
            yield [_line(words[a:b]) for a, b in itertools.pairwise((0, *cuts, len(words)))]


def _tall(lines: list[Line], sizes: list[float]) -> float:
    """Height of a block from the top of its first line to the bottom of its last."""
    own = sum(size * (line.above + line.below) for line, size in zip(lines, sizes, strict=True))
    return own + GAP * sum(map(min, itertools.pairwise(sizes)))


def _sizes(lines: list[Line], width: float, height: float) -> list[float]:
    """Size of each line: all fill the width, unless one would dwarf the others or all be too tall together."""
    full = [width / line.width for line in lines]
    most = [min(full) * (LITTLE if all(map(is_quiet, line.words)) else LARGEST) for line in lines]
    sizes = list(map(min, full, most))
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
    return Line(words, tuple(widths), above, below)


def _mask(word: str, size: float) -> tuple[Image.Image, float]:
    """Mask with a clear margin, wider at the sides for what speed smears, and its middle below the baseline."""
    face = typeface.displayed(word)
    font = typeface.font(face, max(4.0, size))
    stroke = 0 if face == typeface.DISPLAY else max(1, round(size * STROKE))
    left, top, right, bottom = font.getbbox(word, anchor="ls", stroke_width=stroke)
    side, rim = round(size * 0.25) + 2, 3
    mask = Image.new("L", (int(right - left) + 2 * side, int(bottom - top) + 2 * rim))
    at = side - left, rim - top
    ImageDraw.Draw(mask).text(at, word, fill=255, font=font, anchor="ls", stroke_width=stroke)
    return mask, mask.height / 2 - at[1]


def _is_leftward(words: tuple[str, ...]) -> bool:
    """Whether the first letter that has a direction is written from right to left."""
    strong = (unicodedata.bidirectional(character) for word in words for character in word)
    return next((kind in {"R", "AL"} for kind in strong if kind in {"L", "R", "AL"}), False)
