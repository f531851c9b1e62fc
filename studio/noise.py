"""Smooth seeded noise fields that the scenes are built from; knows nothing of pictures or prompts."""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Field = NDArray[np.floating[Any]]


def generator(words: str) -> np.random.Generator:
    """Random generator that is the same for the same words on every machine."""
    digest = hashlib.sha256(words.encode("utf-8", "surrogatepass")).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def fractal(  # noqa: PLR0917 - size, lattice and octaves read in one line at every call
    rng: np.random.Generator, height: int, width: int, cells: tuple[float, float], octaves: int, gain: float = 0.5, *,
    ridged: bool = False,
) -> Field:  # fmt: skip
    """Fractal noise of shape (height, width) in 0..1; `cells` are the lattice cells (down, across) of octave one.

    `ridged` folds every octave, which gives sharp crests like worn rock.
    """
    total = np.zeros((height, width), dtype=np.float32)
    for octave in range(octaves):
        # Detail finer than three samples would only alias.
        rows, columns = (
            min(max(2, round(lattice * 2**octave)) + 3, max(5, size // 3))
            for lattice, size in zip(cells, (height, width), strict=True)
        )
        grid = Image.fromarray(rng.random((rows, columns), dtype=np.float32))
        values = np.asarray(grid.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)
        total += gain**octave * (1.0 - np.abs(2.0 * values - 1.0) if ridged else values)
    low, high = float(total.min()), float(total.max())
    return (total - low) / max(high - low, 1e-6)


def smoothstep(low: float, high: float, values: Field | float) -> Field:
    """Hermite step from 0 at `low` to 1 at `high`; `low` may be above `high`."""
    ramp = np.clip((values - low) / (high - low), 0.0, 1.0)
    return np.asarray(ramp * ramp * (3.0 - 2.0 * ramp), np.float32)


def sample(field: Field, rows: Field, columns: Field) -> Field:
    """Bilinear look-up of `field` at float positions, mirrored at the edges so that nothing jumps."""
    height, width = field.shape[:2]
    rows = (height - 1.001) - np.abs(np.mod(rows, 2.0 * (height - 1.001)) - (height - 1.001))
    columns = (width - 1.001) - np.abs(np.mod(columns, 2.0 * (width - 1.001)) - (width - 1.001))
    top, left = rows.astype(np.int32), columns.astype(np.int32)
    down, across = (rows - top).astype(np.float32), (columns - left).astype(np.float32)
    flat, plain = top * width + left, field.reshape(height * width)
    upper = plain[flat] * (1 - across) + plain[flat + 1] * across
    lower = plain[flat + width] * (1 - across) + plain[flat + width + 1] * across
    blend: Field = upper * (1 - down) + lower * down
    return blend
