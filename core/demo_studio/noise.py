"""Fields of smooth randomness, made by shaping white noise in the frequency domain: tileable, any size, repeatable."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
"""Numbers of either width; what is kept and what is drawn with is float32."""


def field(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    largest: float,
    smallest: float = 2.0,
    slope: float = 2.0,
    stretch: tuple[float, float] = (1.0, 1.0),
) -> Floats:
    """A (height, width) field, mean 0 and deviation 1; wraps at its edges where both sizes are powers of two.

    `largest` and `smallest` are feature sizes in pixels, `slope` how fast small features fade, `stretch` (y, x) how
    much longer than that features are in each direction.
    """
    rows, columns = _quick(height), _quick(width)
    white = rng.standard_normal((rows, columns), dtype=np.float32)
    fy = np.fft.fftfreq(rows).astype(np.float32)[:, None] * stretch[0]
    fx = np.fft.rfftfreq(columns).astype(np.float32)[None, :] * stretch[1]
    frequency = np.hypot(fy, fx)
    shape = (frequency + 1.0 / largest) ** -slope * np.exp(-((frequency * smallest) ** 2))
    shape *= frequency > 0
    found = np.fft.irfft2(np.fft.rfft2(white) * shape, s=(rows, columns)).astype(np.float32)
    found = found[:height, :width]
    even: Floats = found / (float(found.std()) + 1e-9)
    return even


def _quick(length: int) -> int:
    """The next length whose only factors are 2, 3 and 5: others take the transform several times longer."""
    while True:
        rest = length
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return length
        length += 1


def line(rng: np.random.Generator, length: int, *, largest: float, smallest: float = 2.0, slope: float = 1.5) -> Floats:
    """The same along one dimension."""
    found: Floats = field(rng, 1, length, largest=largest, smallest=smallest, slope=slope)[0]
    return found


def smoothstep(low: float, high: float, value: Floats) -> Floats:
    """0 below `low`, 1 above `high`, smooth between."""
    share = np.clip((value - low) / (high - low), 0.0, 1.0)
    eased: Floats = share * share * (3.0 - 2.0 * share)
    return eased


def sample(texture: Floats, y: Floats, x: Floats) -> Floats:
    """The texture at fractional places, between its four neighbours, wrapping at the edges."""
    height, width = texture.shape[:2]
    y0, x0 = np.floor(y), np.floor(x)
    fy, fx = y - y0, x - x0
    row, column = y0.astype(np.int32) % height, x0.astype(np.int32) % width
    below, right = (row + 1) % height, (column + 1) % width
    top = texture[row, column] * (1 - fx) + texture[row, right] * fx
    bottom = texture[below, column] * (1 - fx) + texture[below, right] * fx
    found: Floats = top * (1 - fy) + bottom * fy
    return found
