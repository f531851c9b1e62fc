"""Moving pictures out of a start and an end image: slow camera moves, an organic dissolve, a light leak."""

import hashlib
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageOps

ZOOM = 1.14  # how much closer the camera is at its nearest
DISSOLVE_BEGINS, DISSOLVE_ENDS = 0.40, 0.62  # shares of the clip
DISSOLVE_SOFTNESS = 0.35  # share of the dissolve a single pixel takes
LEAK_COLOURS = ((255, 150, 70), (255, 90, 110))
LEAK_SCALE = 16  # the leak is drawn this much smaller: it has no detail


class Picture(Protocol):
    """Anything with a frame at every moment of the clip."""

    def frame(self, t_seconds: float, /) -> NDArray[np.uint8]:
        """(height, width, 3) RGB at ``t_seconds``."""


class KenBurns:
    """A slow eased move over one image, cropped to fill ``width`` x ``height``; ``closing``: nearer or farther."""

    def __init__(
        self, path: Path, *, width: int, height: int, seconds: float, words: str, closing: bool = True
    ) -> None:
        self._size, self._seconds, self._closing = (width, height), seconds, closing
        with Image.open(path, formats=("JPEG",)) as image:
            longer = round(max(width, height) * ZOOM)  # both ways, since the image may lie on its side
            image.draft("RGB", (longer, longer))  # decodes a large JPEG small at once
            upright = ImageOps.exif_transpose(image).convert("RGB")
        scale = max(width / upright.width, height / upright.height) * ZOOM
        if scale < 1:  # never less than one pixel of the image for one of the frame, at the nearest
            smaller = (max(1, round(upright.width * scale)), max(1, round(upright.height * scale)))
            upright = upright.resize(smaller, Image.Resampling.LANCZOS)
        self._image = upright
        self._drift = np.random.default_rng(seed(words)).uniform(-1, 1, 2)

    def frame(self, t_seconds: float) -> NDArray[np.uint8]:
        """The image from where the camera is at ``t_seconds``; float boxes keep the move free of jitter."""
        nearness = eased(t_seconds / self._seconds)
        if not self._closing:
            nearness = 1 - nearness
        width, height = self._size
        cover = min(self._image.width / width, self._image.height / height) / (1 + (ZOOM - 1) * nearness)
        across, down = width * cover, height * cover
        left = (self._image.width - across) / 2 * (1 + self._drift[0] * nearness)
        top = (self._image.height - down) / 2 * (1 + self._drift[1] * nearness)
        box = (left, top, min(left + across, self._image.width), min(top + down, self._image.height))
        return np.asarray(self._image.resize(self._size, Image.Resampling.BICUBIC, box=box))


class Dissolve:
    """One picture turning into another between 40 and 62 % of the clip, spreading like ink through cloudy noise."""

    def __init__(self, first: Picture, second: Picture, *, width: int, height: int, seconds: float, words: str) -> None:
        self._first, self._second, self._seconds = first, second, seconds
        self._turn = _clouds(width, height, np.random.default_rng(seed(words)))

    def frame(self, t_seconds: float) -> NDArray[np.uint8]:
        """The first picture, the second, or the mix of both."""
        share = t_seconds / self._seconds
        if share <= DISSOLVE_BEGINS:
            return self._first.frame(t_seconds)
        if share >= DISSOLVE_ENDS:
            return self._second.frame(t_seconds)
        progress = eased((share - DISSOLVE_BEGINS) / (DISSOLVE_ENDS - DISSOLVE_BEGINS))
        level = (progress * (1 + DISSOLVE_SOFTNESS) - self._turn) * (255 / DISSOLVE_SOFTNESS)
        mask = Image.fromarray(np.clip(level, 0, 255).astype(np.uint8))
        first, second = (Image.fromarray(p.frame(t_seconds)) for p in (self._first, self._second))
        return np.asarray(Image.composite(second, first, mask))


class LightLeak:
    """A picture under warm stray light that wanders in from the sides, as if the camera were not quite tight."""

    def __init__(self, picture: Picture, *, width: int, height: int, seconds: float, words: str) -> None:
        self._picture, self._size, self._seconds = picture, (width, height), seconds
        self._phase = float(np.random.default_rng(seed(words)).uniform(0, 2 * np.pi))
        small = max(2, height // LEAK_SCALE), max(2, width // LEAK_SCALE)
        self._down, self._across = np.meshgrid(*(np.linspace(0, 1, n) for n in small), indexing="ij")

    def frame(self, t_seconds: float) -> NDArray[np.uint8]:
        """The picture at ``t_seconds`` with the light screened onto it."""
        share = t_seconds / self._seconds
        light = np.zeros((*self._down.shape, 3))
        for side, colour in enumerate(LEAK_COLOURS):
            turn = self._phase + side * 2.4 + share * 2.2
            across = side + 0.22 * np.sin(turn)
            down = 0.35 + 0.4 * side + 0.25 * np.cos(turn * 0.7)
            distance = ((self._across - across) / 0.42) ** 2 + ((self._down - down) / 0.75) ** 2
            strength = 0.36 * (0.6 + 0.4 * np.sin(turn * 1.3))
            light += np.exp(-distance)[..., None] * np.array(colour) * strength
        leak = Image.fromarray(np.rint(np.minimum(light, 255)).astype(np.uint8))
        leak = leak.resize(self._size, Image.Resampling.BICUBIC)
        return np.asarray(ImageChops.screen(Image.fromarray(self._picture.frame(t_seconds)), leak))


def eased(share: float) -> float:
    """0 to 1 with a soft start and end (smoothstep)."""
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)


def seed(words: str) -> int:
    """The same number for the same words, on every machine."""
    return int.from_bytes(hashlib.sha256(words.encode("utf-8", "surrogatepass")).digest()[:8])


def _clouds(width: int, height: int, chance: np.random.Generator) -> NDArray[np.float32]:
    """When each pixel turns, 0 to 1: noise of four octaves, evened out so that equal times turn equal areas."""
    total = np.zeros((height, width), np.float32)
    for octave in range(4):
        cell = max(width, height) / (3 * 2**octave)
        grid = chance.standard_normal((round(height / cell) + 2, round(width / cell) + 2), np.float32)
        layer = Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC)
        total += np.asarray(layer) * 0.5**octave
    spread = np.quantile(total[::4, ::4], np.linspace(0, 1, 65))
    return np.interp(total, spread, np.linspace(0, 1, 65)).astype(np.float32)
