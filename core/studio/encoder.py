"""Writes one MP4: H.264 and AAC streamed frame by frame; it draws nothing itself."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from core.studio.caption import Overlay

FRAMES_PER_SECOND = 24
SAMPLES_PER_SECOND = 48_000
SAMPLES_PER_FRAME = SAMPLES_PER_SECOND // FRAMES_PER_SECOND
BT709 = 1  # ITU-T H.273: the number for BT.709 in primaries, transfer and matrix alike
LIMITED_RANGE = 1  # FFmpeg's AVCOL_RANGE_MPEG
ENCODER_THREADS = 2  # fixed: the bytes of x264 differ with the number of threads
GRAIN_STRENGTH = 1.8  # standard deviation in levels of luma: the least that x264 at crf 20 does not wipe away
GRAIN_ROOM_PIXELS = 64  # how far the grain may be shifted from frame to frame, both ways

# A Python log callback (av.logging.set_level) can deadlock with the codec's threads; this one stays in C.
av.logging.set_libav_level(av.logging.PANIC)


class Encoder:
    """An MP4 being written at ``path``, 24 frames a second, ``width`` x ``height`` even pixels; use it in ``with``.

    Leaving ``with`` normally completes the file; leaving it by an exception leaves an unfinished file behind.
    """

    def __init__(self, path: Path, *, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._container: OutputContainer = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        self._video = self._video_stream()
        self._audio = self._audio_stream()
        self._reformatter = VideoReformatter()
        self._grain = _grain(width, height)
        self._frames = 0

    def _video_stream(self) -> VideoStream:
        stream = self._container.add_stream(
            "libx264", rate=FRAMES_PER_SECOND, options={"preset": "veryfast", "crf": "20"}
        )
        stream.width, stream.height, stream.pix_fmt = self._width, self._height, "yuv420p"
        context = stream.codec_context
        context.thread_count = ENCODER_THREADS
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = LIMITED_RANGE
        return stream

    def _audio_stream(self) -> AudioStream:
        stream = self._container.add_stream("aac", rate=SAMPLES_PER_SECOND, layout="stereo")
        stream.bit_rate = 96_000
        return stream

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._container.mux(self._video.encode(None))
                self._container.mux(self._audio.encode(None))
        finally:
            self._container.close()

    def add(
        self, picture: NDArray[np.uint8], overlays: Sequence[tuple[Overlay, float]], sound: NDArray[np.float32]
    ) -> None:
        """Append one frame and its 1/24 s of sound.

        ``picture``: (any height, any width, 3) RGB, scaled to the clip's size; ``overlays``: each with its opacity
        0 to 1, in final pixels; ``sound``: (2, 2000) samples within -1 to 1.
        """
        frame = self._reformatter.reformat(
            av.VideoFrame.from_ndarray(picture, format="rgb24"),
            self._width,
            self._height,
            "yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.BICUBIC,
        )
        planes = [_pixels(plane) for plane in frame.planes]
        self._add_grain(planes[0])
        for overlay, opacity in overlays:
            overlay.blend(planes, opacity)
        frame.pts, frame.time_base = self._frames, Fraction(1, FRAMES_PER_SECOND)
        self._container.mux(self._video.encode(frame))

        block = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound, np.float32), format="fltp", layout="stereo")
        block.sample_rate = SAMPLES_PER_SECOND
        block.pts, block.time_base = self._frames * SAMPLES_PER_FRAME, Fraction(1, SAMPLES_PER_SECOND)
        self._container.mux(self._audio.encode(block))
        self._frames += 1

    def _add_grain(self, luma: NDArray[np.uint8]) -> None:
        """Shift the grain by a step that depends on the frame's number only, and add it."""
        across, down = np.random.default_rng(self._frames).integers(0, GRAIN_ROOM_PIXELS, 2)
        grain = self._grain[down : down + self._height, across : across + self._width]
        np.clip(luma, 16, 235, out=luma)  # scaling overshoots; the sum below must not wrap round
        luma += grain


def _pixels(plane: VideoPlane) -> NDArray[np.uint8]:
    """The plane's own memory, (height, width), without the padding at the end of its rows."""
    memory = np.frombuffer(plane, np.uint8)  # type: ignore[call-overload]  # typed from Python 3.12 on
    pixels: NDArray[np.uint8] = memory.reshape(plane.height, plane.line_size)[:, : plane.width]
    return pixels


def _grain(width: int, height: int) -> NDArray[np.uint8]:
    """Noise as bytes in two's complement (-1 is 255), a margin larger than the frame."""
    shape = (height + GRAIN_ROOM_PIXELS, width + GRAIN_ROOM_PIXELS)
    noise = np.random.default_rng(24).standard_normal(shape, np.float32)
    noise *= GRAIN_STRENGTH
    return np.rint(np.clip(noise, -6, 6)).astype(np.int8).view(np.uint8)
