"""Looks a delivered clip over for what people would send back: decoded once, small, and never for long.

What it says does not depend on the size of the clip, nor on how busy the machine is. It runs in a process of its own
(`core.files.isolated`), since a clip is foreign bytes, and yields to everything else.
"""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation

from core import errors
from core.files import isolated, sniff, video_presentation, video_reader
from core.files.findings import Finding
from core.files.picture_checks import PictureChecks
from core.files.sound_checks import SoundChecks
from core.messages import message

MOST_SECONDS = 60.0
"""So much of a clip is looked at; no model makes longer ones."""
MOST_FRAMES = 3600
MOST_PIXELS = 4 * 10**9
"""In all frames together: twenty seconds in 4K, eighty in 1080p; half a minute of one core."""
MOST_PACKETS = 200_000

MEMORY_BYTES = 4 * 1024**3
"""What decoding may take; in 4K it takes half a gigabyte."""
SECONDS = 60
"""Of a core, and of a clock: what takes longer is made to."""
_NICENESS = 10
"""Whatever else runs goes first."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was noticed about a clip, and how loud it is (EBU R 128, None without sound that can be measured)."""

    findings: Sequence[Finding]
    loudness_lufs: float | None

    def to_json(self) -> Mapping[str, Any]:
        """As it is handed from one process to another."""
        return {"findings": [found.to_json() for found in self.findings], "loudness_lufs": self.loudness_lufs}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """As it was handed over. KeyError, TypeError or ValueError for what `to_json` does not make."""
        loudness_lufs = told["loudness_lufs"]
        if loudness_lufs is not None and not math.isfinite(loudness_lufs):
            raise ValueError("a loudness that is no number")
        return cls(tuple(map(Finding.from_json, told["findings"])), loudness_lufs)


def check(path: Path) -> Checked:
    """Look a verified clip over. Raises errors.MediaRejected when it cannot be read."""
    shown = video_presentation.of(path)
    picture, sound = PictureChecks(shown.width, shown.height), SoundChecks()
    width, height = shown.turn.of_size(picture.width, picture.height)
    with video_reader.opened(path) as (source, stream):
        heard = _heard(source)
        start: float | None = None
        end_seconds = 0.0
        pixels = frames = 0
        for frame in _frames(source, stream.index, heard):
            if isinstance(frame, AudioFrame):
                if sound.seconds < MOST_SECONDS:
                    sound.take(frame)
                continue
            pixels += frame.width * frame.height
            moment = frame.time if frame.pts is not None and frame.time is not None else frames / shown.frame_rate
            start = moment if start is None else start
            frames += 1
            if frames > MOST_FRAMES or pixels > MOST_PIXELS or moment - start > MOST_SECONDS:
                break
            frame.color_range = ColorRange.JPEG if shown.colours.full_range else ColorRange.MPEG
            small = frame.reformat(
                width=width,
                height=height,
                format="gray",
                dst_color_range=ColorRange.JPEG,
                interpolation=Interpolation.AREA,
            )
            picture.take(shown.turn.applied(small.to_ndarray()), moment - start)
            lasts = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 0.0
            end_seconds = moment - start + (lasts or 1 / shown.frame_rate)
        if not frames:
            raise sniff.rejected("no_frames")
        found = (*picture.findings(end_seconds=end_seconds), *sound.findings())
    return Checked(found, sound.loudness_lufs)


def check_isolated(path: Path) -> Checked:
    """`check` in a process of its own. Raises errors.MediaRejected, also for what takes too long or breaks down.

    It is forked by a host: to load FFmpeg and NumPy anew takes longer than to look over a usual clip.
    """
    work = f"{__name__}:check_work"
    told, _ = isolated.run(work, bytes(path.absolute()), memory_bytes=MEMORY_BYTES, seconds=SECONDS, is_hosted=True)
    try:
        return Checked.from_json(told)
    except (KeyError, TypeError, ValueError) as garbled:  # a decoder that was taken over may say anything
        detail = f"told what is no finding: {garbled!r}"
        raise errors.MediaRejected(message("media_unreadable"), reason="unreadable", detail=detail) from None


def check_work(path: bytes) -> tuple[Mapping[str, Any], bytes]:
    """`check` of the file with this name, as `core.files.isolated` runs it."""
    os.nice(_NICENESS)
    return check(Path(os.fsdecode(path))).to_json(), b""


def _heard(source: InputContainer) -> AudioStream | None:
    return None if video_reader.audio_codec(source) in (None, "unknown") else source.streams.audio[0]


def _frames(source: InputContainer, picture_index: int, heard: AudioStream | None) -> Iterator[VideoFrame | AudioFrame]:
    """Picture and sound as they come, of these two streams and up to `MOST_PACKETS`."""
    streams = [picture_index] if heard is None else [picture_index, heard.index]
    for count, packet in enumerate(source.demux(streams)):
        if count > MOST_PACKETS:
            return
        for frame in packet.decode():
            if isinstance(frame, VideoFrame | AudioFrame):
                yield frame
