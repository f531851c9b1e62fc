"""Shows a prompt by its own words: large lines that cross the picture, one beat after the other, before moving silk."""

import numpy as np
from PIL import Image

from studio import lettering
from studio.brief import Brief
from studio.picture import Shot, place
from studio.silk import Silk

REDUCTION = 4  # the ground is out of focus
DIMMED = 0.52  # the ground's light, so that white stands out
ARRIVE_SECONDS, LEAVE_SECONDS = 0.62, 0.40
STAGGER_SECONDS = 0.09  # from line to line
OVERLAP_SECONDS = 0.12  # the next beat comes while the last words of this one go
AHEAD_SECONDS = 0.42  # the clip begins with the first words on their way, so that no frame is empty
GROWTH, DRIFT = 0.06, 0.02  # of a beat while it stands: shares of its size and of the frame's width
BOX = 0.83, 0.76  # shares of the frame that words may fill
MIDDLE = 0.545  # of the box, as a share of the height: the chip is above
WHITE, GREY = (255, 255, 255), (176, 172, 180)


class Kinetic:
    """A typographic scene; every frame is a pure function of time."""

    def __init__(self, brief: Brief, rng: np.random.Generator, shot: Shot) -> None:
        self._shot = shot
        self._silk = Silk(brief, rng, shot, reduction=REDUCTION)
        self._accent = tuple((self._silk.table[-1] * 0.7 + 255.0 * 0.3).astype(int).tolist())
        self._beats = lettering.beats(brief.text, shot.seconds)
        box = shot.width * BOX[0], shot.height * BOX[1]
        self._words = [lettering.set_words(beat.words, *box) for beat in self._beats]
        self._side = 1.0 if rng.random() < 0.5 else -1.0

    def frame(self, t_seconds: float) -> Image.Image:
        """Picture at a time."""
        frame = self._silk.enlarged(self._silk.light(t_seconds) * DIMMED)
        for number, beat in enumerate(self._beats):
            if beat.start - ARRIVE_SECONDS < t_seconds < beat.end + LEAVE_SECONDS:
                self._draw(frame, number, t_seconds, stays=number == len(self._beats) - 1)
        return frame

    def _draw(self, frame: Image.Image, number: int, t: float, *, stays: bool) -> None:
        """The words of a beat: neighbouring lines come from either side, slow down to be read, and go on."""
        beat, side = self._beats[number], self._side * (-1) ** number
        share = (t - beat.start) / (beat.end - beat.start)
        zoom = 1.0 + GROWTH * (share - 0.5)
        start = beat.start - (AHEAD_SECONDS if beat.start == 0 else OVERLAP_SECONDS)
        for word in self._words[number]:
            way = side if word.line % 2 == 0 else -side
            late = STAGGER_SECONDS * word.line
            coming = 1.0 - min(max((t - start - late) / ARRIVE_SECONDS, 0.0), 1.0)
            going = 0.0 if stays else max((t - beat.end + LEAVE_SECONDS * 0.75 - late * 0.4) / LEAVE_SECONDS, 0.0)
            offset = coming**4 - 1.3 * going**3
            x = self._shot.width * (0.5 + way * offset * 1.15 - side * DRIFT * (share - 0.5)) + word.x * zoom
            y = self._shot.height * MIDDLE + word.y * zoom
            place(frame, word.mask, x, y, zoom=zoom, ink=self._accent if word.key else GREY if word.quiet else WHITE)
