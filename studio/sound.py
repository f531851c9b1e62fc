"""The sound of a demo clip: a soft chord pad with a little air, the same for the same words."""

import numpy as np
from numpy.typing import NDArray

from studio.noise import generator

SAMPLES_PER_SECOND = 48_000
CHORD_SECONDS = 4.0
CROSSFADE_SECONDS = 1.6
FADE_SECONDS = 0.8
AIR_SECONDS = 4  # the loop of air is periodic, so it repeats without a click
PAD_LEVEL = 0.11
AIR_LEVEL = 0.006

# Semitones above the root; neighbours share notes, so that one chord melts into the next.
PROGRESSIONS = (
    ((0, 7, 14, 16), (-3, 7, 12, 16), (-7, 9, 12, 16), (-5, 7, 14, 17)),
    ((0, 7, 15, 22), (-4, 8, 15, 19), (-9, 10, 15, 19), (-2, 10, 14, 17)),
    ((0, 11, 16, 19), (-5, 11, 14, 19), (-3, 12, 16, 19), (-7, 12, 16, 21)),
)
ROOTS_HERTZ = (110.0, 116.54, 123.47, 130.81, 98.0, 103.83)
OVERTONES = ((1, 1.0), (2, 0.22), (3, 0.07))


class Pad:
    """The sound of a clip of ``seconds``; every sample is a function of its time and of ``words`` only."""

    def __init__(self, words: str, *, seconds: float) -> None:
        chance = generator(words)
        self._seconds = seconds
        self._root = float(chance.choice(ROOTS_HERTZ))
        self._progression = PROGRESSIONS[int(chance.integers(len(PROGRESSIONS)))]
        self._phases = chance.uniform(0, 2 * np.pi, (2, 4))
        # Wind: white noise shaped in its spectrum, hence periodic.
        count = AIR_SECONDS * SAMPLES_PER_SECOND
        hertz = np.fft.rfftfreq(count, 1 / SAMPLES_PER_SECOND)
        shape = hertz / 250 / (1 + (hertz / 250) ** 2) / (1 + (hertz / 2500) ** 2)
        air = np.fft.irfft(np.fft.rfft(chance.standard_normal((2, count))) * shape, count)
        self._air = air / air.std()

    def block(self, start: int, count: int) -> NDArray[np.float32]:
        """Samples ``start`` to ``start + count``: (2, count), within -1 to 1."""
        samples = np.arange(start, start + count)
        seconds = samples / SAMPLES_PER_SECOND
        both = self._chords(seconds) * PAD_LEVEL
        both += self._air[:, samples % self._air.shape[1]] * AIR_LEVEL * (1 + 0.5 * np.sin(seconds * 0.9))
        # Silent at both ends of the clip, rising and falling without a corner.
        edge = np.minimum(seconds, self._seconds - seconds) / min(FADE_SECONDS, self._seconds / 3)
        both *= np.sin(np.clip(edge, 0, 1) * np.pi / 2) ** 2
        return both.astype(np.float32)

    def _chords(self, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Every chord that sounds during these seconds, crossfaded at equal power."""
        both = np.zeros((2, len(seconds)))
        first = max(0, int((seconds[0] - CROSSFADE_SECONDS) // CHORD_SECONDS))
        for number in range(first, int(seconds[-1] // CHORD_SECONDS) + 1):
            into = seconds - number * CHORD_SECONDS
            opening = np.clip(into / CROSSFADE_SECONDS, 0, 1) if number else np.ones_like(into)
            closing = np.clip(1 - (into - CHORD_SECONDS) / CROSSFADE_SECONDS, 0, 1)
            both += self._chord(number, seconds) * np.sin(opening * np.pi / 2) * np.sin(closing * np.pi / 2)
        return both

    def _chord(self, number: int, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """One chord: a few sines a voice, a hair apart between left and right, each voice swelling on its own."""
        both = np.zeros((2, len(seconds)))
        for voice, semitones in enumerate(self._progression[number % len(self._progression)]):
            hertz = self._root * 2 ** (semitones / 12)
            swell = 0.8 + 0.2 * np.sin(seconds * (0.7 + 0.23 * voice) + self._phases[0, voice])
            for side, detune in enumerate((0.9988, 1.0012)):
                turn = 2 * np.pi * hertz * detune * seconds + self._phases[side, voice]
                tone = sum(level * np.sin(multiple * turn) for multiple, level in OVERTONES)
                both[side] += tone * swell / (1 + 0.35 * voice)
        return both
