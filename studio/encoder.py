"""Writes one MP4: H.264 and AAC streamed frame by frame; it draws nothing."""

from fractions import Fraction
from pathlib import Path
from typing import Self

import av
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray
from PIL import Image

FRAMES_PER_SECOND = 24
SAMPLES_PER_SECOND = 48_000
SAMPLES_PER_FRAME = SAMPLES_PER_SECOND // FRAMES_PER_SECOND
BT709 = 1  # ITU-T H.273: the number for BT.709 in primaries, transfer and matrix alike

# A Python log callback (av.logging.set_level) can deadlock with the codec's threads; this one stays in C.
av.logging.set_libav_level(av.logging.PANIC)


class Encoder:
    """An MP4 being written at ``path``, 24 frames a second, ``width`` x ``height`` even pixels; use it in ``with``.

    Leaving ``with`` normally completes the file; leaving it by an exception leaves an unfinished file behind.
    """

    def __init__(self, path: Path, *, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._container: OutputContainer = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        # What moves here moves evenly: the cheapest search finds it, in 14 % less time for 4 % more bytes.
        options = {"preset": "veryfast", "crf": "20", "x264-params": "me=dia:subme=1"}
        self._video = self._container.add_stream("libx264", rate=FRAMES_PER_SECOND, options=options)
        self._video.width, self._video.height, self._video.pix_fmt = width, height, "yuv420p"
        context = self._video.codec_context
        context.thread_count = 2  # fixed: the bytes of x264 differ with the number of threads
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = 1  # FFmpeg's AVCOL_RANGE_MPEG: limited
        self._audio = self._container.add_stream("aac", rate=SAMPLES_PER_SECOND, layout="stereo")
        self._audio.bit_rate = 96_000
        self._reformatter = VideoReformatter()
        self._frames = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._container.mux(self._video.encode(None))
                self._container.mux(self._audio.encode(None))
        finally:
            self._container.close()

    def add(self, picture: Image.Image, sound: NDArray[np.float32]) -> None:
        """Append an RGB picture, scaled to the clip's size, and its 1/24 s of sound: (2, 2000) samples in -1 to 1."""
        frame = self._reformatter.reformat(
            av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24"), self._width, self._height, "yuv420p",
            dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG, interpolation=Interpolation.BICUBIC,
        )  # fmt: skip
        frame.pts, frame.time_base = self._frames, Fraction(1, FRAMES_PER_SECOND)
        self._container.mux(self._video.encode(frame))
        block = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound, np.float32), format="fltp", layout="stereo")
        block.sample_rate = SAMPLES_PER_SECOND
        block.pts, block.time_base = self._frames * SAMPLES_PER_FRAME, Fraction(1, SAMPLES_PER_SECOND)
        self._container.mux(self._audio.encode(block))
        self._frames += 1
