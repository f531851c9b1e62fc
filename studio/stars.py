"""Sheets of stars for skies and space."""

import numpy as np
from PIL import Image

STARLIGHT = (238, 243, 255, 255)


def sheet(rng: np.random.Generator, size: tuple[int, int], *, count: int, near: bool, unit: float) -> Image.Image:
    """Mask of (width, height) pixels with stars; the near ones are larger and have a halo. `unit`: pixels a radius."""
    wide, high = size
    light = np.zeros((high, wide), np.float32)
    for _ in range(count):
        x, y, luck, spread = rng.random() * wide, rng.random() * high, rng.random(), rng.random()
        power = (0.25 + 0.75 * luck**3) * (1.0 if near else 0.65)
        radius = (0.95 + 0.8 * luck**4 if near else 0.70) * unit * (0.8 + 0.4 * spread)
        reach = int(radius * (6 if near else 3)) + 2
        left, top = max(0, int(x) - reach), max(0, int(y) - reach)
        down = np.arange(top, min(high, int(y) + reach), dtype=np.float32)[:, None] - y
        across = np.arange(left, min(wide, int(x) + reach), dtype=np.float32)[None, :] - x
        distance = (down**2 + across**2) / radius**2
        spot = power * (np.exp(-distance) + (0.16 * np.exp(-distance / 9.0) if near else 0.0))
        part = light[top : top + down.shape[0], left : left + across.shape[1]]
        np.maximum(part, spot, out=part)
    return Image.fromarray((np.clip(light, 0, 1) * 255).astype(np.uint8))
