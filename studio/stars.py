"""Sheets of stars for skies and space."""

import numpy as np
from PIL import Image

STARLIGHT = (238, 243, 255, 255)


def sheet(rng: np.random.Generator, size: tuple[int, int], *, count: int, near: bool, unit: float) -> Image.Image:
    """Mask of (width, height) pixels with stars; the near ones are larger and brighter. `unit`: pixels a radius."""
    light = np.zeros((size[1], size[0]), np.float32)
    for across, down, luck in rng.random((count, 3)):
        power, radius = (0.25 + 0.75 * luck**3) * (1.0 if near else 0.65), (0.7 + luck**4 * near) * unit
        reach = int(radius * 3) + 2
        left, top = max(0, int(across * size[0]) - reach), max(0, int(down * size[1]) - reach)
        part = light[top : top + 2 * reach, left : left + 2 * reach]
        y, x = np.ogrid[top : top + part.shape[0], left : left + part.shape[1]]
        distance = (y - down * size[1]) ** 2 + (x - across * size[0]) ** 2
        np.maximum(part, power * np.exp(-distance / radius**2), out=part)
    return Image.fromarray((light * 255).astype(np.uint8))
