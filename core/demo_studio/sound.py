"""The sound of a clip: a slow pad of chords and the air of the scene, repeatable from the seed."""

import numpy as np

from core.demo_studio.noise import Floats
from core.demo_studio.reading import Look

RATE = 48_000
_CHORDS = {
    "bright": ((0, 4, 7, 11, 14), (-3, 4, 9, 12, 16), (-7, 0, 5, 9, 16), (-5, 2, 7, 11, 14)),
    "calm": ((0, 7, 12, 16, 19), (-4, 3, 8, 12, 19), (-7, 0, 5, 12, 15), (-2, 5, 10, 14, 17)),
    "dark": ((0, 7, 12, 15, 19), (-4, 3, 8, 15, 20), (-7, 0, 5, 8, 15), (-5, 2, 7, 10, 14)),
}
_MOODS = {"day": "bright", "dawn": "bright", "winter": "bright", "desert": "calm", "sunset": "calm", "mist": "calm"}


def compose(look: Look, seconds: float) -> Floats:
    """Stereo sound, (2, samples) in -1..1."""
    rng = np.random.default_rng([look.seed, 3])
    samples = round(seconds * RATE)
    time = np.arange(samples, dtype=np.float64) / RATE
    chords = _CHORDS[_MOODS.get(look.palette, "dark")]
    root = 220.0 * 2 ** (int(rng.integers(-7, 5)) / 12) / 2
    each = max(2.5, seconds / 4)
    mix = np.zeros((2, samples))
    for number in range(int(np.ceil(seconds / each)) + 1):
        mix += _chord(time - number * each, each, root, chords[number % len(chords)], rng)
    mix += _air(look, samples, time, rng)
    edge = np.clip(np.minimum(time / 0.35, (seconds - time) / 0.6), 0, 1)
    mix *= edge * edge * (3 - 2 * edge)
    found: Floats = np.tanh(mix * 0.9).astype(np.float32)
    return found


def silence(seconds: float) -> Floats:
    """As long, and nothing to hear."""
    return np.zeros((2, round(seconds * RATE)), dtype=np.float32)


def _chord(local: Floats, length: float, root: float, steps: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """One chord that swells and fades into the next; `local` is the time since it began."""
    share = np.clip(local / (length * 1.3) + 0.12, 0, 1)
    swell = np.sin(np.pi * share) ** 1.5
    found = np.zeros((2, local.size), dtype=np.float32)
    if not swell.any():
        return found
    for step in steps:
        pitch = root * 2 ** (step / 12)
        side = rng.uniform(0.25, 0.75)
        drift = rng.uniform(0.1, 0.35)
        phase = 2 * np.pi * pitch * local + 0.6 * np.sin(2 * np.pi * drift * local + rng.uniform(0, 6))
        voice = np.sin(phase) + 0.32 * np.sin(2.003 * phase) + 0.1 * np.sin(3.001 * phase)
        voice *= swell * 0.07 * min(1.0, 330 / pitch)
        found[0] += (voice * np.sqrt(1 - side)).astype(np.float32)
        found[1] += (voice * np.sqrt(side)).astype(np.float32)
    return found


def _air(look: Look, samples: int, time: Floats, rng: np.random.Generator) -> Floats:
    """Wind, waves or rain: shaped noise."""
    low, high, power = 90.0, 700.0, 0.02
    if look.kind != "landscape":
        low, high, power = 40.0, 260.0, 0.02
    elif look.weather == "rain":
        low, high, power = 900.0, 7000.0, 0.035
    elif look.terrain == "sea":
        low, high, power = 200.0, 1800.0, 0.05
    length = 1 << (max(2, samples - 1)).bit_length()
    frequency = np.fft.rfftfreq(length, 1 / RATE)
    shape = (frequency / low) ** 2 / (1 + (frequency / low) ** 2) / (1 + (frequency / high) ** 2)
    found = np.empty((2, samples), dtype=np.float32)
    for side in range(2):
        white = rng.standard_normal(length, dtype=np.float32)
        shaped = np.fft.irfft(np.fft.rfft(white) * shape, n=length)[:samples]
        found[side] = shaped / (shaped.std() + 1e-9)
    pace = 0.16 if look.terrain == "sea" else 0.09
    found *= power * (0.6 + 0.4 * np.sin(2 * np.pi * pace * time + rng.uniform(0, 6))).astype(np.float32)
    return found
