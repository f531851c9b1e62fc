"""The sound of a demo clip: a soft chord pad, the same for the same words."""

import numpy as np
from numpy.typing import NDArray

from studio.noise import generator

SAMPLES_PER_SECOND = 48_000
CHORD_SECONDS = 4.0
CROSSFADE_SECONDS = 1.6
FADE_SECONDS = 0.8
LEVEL = 0.11

# Semitones above the root; neighbours share notes, so that one chord melts into the next.
CHORDS = ((0, 7, 14, 16), (-3, 7, 12, 16), (-7, 9, 12, 16), (-5, 7, 14, 17))
ROOTS_HERTZ = (98.0, 103.83, 110.0, 116.54, 123.47, 130.81)


class Pad:
    """The sound of a clip of ``seconds``; every sample is a function of its time and of ``words`` only."""

    def __init__(self, words: str, *, seconds: float) -> None:
        chance = generator(words)
        self._seconds = seconds
        self._root = float(chance.choice(ROOTS_HERTZ))
        self._phases = chance.uniform(0, 2 * np.pi, (2, 4))

    def block(self, start: int, count: int) -> NDArray[np.float32]:
        """Samples ``start`` to ``start + count``: (2, count), within -1 to 1."""
        seconds = np.arange(start, start + count) / SAMPLES_PER_SECOND
        both = np.zeros((2, count))
        first = max(0, int((seconds[0] - CROSSFADE_SECONDS) // CHORD_SECONDS))
        for number in range(first, int(seconds[-1] // CHORD_SECONDS) + 1):
            # Neighbouring chords are crossfaded at equal power.
            into = seconds - number * CHORD_SECONDS
            opening = np.clip(into / CROSSFADE_SECONDS, 0, 1) if number else 1.0
            closing = np.clip(1 - (into - CHORD_SECONDS) / CROSSFADE_SECONDS, 0, 1)
            both += self._chord(number, seconds) * np.sin(opening * np.pi / 2) * np.sin(closing * np.pi / 2)
        # Silent at both ends of the clip, rising and falling without a corner.
        edge = np.minimum(seconds, self._seconds - seconds) / min(FADE_SECONDS, self._seconds / 3)
        both *= LEVEL * np.sin(np.clip(edge, 0, 1) * np.pi / 2) ** 2
        return both.astype(np.float32)

    def _chord(self, number: int, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """One chord: a few sines a voice, a hair apart between left and right, each voice swelling on its own."""
        both = np.zeros((2, len(seconds)))
        for voice, semitones in enumerate(CHORDS[number % len(CHORDS)]):
            hertz = self._root * 2 ** (semitones / 12)
            swell = 0.8 + 0.2 * np.sin(seconds * (0.7 + 0.23 * voice) + self._phases[0, voice])
            for side, detune in enumerate((0.9988, 1.0012)):
                turn = 2 * np.pi * hertz * detune * seconds + self._phases[side, voice]
                tone = np.sin(turn) + 0.22 * np.sin(2 * turn) + 0.07 * np.sin(3 * turn)
                both[side] += tone * swell / (1 + 0.35 * voice)
        return both
