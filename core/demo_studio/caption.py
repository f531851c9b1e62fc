"""The words on a clip: the prompt in the lower third, and a chip that says plainly what this is."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

FONT = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"
NOTICE = "Demo clip · drawn on this computer"
MOST_LINES = 2
FADE_START_SECONDS = 0.25
FADE_SECONDS = 0.6

Plane = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Overlay:
    """A small picture in YUV 4:2:0 (BT.709, limited range) with its coverage, at an even place of the frame."""

    x: int
    y: int
    luma: NDArray[np.int16]
    cover: NDArray[np.int16]
    chroma: tuple[NDArray[np.int16], NDArray[np.int16]]
    chroma_cover: NDArray[np.int16]

    def blend(self, planes: tuple[Plane, Plane, Plane], opacity: float) -> None:
        """Lay it over the three planes of a frame, in place."""
        _mix(planes[0], (self.x, self.y), self.luma, self.cover, opacity)
        for plane, values in zip(planes[1:], self.chroma, strict=True):
            _mix(plane, (self.x // 2, self.y // 2), values, self.chroma_cover, opacity)


class Captions:
    """The overlays of one clip; the prompt fades in, the notice is always there."""

    def __init__(self, width: int, height: int, prompt: str) -> None:
        unit = min(width, height) / 720
        self._notice = _notice(width, unit)
        words = drawable(prompt)
        self._prompt = _prompt(width, height, unit, words) if words else None

    def blend(self, planes: tuple[Plane, Plane, Plane], seconds: float) -> None:
        """Draw onto a frame of this moment."""
        self._notice.blend(planes, 1.0)
        if self._prompt is not None:
            share = min(1.0, max(0.0, (seconds - FADE_START_SECONDS) / FADE_SECONDS))
            if share > 0:
                self._prompt.blend(planes, share * share * (3 - 2 * share))


def drawable(text: str) -> str:
    """The text without the characters that the font does not have, spaces tidied."""
    missing = _shape("\U0010fffe")
    kept = (letter if letter.isspace() or _shape(letter) != missing else " " for letter in text)
    return " ".join("".join(kept).split())


@cache
def _font(pixels: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONT), pixels)


@cache
def _shape(letter: str) -> bytes:
    """How a character looks; all that the font lacks look the same."""
    mask = _font(24).getmask(letter)
    return bytes(mask) + bytes(str(mask.size), "ascii")


def _notice(width: int, unit: float) -> Overlay:
    font = _font(max(5, round(16 * unit)))
    left, _top, right, _bottom = font.getbbox(NOTICE)
    pad, line = round(13 * unit), round(34 * unit)
    box = (min(width - 2, round(right - left) + 2 * pad), max(6, line))
    image = Image.new("RGBA", box)
    draw = ImageDraw.Draw(image)
    _rounded(image, (0, 0, box[0] - 1, box[1] - 1), radius=box[1] / 2, fill=(8, 8, 18, 120))
    draw.text((pad, box[1] / 2), NOTICE, font=font, fill=(255, 255, 255, 232), anchor="lm")
    margin = round(30 * unit)
    return _overlay(image, width - box[0] - margin, margin)


def _prompt(width: int, height: int, unit: float, words: str) -> Overlay:
    font = _font(max(6, round(25 * unit)))
    margin, pad, bar = round(34 * unit), round(20 * unit), max(2, round(5 * unit))
    room = max(8, min(width - 2 * margin, round(1000 * unit)) - 2 * pad - bar)
    lines = wrap(words, font, room)
    line = round(35 * unit)
    box_width = min(width - 2, round(max(font.getlength(text) for text in lines)) + 2 * pad + bar)
    box_height = max(6, len(lines) * line + round(18 * unit))
    image = Image.new("RGBA", (box_width, box_height))
    _rounded(image, (0, 0, box_width - 1, box_height - 1), radius=12 * unit, fill=(8, 8, 18, 128))
    draw = ImageDraw.Draw(image)
    inset = round(10 * unit)
    bar_box = (inset, inset, inset + bar, box_height - inset)
    if bar_box[3] > bar_box[1]:
        draw.rounded_rectangle(bar_box, radius=bar / 2, fill=(255, 255, 255, 225))
    for number, text in enumerate(lines):
        place = (pad + bar, round(9 * unit) + (number + 0.5) * line)
        draw.text(place, text, font=font, fill=(255, 255, 255, 246), anchor="lm")
    return _overlay(image, margin, height - box_height - margin)


def wrap(words: str, font: ImageFont.FreeTypeFont, room: float) -> list[str]:
    """The text in at most MOST_LINES lines of `room` pixels; what is left out ends in an ellipsis."""
    lines: list[str] = []
    rest = words.split()
    while rest and len(lines) < MOST_LINES:
        count = 1
        while count < len(rest) and font.getlength(" ".join(rest[: count + 1])) <= room:
            count += 1
        lines.append(" ".join(rest[:count]))
        rest = rest[count:]
    return [_cut(line, font, room, more=bool(rest) and number == len(lines) - 1) for number, line in enumerate(lines)]


def _cut(line: str, font: ImageFont.FreeTypeFont, room: float, *, more: bool) -> str:
    if not more and font.getlength(line) <= room:
        return line
    while line and font.getlength(line + "…") > room:
        line = line[:-1]
    return line.rstrip() + "…"


def _rounded(image: Image.Image, box: tuple[int, int, int, int], *, radius: float, fill: tuple[int, ...]) -> None:
    """A rounded rectangle with smooth edges: drawn four times as large and reduced."""
    large = Image.new("L", (image.width * 4, image.height * 4))
    corners = (box[0] * 4, box[1] * 4, box[2] * 4 + 3, box[3] * 4 + 3)
    ImageDraw.Draw(large).rounded_rectangle(corners, radius=radius * 4, fill=255)
    image.paste(fill, (0, 0), large.reduce(4))
    image.putalpha(large.reduce(4).point(lambda value: value * fill[3] // 255))


def _overlay(image: Image.Image, x: int, y: int) -> Overlay:
    """Onto an even place and size, and into YUV."""
    x, y = max(0, x) // 2 * 2, max(0, y) // 2 * 2
    even = Image.new("RGBA", ((image.width + 1) // 2 * 2, (image.height + 1) // 2 * 2))
    even.paste(image, (0, 0))
    values = np.asarray(even).astype(np.float32)
    red, green, blue, cover = (values[..., n] for n in range(4))
    luma = 16 + (0.2126 * red + 0.7152 * green + 0.0722 * blue) * 219 / 255
    weight = np.maximum(_halved(cover), 1e-3)
    half = [_halved(channel * cover) / weight for channel in (red, green, blue)]
    half_luma = 0.2126 * half[0] + 0.7152 * half[1] + 0.0722 * half[2]
    blueness = 128 + (half[2] - half_luma) / 1.8556 * 224 / 255
    redness = 128 + (half[0] - half_luma) / 1.5748 * 224 / 255
    whole = [np.round(part).astype(np.int16) for part in (luma, cover, blueness, redness, _halved(cover))]
    return Overlay(x, y, whole[0], whole[1], (whole[2], whole[3]), whole[4])


def _halved(values: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = values.shape
    found: NDArray[np.float32] = values.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
    return found


def _mix(
    plane: Plane, place: tuple[int, int], values: NDArray[np.int16], cover: NDArray[np.int16], opacity: float
) -> None:
    x, y = place
    part = plane[y : y + values.shape[0], x : x + values.shape[1]]
    values, cover = values[: part.shape[0], : part.shape[1]], cover[: part.shape[0], : part.shape[1]]
    strength = (cover * opacity).astype(np.int32)
    before = part.astype(np.int32)
    part[:] = before + (values - before) * strength // 255
