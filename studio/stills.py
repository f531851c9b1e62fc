"""Moving pictures out of a start and an end image: slow camera moves, an organic dissolve, a light leak."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageOps

from studio.noise import eased, fractal, generator
from studio.picture import Picture, Shot

ZOOM = 1.22  # how much closer the camera is at its nearest
DISSOLVE_BEGINS, DISSOLVE_ENDS = 0.40, 0.62  # shares of the clip
DISSOLVE_SOFTNESS = 0.35  # share of the dissolve a single pixel takes
LEAK_COLOURS = ((255, 150, 70), (255, 90, 110))
LEAK_SCALE = 16  # the leak is drawn this much smaller: it has no detail


class KenBurns:
    """A slow eased move over one image, cropped to fill the frame; ``closing``: nearer or farther."""

    def __init__(self, path: Path, shot: Shot, *, closing: bool = True) -> None:
        self._shot, self._closing = shot, closing
        width, height = shot.width, shot.height
        with Image.open(path, formats=("JPEG",)) as image:
            longer = round(max(width, height) * ZOOM)  # both ways, since the image may lie on its side
            image.draft("RGB", (longer, longer))  # decodes a large JPEG small at once
            upright = ImageOps.exif_transpose(image).convert("RGB")
        scale = max(width / upright.width, height / upright.height) * ZOOM
        if scale < 1:  # never less than one pixel of the image for one of the frame, at the nearest
            smaller = (max(1, round(upright.width * scale)), max(1, round(upright.height * scale)))
            upright = upright.resize(smaller, Image.Resampling.LANCZOS)
        self._image = upright
        self._drift = generator(shot.prompt).uniform(-1, 1, 2)

    def frame(self, t_seconds: float) -> Image.Image:
        """The image from where the camera is at ``t_seconds``; float boxes keep the move free of jitter."""
        nearness = eased(self._shot.share(t_seconds) if self._closing else 1 - self._shot.share(t_seconds))
        width, height = self._shot.width, self._shot.height
        cover = min(self._image.width / width, self._image.height / height) / (1 + (ZOOM - 1) * nearness)
        across, down = width * cover, height * cover
        left = (self._image.width - across) / 2 * (1 + self._drift[0] * nearness)
        top = (self._image.height - down) / 2 * (1 + self._drift[1] * nearness)
        box = (left, top, min(left + across, self._image.width), min(top + down, self._image.height))
        return self._image.resize((width, height), Image.Resampling.BICUBIC, box=box)


class Dissolve:
    """One picture turning into another between 40 and 62 % of the clip, spreading like ink through cloudy noise."""

    def __init__(self, first: Picture, second: Picture, shot: Shot) -> None:
        self._first, self._second, self._shot = first, second, shot
        clouds = fractal(generator(shot.prompt), shot.height, shot.width, (3 * shot.height / shot.width, 3), 4)
        # When each pixel turns, evened out so that equal times turn equal areas.
        spread = np.quantile(clouds[::4, ::4], np.linspace(0, 1, 65))
        self._turn = np.interp(clouds, spread, np.linspace(0, 1, 65)).astype(np.float32)

    def frame(self, t_seconds: float) -> Image.Image:
        """The first picture, the second, or the mix of both."""
        share = self._shot.share(t_seconds)
        if share <= DISSOLVE_BEGINS:
            return self._first.frame(t_seconds)
        if share >= DISSOLVE_ENDS:
            return self._second.frame(t_seconds)
        progress = eased((share - DISSOLVE_BEGINS) / (DISSOLVE_ENDS - DISSOLVE_BEGINS))
        level = (progress * (1 + DISSOLVE_SOFTNESS) - self._turn) * (255 / DISSOLVE_SOFTNESS)
        mask = Image.fromarray(np.clip(level, 0, 255).astype(np.uint8))
        return Image.composite(self._second.frame(t_seconds), self._first.frame(t_seconds), mask)


class LightLeak:
    """A picture under warm stray light that wanders in from the sides, as if the camera were not quite tight."""

    def __init__(self, picture: Picture, shot: Shot) -> None:
        self._picture, self._shot = picture, shot
        self._phase = float(generator(shot.prompt).uniform(0, 2 * np.pi))
        small = max(2, shot.height // LEAK_SCALE), max(2, shot.width // LEAK_SCALE)
        self._down, self._across = np.meshgrid(*(np.linspace(0, 1, n) for n in small), indexing="ij")

    def frame(self, t_seconds: float) -> Image.Image:
        """The picture at ``t_seconds`` with the light screened onto it."""
        light = np.zeros((*self._down.shape, 3))
        for side, colour in enumerate(LEAK_COLOURS):
            turn = self._phase + side * 2.4 + self._shot.share(t_seconds) * 2.2
            across, down = side + 0.22 * np.sin(turn), 0.35 + 0.4 * side + 0.25 * np.cos(turn * 0.7)
            distance = ((self._across - across) / 0.42) ** 2 + ((self._down - down) / 0.75) ** 2
            light += np.exp(-distance)[..., None] * np.array(colour) * (0.36 * (0.6 + 0.4 * np.sin(turn * 1.3)))
        leak = Image.fromarray(np.rint(np.minimum(light, 255)).astype(np.uint8))
        leak = leak.resize((self._shot.width, self._shot.height), Image.Resampling.BICUBIC)
        return ImageChops.screen(self._picture.frame(t_seconds), leak)
