"""Moving pictures out of a start and an end image: slow camera moves and an organic dissolve."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from studio.noise import fractal, generator, smoothstep
from studio.picture import Picture, Shot

ZOOM = 1.22  # how much closer the camera is at its nearest
DISSOLVE_BEGINS, DISSOLVE_ENDS = 0.40, 0.62  # shares of the clip
DISSOLVE_SOFTNESS = 0.35  # share of the dissolve a single pixel takes


class KenBurns:
    """A slow eased move over one image, cropped to fill the frame; ``closing``: nearer or farther."""

    def __init__(self, path: Path, shot: Shot, *, closing: bool = True) -> None:
        self._shot, self._closing = shot, closing
        with Image.open(path, formats=("JPEG",)) as image:
            longer = round(max(shot.width, shot.height) * ZOOM)  # both ways, since the image may lie on its side
            image.draft("RGB", (longer, longer))  # decodes a large JPEG small at once
            upright = ImageOps.exif_transpose(image).convert("RGB")
        scale = max(shot.width / upright.width, shot.height / upright.height) * ZOOM
        if scale < 1:  # never less than one pixel of the image for one of the frame, at the nearest
            smaller = (max(1, round(upright.width * scale)), max(1, round(upright.height * scale)))
            upright = upright.resize(smaller, Image.Resampling.LANCZOS)
        self._image = upright
        self._drift = generator(shot.prompt).uniform(-1, 1, 2)

    def frame(self, t_seconds: float) -> Image.Image:
        """The image from where the camera is at ``t_seconds``; float boxes keep the move free of jitter."""
        share = self._shot.share(t_seconds)
        nearness = float(smoothstep(0.0, 1.0, share if self._closing else 1.0 - share))
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
        # When each pixel turns.
        self._turn = fractal(generator(shot.prompt), shot.height, shot.width, (3 * shot.height / shot.width, 3), 4)

    def frame(self, t_seconds: float) -> Image.Image:
        """The first picture, the second, or the mix of both."""
        share = self._shot.share(t_seconds)
        if share <= DISSOLVE_BEGINS:
            return self._first.frame(t_seconds)
        if share >= DISSOLVE_ENDS:
            return self._second.frame(t_seconds)
        progress = smoothstep(DISSOLVE_BEGINS, DISSOLVE_ENDS, share)
        level = (progress * (1 + DISSOLVE_SOFTNESS) - self._turn) * (255 / DISSOLVE_SOFTNESS)
        mask = Image.fromarray(np.clip(level, 0, 255).astype(np.uint8))
        return Image.composite(self._second.frame(t_seconds), self._first.frame(t_seconds), mask)
