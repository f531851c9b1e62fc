"""Finds what is wrong with the sound of a clip: silent, cut off at its limit, far too loud or too quiet.

Silence and loudness are found by FFmpeg's own `silencedetect` and `ebur128`.
"""

import math
from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.filter import Graph

from core.files.findings import Finding, FindingKind

_SILENCE_DB = -60
"""Nothing louder is silence: 60 dB below the limit, whoever listens hears the fan of their computer."""
_SILENCE_LEAST_SECONDS = 0.1
_AUDIBLE_SECONDS = 0.05
"""Less than this in a whole clip is the click of an encoder."""

_LIMIT = 0.9999
_CLIPPED_SHARE = 0.02
"""Of the samples at the limit, or beyond it once decoded: a full-scale tone has 1 % there, a loud record 0.5 %."""
_FULL_SCALE = 0.9
_FLAT = 0.6
"""Lossy codecs round what was cut off, but it stays flat: of all samples above half of the peak so many are within 15 %
of it. A tone has 0.53, music 0.1 and less, loud records 0.3, a tone that is cut off at three quarters 0.75."""
_BINS = 200
"""Levels that are counted, from 0 to twice the limit."""

LOUD_LUFS = -3.0
"""Integrated, as in EBU R 128; the loudest records have -5, streaming asks for -14, broadcasts for -23."""
QUIET_LUFS = -50.0
"""A quiet room in a film has -45: what is meant to be heard is louder."""
_UNKNOWN_LUFS = -70.0
"""What R 128 says of what is silent, or shorter than 0.4 s."""


class SoundChecks:
    """Takes the decoded sound of one clip in its order, then tells what was found."""

    def __init__(self) -> None:
        self._graph: Graph | None = None
        self._kind: tuple[str, str, int] | None = None
        self._samples = 0
        self._at_limit = 0
        self._levels = np.zeros(_BINS, np.int64)
        self._silent_since: float | None = None
        self._silent_seconds = 0.0
        self._lufs = _UNKNOWN_LUFS

    @property
    def seconds(self) -> float:
        """How much was heard."""
        return self._samples / self._kind[2] if self._kind else 0.0

    @property
    def loudness_lufs(self) -> float | None:
        """Integrated loudness of the whole; None when nothing was loud or long enough to be measured."""
        return None if self._lufs <= _UNKNOWN_LUFS else self._lufs

    def take(self, frame: AudioFrame) -> None:
        """The next piece. What follows a change of format in the middle of a clip is not heard."""
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._graph is None:
            self._graph, self._kind = _graph(*kind), kind
        if kind != self._kind or not frame.samples:
            return
        frame.pts, frame.time_base = self._samples, Fraction(1, frame.sample_rate)  # gaps of a file are no silence
        self._samples += frame.samples
        self._graph.push(frame)
        self._hear()

    def findings(self) -> Iterator[Finding]:
        """What was found, once everything was taken."""
        if self._graph is None:
            return
        self._graph.push(None)
        self._hear()
        if self._silent_since is not None:
            self._silent_seconds += self.seconds - self._silent_since
        if self.seconds - self._silent_seconds < _AUDIBLE_SECONDS:
            yield Finding(FindingKind.SILENT)
            return
        if self._is_clipped():
            yield Finding(FindingKind.CLIPPED)
        elif self.loudness_lufs is not None and self.loudness_lufs > LOUD_LUFS:
            yield Finding(FindingKind.TOO_LOUD, measured=self.loudness_lufs)
        if self.loudness_lufs is not None and self.loudness_lufs < QUIET_LUFS:
            yield Finding(FindingKind.TOO_QUIET, measured=self.loudness_lufs)

    def _is_clipped(self) -> bool:
        """Many samples at the limit, or a loud sound whose tops are flat."""
        if self._at_limit >= _CLIPPED_SHARE * self._levels.sum():
            return True
        above = np.cumsum(self._levels[::-1])[::-1]  # how many samples have this level or a higher one
        peak = int(np.flatnonzero(above >= 0.001 * above[0])[-1])
        return bool(peak >= _FULL_SCALE * _BINS / 2 and above[int(0.85 * peak)] >= _FLAT * above[peak // 2])

    def _hear(self) -> None:
        """Take what has come through the filters, and what they have written on it."""
        assert self._graph is not None  # noqa: S101 -- for the type checker
        while True:
            try:
                heard = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            assert isinstance(heard, AudioFrame)  # noqa: S101 -- for the type checker
            level = np.nan_to_num(np.abs(heard.to_ndarray()), nan=0.0, posinf=2.0)
            self._at_limit += int((level >= _LIMIT).sum())
            places = np.minimum(level.ravel() * (_BINS / 2), _BINS - 1).astype(np.intp)
            self._levels += np.bincount(places, minlength=_BINS)
            marks = heard.metadata
            if "lavfi.silence_end" in marks:
                self._silent_seconds += float(marks["lavfi.silence_duration"])
                self._silent_since = None
            if "lavfi.silence_start" in marks:
                self._silent_since = float(marks["lavfi.silence_start"])
            measured = float(marks.get("lavfi.r128.I", self._lufs))
            self._lufs = measured if math.isfinite(measured) else _UNKNOWN_LUFS


def _graph(sample_format: str, layout: str, sample_rate: int) -> Graph:
    graph = Graph()
    graph.link_nodes(
        graph.add_abuffer(
            format=sample_format, layout=layout, sample_rate=sample_rate, time_base=Fraction(1, sample_rate)
        ),
        graph.add("ebur128", "metadata=1:dualmono=1"),
        # The last one, since a filter that cuts the sound anew loses what was written on it.
        graph.add("silencedetect", f"noise={_SILENCE_DB}dB:duration={_SILENCE_LEAST_SECONDS}"),
        graph.add("abuffersink"),
    ).configure()
    return graph
