"""Finds what is wrong with a moving picture, from its frames made small: black, frozen, flickering, within black bars.

Whatever the size of a clip, it is judged at `PIXELS`, so that the same picture has the same findings in every size.
Black and frozen stretches are found by FFmpeg's own `blackdetect` and `freezedetect`; what these would also say of a
starry night or of a still shot with a bird in it is set apart here. FFmpeg's wheel has no `cropdetect` (it is GPL), and
its `photosensitivity` adds up all movement, a fast pan too: bars and flicker are found by arithmetic of our own.
"""

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from av.filter import Graph
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange

from core.files.findings import Finding, FindingKind

Grey: TypeAlias = "np.ndarray[Any, np.dtype[np.uint8]]"
Figures: TypeAlias = "np.ndarray[Any, np.dtype[np.floating[Any]]]"

PIXELS = 160 * 90
"""About so many are looked at, in the proportions of the clip: a bar of 2 % is two lines high."""
BLOCK = 4
"""Side of the squares whose means are compared: they have less noise than pixels, and a bird is still in them."""

BLACK_SECONDS = 0.5
"""A fade from black, and a dip to black between two shots, take less."""
_BLACK_SHARE_OF_RANGE = 0.04
"""A pixel up to here is black: #0A0A0A, which even a dark room does not show."""
_BLACK_SHARE_OF_PIXELS = 0.98
_LIT_IN_BLACK = 26
"""Of 255: what is brighter than this in a black picture is a star, a lamp or a word, and the black is meant."""
_DROPOUT_LIKENESS = 12.0
"""Of 255, the mean difference of two pictures of one shot: what is black between them fell out of it."""

FROZEN_SECONDS = 1.0
"""A held pose or the rest at the end of a movement is shorter; people notice a second of nothing."""
_FROZEN_NOISE = 0.01
"""What `freezedetect` overlooks, a mean of 2.5 levels of 255: about what new key frames change in a still picture."""
_SAME = 0.5
_SAME_SHARE = 0.7
"""So many steps of a frozen stretch change no block by more than `_SAME` levels: encoders repeat what stands still."""
_DRIFT_OF_BLOCK = 18.0
_DRIFT = 5.0
"""Levels by which the block that changes most, and all in the mean, may differ from the first picture of the stretch:
coarse encoders change a still picture that much with their key frames, and what has really moved changes more."""

FLASHES = 4
"""In one second: more than three are a danger to people who are photosensitive (ITU-R BT.1702, WCAG 2.3.1)."""
_FLASH_LEVELS = 12.0
"""Of 255: how far the whole picture goes up and down, 5 %; in a quarter of it twice as far, which is as visible."""
_ONE_WAY = 0.7
"""So much of a change goes one way when light flickers; in a pan over a fence as much grows darker as brighter."""

_BAR_BLACK = 20
"""Of 255: what never grows brighter than this, ringing of the encoder at its edge aside, is a bar."""
_BAR_EDGE = 18.0
"""Levels from the bar to the picture, within three lines: a vignette or a sky has no such edge."""
_BAR_LEAST = 0.025
_BAR_MOST = 0.45
"""Share of the height (or width) that one bar takes."""
_BAR_LIT = 0.5
"""So much of the line beside a bar is lit, in the mean of all frames: what passes by on black is not."""


class PictureChecks:
    """Takes the frames of one clip in their order, then tells what was found."""

    def __init__(self, width: int, height: int) -> None:
        """The size of the clip as it is shown; only its proportions count."""
        self.width, self.height = small_size(width, height)
        self._graph = _graph(self.width, self.height)
        self._marks: list[Mapping[str, str]] = []
        self._times: list[float] = []
        self._blocks: list[Figures] = []
        self._peaks: list[int] = []
        self._lit_frames = 0
        self._brightest = np.zeros((self.height, self.width), np.uint8)
        self._lit = np.zeros((self.height, self.width), np.float32)
        self._level = np.zeros((self.height, self.width), np.float32)

    def take(self, picture: Grey, seconds: float) -> None:
        """The next frame: (height, width) in full-range grey, upright; and when it is shown."""
        if self._times and seconds <= self._times[-1]:
            seconds = self._times[-1] + 0.001
        frame = VideoFrame.from_ndarray(picture, format="gray")
        frame.pts, frame.time_base, frame.color_range = round(seconds * 1000), _MILLISECONDS, ColorRange.JPEG
        self._graph.push(frame)
        marked = self._graph.pull()
        self._marks.append(marked.metadata)
        self._times.append(seconds)
        blocks = _block_means(picture)
        self._blocks.append(blocks)
        self._peaks.append(int(picture.max()))
        if self._peaks[-1] > _LIT_IN_BLACK:
            self._lit_frames += 1
            np.maximum(self._brightest, picture, out=self._brightest)
            self._lit += picture > _BAR_BLACK
            self._level += picture

    def findings(self, *, end_seconds: float) -> Iterator[Finding]:
        """What was found, once all were taken; the last one is shown until `end_seconds`."""
        if not self._times:
            return
        blocks = np.stack(self._blocks)
        ends = [*self._times, max(end_seconds, self._times[-1])]
        black = list(self._black(blocks, ends))
        for first, after in black:
            yield _lasting(FindingKind.BLACK, ends[first], ends[after])
        for first, after in self._frozen(blocks, ends):
            if not any(first < end and start < after for start, end in black):
                yield _lasting(FindingKind.FROZEN, ends[first], ends[after])
        yield from _flicker(blocks, self._times)
        yield from self._bars()

    def _stretches(self, start_mark: str, end_mark: str) -> Iterator[tuple[int, int]]:
        """(first frame, frame after the last) of what a filter has marked; its times are those of frames."""
        starts: list[int] = []
        for index, marks in enumerate(self._marks):
            if end_mark in marks and starts:
                yield starts.pop(), index
            if start_mark in marks:
                starts = [self._frame_at(float(marks[start_mark]))]
                if end_mark in marks:
                    yield starts.pop(), index
        if starts:
            yield starts.pop(), len(self._times)

    def _frame_at(self, seconds: float) -> int:
        return int(np.argmin(np.abs(np.asarray(self._times) - seconds)))

    def _black(self, blocks: Figures, ends: list[float]) -> Iterator[tuple[int, int]]:
        """Black for `BLACK_SECONDS`, all the way through, or fallen out of the middle of a shot."""
        for start, end in self._stretches("lavfi.black_start", "lavfi.black_end"):
            dark = np.asarray(self._peaks[start:end]) <= _LIT_IN_BLACK
            for first, after in _runs(dark, offset=start):
                is_all = after - first == len(blocks)
                if is_all or ends[after] - ends[first] >= BLACK_SECONDS - 0.001 or _is_dropout(blocks, first, after):
                    yield first, after

    def _frozen(self, blocks: Figures, ends: list[float]) -> Iterator[tuple[int, int]]:
        stretches = self._stretches("lavfi.freezedetect.freeze_start", "lavfi.freezedetect.freeze_end")
        for start, end in stretches if len(blocks) > 1 else [(0, 1)]:
            for first, after in _unmoved(blocks, start, end):
                steps = np.abs(np.diff(blocks[first:after], axis=0)).max(axis=(1, 2))
                is_still = len(steps) == 0 or float((steps <= _SAME).mean()) >= _SAME_SHARE
                if is_still and ends[after] - ends[first] >= FROZEN_SECONDS - 0.001:
                    yield first, after

    def _bars(self) -> Iterator[Finding]:
        """Above and below, or left and right; what is black throughout has none."""
        if not self._lit_frames:
            return
        lit, level = self._lit / self._lit_frames, self._level / self._lit_frames
        for brightest, share_lit, mean in ((self._brightest, lit, level), (self._brightest.T, lit.T, level.T)):
            before = _bar(brightest, share_lit, mean)
            behind = _bar(brightest[::-1], share_lit[::-1], mean[::-1])
            if before and behind and abs(before - behind) <= max(2, 0.3 * max(before, behind)):
                yield Finding(FindingKind.LETTERBOX, measured=round((before + behind) / len(mean), 3))


_MILLISECONDS = Fraction(1, 1000)


def small_size(width: int, height: int) -> tuple[int, int]:
    """(width, height), both multiples of `BLOCK`, of about `PIXELS` in the same proportions."""
    scale = math.sqrt(PIXELS / (width * height))
    small_width, small_height = (max(2, round(side * scale / BLOCK)) * BLOCK for side in (width, height))
    return min(small_width, 1600), min(small_height, 1600)


def _graph(width: int, height: int) -> Graph:
    graph = Graph()
    graph.link_nodes(
        graph.add_buffer(width=width, height=height, format=VideoFormat("gray"), time_base=_MILLISECONDS),
        graph.add("blackdetect", f"d=0:pix_th={_BLACK_SHARE_OF_RANGE}:pic_th={_BLACK_SHARE_OF_PIXELS}"),
        graph.add("freezedetect", f"n={_FROZEN_NOISE}:d={FROZEN_SECONDS / 2}"),
        graph.add("buffersink"),
    ).configure()
    return graph


def _lasting(kind: FindingKind, start: float, end: float, measured: float | None = None) -> Finding:
    return Finding(kind, round(start, 2), round(end, 2), measured)


def _block_means(picture: Grey) -> Figures:
    rows, columns = picture.shape[0] // BLOCK, picture.shape[1] // BLOCK
    means: Figures = picture.reshape(rows, BLOCK, columns, BLOCK).mean(axis=(1, 3), dtype=np.float32)
    return means


def _runs(flags: "np.ndarray[Any, np.dtype[np.bool_]]", *, offset: int) -> Iterator[tuple[int, int]]:
    """(first, after the last) of each unbroken run of true, in frames of the clip."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8))) + offset
    yield from map(tuple, edges.reshape(-1, 2).tolist())


def _unmoved(blocks: Figures, start: int, end: int) -> Iterator[tuple[int, int]]:
    """(first, after the last) of the stretches between two frames in which nothing has moved far."""
    first = start
    for index in range(start + 1, end):
        change = np.abs(blocks[index] - blocks[first])
        if change.max() > _DRIFT_OF_BLOCK or change.mean() > _DRIFT:
            yield first, index
            first = index
    yield first, end


def _is_dropout(blocks: Figures, first: int, after: int) -> bool:
    """Whether the same shot stands on both sides of a black stretch, which begins and ends at once."""
    if first == 0 or after == len(blocks):
        return False
    before, behind = blocks[first - 1], blocks[after]
    is_abrupt = min(before.mean(), behind.mean()) >= 2 * _BLACK_SHARE_OF_RANGE * 255
    return bool(is_abrupt and np.abs(before - behind).mean() <= _DROPOUT_LIKENESS)


def _flicker(blocks: Figures, times: list[float]) -> Iterator[Finding]:
    """Where light goes up and down `FLASHES` times within a second, in the whole picture or in a quarter of it."""
    rows, columns = blocks.shape[1] // 2, blocks.shape[2] // 2
    quarters = [blocks[:, y : y + rows, x : x + columns] for y in (0, rows) for x in (0, columns)]
    for part, levels in ((blocks, _FLASH_LEVELS), *((quarter, 2 * _FLASH_LEVELS) for quarter in quarters)):
        flashes = _flashes(_light(part), times, levels)
        found = [
            (flashes[index], flashes[index + FLASHES - 1])
            for index in range(len(flashes) - FLASHES + 1)
            if flashes[index + FLASHES - 1] - flashes[index] < 0.99
        ]
        if found:
            start, end = found[0][0], found[-1][1]
            count = sum(start <= flash <= end for flash in flashes)
            yield _lasting(FindingKind.FLICKER, start, end, measured=round((count - 1) / (end - start), 1))
            return


def _light(part: Figures) -> list[float]:
    """The brightness of every frame, moved only by steps in which nearly everything grows brighter, or darker."""
    steps = np.diff(part, axis=0)
    net = steps.mean(axis=(1, 2))
    whole = np.abs(steps).mean(axis=(1, 2))
    one_way = np.abs(net) >= _ONE_WAY * np.maximum(whole, 1e-6)
    return [0.0, *np.cumsum(np.where(one_way, net, 0.0)).tolist()]


def _flashes(light: list[float], times: list[float], levels: float) -> list[float]:
    """When light had gone up and down again (or down and up) by so many levels."""
    turns: list[float] = []
    low = high = light[0]
    direction = 0
    for value, seconds in zip(light, times, strict=True):
        if direction >= 0:
            high = max(high, value)
        if direction <= 0:
            low = min(low, value)
        if direction <= 0 and value - low >= levels:
            direction, high = 1, value
            turns.append(seconds)
        elif direction >= 0 and high - value >= levels:
            direction, low = -1, value
            turns.append(seconds)
    return turns[1::2]


def _bar(brightest: Grey, lit: Figures, level: Figures) -> int:
    """How many lines the bar at the top has; 0 for none."""
    dark = (brightest <= _BAR_BLACK).mean(axis=1) >= 0.99
    lines = int(np.argmin(dark)) if not dark.all() else 0
    if not _BAR_LEAST * len(dark) <= lines <= _BAR_MOST * len(dark):
        return 0
    near = min(lines + 2, len(dark) - 1)
    rise = np.abs(level[near] - level[max(0, lines - 2)])
    is_sharp = float(np.median(rise)) >= _BAR_EDGE
    return lines if is_sharp and float(lit[near].mean()) >= _BAR_LIT else 0
