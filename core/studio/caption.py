"""Text on the clip: the prompt in a lower third and the chip that says what this is, ready to blend into YUV planes."""

import functools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

FONT = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"
CHIP_TEXT = "Demo clip · drawn on this computer"
MOST_CHARACTERS = 600  # two lines never hold more, and measuring text takes time
MOST_LINES = 2
TEXT_WIDTH = 0.88  # share of the frame's width
MISSING = "\U0010ffff"  # a noncharacter: every font answers with its missing-glyph box
SUPERSAMPLING = 4  # Pillow's rounded rectangles have hard edges

WHITE = (255, 255, 255)
INK = (16, 14, 24)
ACCENT = (255, 178, 92)


@dataclass(frozen=True)
class Overlay:
    """A picture with opacity at a fixed place, as BT.709 limited-range planes at the clip's size.

    ``left`` and ``top`` are even luma pixels. ``colours``: Y, Cb, Cr each multiplied by its alpha of 0 to 256;
    ``alphas``: the same three shapes; chroma is half the size of luma both ways.
    """

    left: int
    top: int
    colours: tuple[NDArray[np.uint16], ...]
    alphas: tuple[NDArray[np.uint16], ...]

    @classmethod
    def of(cls, picture: Image.Image, left: int, top: int) -> Self:
        """From an RGBA picture of even size with straight alpha."""
        pixels = np.asarray(picture, np.float64)
        alpha = pixels[..., 3] / 255
        red, green, blue = (pixels[..., i] / 255 * alpha for i in range(3))
        # ITU-R BT.709: luma weights; 219 and 224 are the limited ranges. Everything is already multiplied by alpha.
        luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        planes = (
            219 * luma + 16 * alpha,
            _halved(224 * (blue - luma) / 1.8556 + 128 * alpha),
            _halved(224 * (red - luma) / 1.5748 + 128 * alpha),
        )
        alphas = (alpha, _halved(alpha), _halved(alpha))
        return cls(left, top, tuple(_fixed(p) for p in planes), tuple(_fixed(a) for a in alphas))

    def blend(self, planes: Sequence[NDArray[np.uint8]], opacity: float) -> None:
        """Draw it in place on the Y, Cb and Cr planes of a frame; ``opacity`` 0 to 1."""
        if opacity <= 0:
            return
        scale = round(min(opacity, 1) * 256)
        for i, plane in enumerate(planes):
            colour, alpha = self.colours[i], self.alphas[i]
            if scale < 256:
                colour, alpha = _faded(colour, scale), _faded(alpha, scale)
            left, top = (self.left, self.top) if i == 0 else (self.left // 2, self.top // 2)
            part = plane[top : top + colour.shape[0], left : left + colour.shape[1]]
            part[:] = (part * (256 - alpha) + colour) >> 8


def _halved(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of every 2 x 2 pixels: 4:2:0 chroma."""
    height, width = plane.shape
    halved: NDArray[np.float64] = plane.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
    return halved


def _fixed(plane: NDArray[np.float64]) -> NDArray[np.uint16]:
    return np.rint(plane * 256).astype(np.uint16)


def _faded(plane: NDArray[np.uint16], scale: int) -> NDArray[np.uint16]:
    return ((plane.astype(np.uint32) * scale) >> 8).astype(np.uint16)


def caption(prompt: str, *, width: int, height: int) -> Overlay | None:
    """The prompt in the lower third of a frame of ``width`` x ``height`` pixels, or None if nothing can be written."""
    text = drawable(prompt)
    if not text:
        return None
    side = min(width, height)
    font = _font(max(7, round(side * 0.038)))
    padding, bar, margin = round(side * 0.024), max(2, round(side * 0.007)), round(side * 0.048)
    lines = wrapped(text, font, width * TEXT_WIDTH - 2 * padding - bar)
    line_height = round(font.size * 1.4)
    box_width = round(max(font.getlength(line) for line in lines)) + 2 * padding + bar
    box_height = line_height * len(lines) + 2 * round(padding * 0.62)
    picture = _box(min(box_width, width - margin), box_height, radius=round(side * 0.014), bar=bar)
    draw = ImageDraw.Draw(picture)
    for i, line in enumerate(lines):
        middle = round(padding * 0.62) + line_height * (i + 0.5)
        draw.text((bar + padding, middle), line, fill=(*WHITE, 255), font=font, anchor="lm")
    left = min(margin, (width - picture.width) // 2)
    return Overlay.of(picture, _even(left), _even(max(0, height - margin - picture.height)))


def chip(*, width: int, height: int) -> Overlay:
    """The words "Demo clip" in the top right corner, so that nobody takes the clip for a model's work."""
    side = min(width, height)
    size = max(5.0, side * 0.024)
    size = min(size, size * width * 0.86 / _font(size).getlength(CHIP_TEXT))
    font = _font(size)
    padding, margin = round(size * 0.85), round(side * 0.048)
    box_width, box_height = round(font.getlength(CHIP_TEXT)) + 2 * padding, round(size * 2.1)
    picture = _box(min(box_width, width), min(box_height, height), radius=box_height // 2, bar=0)
    ImageDraw.Draw(picture).text(
        (picture.width / 2, picture.height / 2), CHIP_TEXT, fill=(*WHITE, 235), font=font, anchor="mm"
    )
    left = max(0, min(width - margin - picture.width, width - picture.width))
    return Overlay.of(picture, _even(left), _even(min(margin, height - picture.height)))


def _box(width: int, height: int, *, radius: int, bar: int) -> Image.Image:
    """A translucent dark rounded box of at least this size (made even), with an accent bar of ``bar`` pixels left."""
    width, height, s = width + width % 2, height + height % 2, SUPERSAMPLING
    shape = Image.new("L", (width * s, height * s), 0)
    ImageDraw.Draw(shape).rounded_rectangle((0, 0, width * s - 1, height * s - 1), radius * s, fill=255)
    shape = shape.resize((width, height), Image.Resampling.BOX)
    box = Image.new("RGBA", (width, height), (*INK, 0))
    box.putalpha(shape.point([round(level * 0.62) for level in range(256)]))
    if bar:
        strip = shape.crop((0, 0, bar, height))
        box.paste(Image.new("RGB", strip.size, ACCENT), (0, 0), strip)
        alpha = box.getchannel("A")
        alpha.paste(strip, (0, 0))
        box.putalpha(alpha)
    return box


def wrapped(text: str, font: ImageFont.FreeTypeFont, most_pixels: float) -> list[str]:
    """At most two lines no wider than ``most_pixels``; what does not fit ends in an ellipsis."""
    lines: list[str] = []
    rest = text
    while rest and len(lines) < MOST_LINES:
        if len(lines) == MOST_LINES - 1 and font.getlength(rest) > most_pixels:
            end = _line_end(rest, font, most_pixels - font.getlength("…"))
            return [*lines, rest[:end].rstrip(" ,.;:") + "…"]
        end = _line_end(rest, font, most_pixels)
        lines.append(rest[:end].strip())
        rest = rest[end:].strip()
    return lines


def _line_end(text: str, font: ImageFont.FreeTypeFont, most_pixels: float) -> int:
    """How many first characters make a line: whole words, or at least one character of a word too long for it."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if font.getlength(text[:middle]) <= most_pixels else (low, middle - 1)
    if low < len(text) and text[low] != " " and " " in text[:low]:
        return text.rindex(" ", 0, low)
    return low


def drawable(text: str) -> str:
    """The text on one line, without what the font has no glyph for and without invisible controls."""
    one_line = " ".join(unicodedata.normalize("NFC", text).split())
    kept = "".join(character for character in one_line if character == " " or _has_glyph(character))
    return " ".join(kept.split())[:MOST_CHARACTERS]


@functools.lru_cache(maxsize=4096)
def _has_glyph(character: str) -> bool:
    """Whether the font draws it as anything but its missing-glyph box (Pillow offers no look at the character map)."""
    category = unicodedata.category(character)
    if category in {"Cc", "Cf", "Cs", "Co", "Cn"}:
        return character == "\u200c"  # the non-joiner shapes Persian words; every other one is a control
    font = ImageFont.truetype(FONT, 32, layout_engine=ImageFont.Layout.BASIC)
    return bytes(font.getmask(character)) != bytes(font.getmask(MISSING))


@functools.lru_cache(maxsize=16)
def _font(size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, size)


def _even(pixels: int) -> int:
    return pixels - pixels % 2
